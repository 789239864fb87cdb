"""The answer of `policyc reach` for people: yes with a packet and the rules it met, no with what stops it, or undecided."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.explanation.reaching import Reach
from policyc.report.style import PLAIN, Style
from policyc.simulation.view import PacketView


def reach_concise(found: Reach, style: Style = PLAIN) -> str:
    """Return the answer in one line."""
    shown = found.witness.sentence if found.witness is not None else "; ".join(found.because)
    return f"{_word(found, style)}: {style.foreign(shown)}\n"


def reach_full(found: Reach, style: Style = PLAIN) -> str:
    """Return the answer with the packet, its way and what was assumed."""
    return "\n".join(_lines(found, style)) + "\n"


def _word(found: Reach, style: Style) -> str:
    if not found.reachable:
        return style.paint("bold", "unreachable")
    if found.witness is None:
        return style.paint("warning", "undecided")
    return style.paint("bold", "reachable" if found.exact else "reachable, under a condition")


def _lines(found: Reach, style: Style) -> Iterator[str]:
    yield _word(found, style)
    witness = found.witness
    if witness is None:
        yield from (f"  {style.foreign(text)}" for text in found.because)
        return
    yield f"  {style.foreign(witness.sentence)}"
    sent, final = PacketView.of(witness.way.sent), PacketView.of(witness.way.packet)
    where = f" by {witness.way.trace.device}" if witness.way.trace.device else ""
    arrives = f"arrives as {final.text}" if final.text != sent.text else "arrives"
    yield f"  {style.foreign(arrives + where)}"
    yield from (f"  {style.foreign(text)}" for text in witness.beside)
    for place in found.path:
        origin = style.paint("faint", style.foreign(f"  {place.line}")) if place.line else ""
        yield f"    {style.foreign(place.name)}: {style.foreign(place.text)}{origin}"
    yield from (f"  {style.paint('warning', 'if')} {style.foreign(text)}" for text in witness.conditions)
    yield from (f"  assumed: {style.foreign(text)}" for text in witness.assumptions)
