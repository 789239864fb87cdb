"""Live counters as rows, for a terminal once and for the table that redraws: what has counted, and how fast."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from policyc.frozen import frozen
from policyc.observation.tally import Line, Tally
from policyc.report.style import Style
from policyc.source import Span

LONGEST = 64
"""Characters of a statement's text."""


@frozen
class CounterRow:
    """One line of the table. `packets` and `size` are None where nothing of it is in the kernel; rates are per second, or None.

    `missing` is how many of its rules are not in the kernel.
    """

    place: str
    text: str
    packets: int | None
    size: int | None
    packet_rate: float | None
    byte_rate: float | None
    missing: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether it is in the kernel and nothing ever matched."""
        return self.packets == 0


def counter_rows(tally: Tally, style: Style, before: Tally | None = None, seconds: float = 0) -> Iterator[CounterRow]:
    """Yield the lines of the source, then the policies of its base chains; `before` is what was there `seconds` earlier."""
    short = _short_names(tally)
    earlier = {_key(line): line for line in before.lines} if before else {}
    for line in tally.lines:
        counts = (line.packets, line.size) if line.rules else None
        was = earlier.get(_key(line))
        before_counts = (was.packets, was.size) if was else None
        yield _row(
            _place(line.span, short, style), _text(line, style), counts, before_counts, seconds, len(line.missing)
        )
    earlier_policies = {rule.place.name + str(rule.place.family): rule for rule in before.policies} if before else {}
    for rule in tally.policies:
        if rule.place.span is None:
            continue
        text = f"policy of {rule.place.table}/{rule.place.chain}, IPv{rule.place.family}: {rule.place.text.split()[-1]}"
        policy = earlier_policies.get(rule.place.name + str(rule.place.family))
        was_counted = (policy.packets, policy.size) if policy else None
        counts = rule.packets, rule.size
        yield _row(_place(rule.place.span, short, style), style.foreign(text), counts, was_counted, seconds)


def _row(
    place: str, text: str, counts: tuple[int, int] | None, was: tuple[int, int] | None, seconds: float, missing: int = 0
) -> CounterRow:
    if counts is None:
        return CounterRow(place, text, None, None, None, None, missing)
    packet_rate = byte_rate = None
    if was is not None and seconds > 0 and counts[0] >= was[0]:  # else the rules were loaded anew
        packet_rate, byte_rate = ((now - then) / seconds for now, then in zip(counts, was, strict=True))
    return CounterRow(place, text, counts[0], counts[1], packet_rate, byte_rate, missing)


def _key(line: Line) -> tuple[str, str]:
    return line.id, "" if line.span is None else str(line.span)


def _place(span: Span | None, short: dict[str, str], style: Style) -> str:
    return "-" if span is None else style.foreign(f"{short[span.source.name]}:{span.line}")


def _short_names(tally: Tally) -> dict[str, str]:
    """Return for each source its name without its folder, for those that keep apart so."""
    spans = [*(line.span for line in tally.lines), *(rule.place.span for rule in tally.policies)]
    names = {span.source.name for span in spans if span is not None}
    alone = [PurePath(name).name for name in names]
    return {name: PurePath(name).name if alone.count(PurePath(name).name) == 1 else name for name in names}


def _text(line: Line, style: Style) -> str:
    nowhere = (
        "(rules without a line of the source)" if line.span is None else "(the policy, which has no `policy` block)"
    )
    text = line.text or nowhere
    return style.own(style.foreign(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"))
