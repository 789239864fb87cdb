"""The modes of a container's network side by side, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policyc.engines.docker.network_modes import MODES, Mode
from policyc.report.columns import WIDE, wrapped
from policyc.report.style import PLAIN, Style

_LEAD = 18


def modes_text(used: Mapping[str, tuple[str, ...]], style: Style = PLAIN) -> str:
    """Return a paragraph for each mode; `used` are the containers of the preview by the name of their mode."""
    lines = [style.paint("bold", "network modes, and the hooks of this host that see their traffic")]
    for mode in MODES:
        lines += _lines(mode, used.get(mode.name, ()), style)
    return "\n".join(lines) + "\n"


def _lines(mode: Mode, containers: tuple[str, ...], style: Style) -> Iterator[str]:
    into, out_of = (" → ".join(hooks) or "none" for hooks in (mode.into, mode.out_of))
    here = f" (here: {', '.join(containers)})" if containers else ""
    says = (f"in: {into}; out: {out_of}{here}", f"`-p`: {mode.publishes}", f"server sees: {mode.seen}", mode.remark)
    name = mode.name
    for text in says:
        for line in wrapped(style.own(style.foreign(text)), WIDE - _LEAD, 2):
            yield f"  {style.paint('bold', name)}{'':{_LEAD - 2 - len(name)}}{line}"
            name = ""
