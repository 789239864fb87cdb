"""The source lines of a ruleset beside what became of them on one packet's way: decided, matched, near, missed, not reached."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from policyc.explanation.answer import Explanation
from policyc.frozen import frozen
from policyc.report.printable import laid_out
from policyc.simulation.journey import Visit
from policyc.source import Source, Span

WHOLE = 250
"""Lines of a source that is shown whole; of a longer one those that the packet came to, with a few around."""
AROUND = 2
MOST = 400
"""Lines that are shown of one source at most."""


class Share(IntEnum):
    """What a line did; the greatest of its rules counts."""

    NOT_REACHED = 1
    MISSED = 2
    NEAR = 3
    MATCHED = 4
    DECIDED = 5

    @property
    def sign(self) -> str:
        """The mark in the margin."""
        return "·✗≈✓■"[self - 1]

    @property
    def words(self) -> str:
        """What the mark says."""
        return ("not reached", "does not match", "one test away", "matched", "decided")[self - 1]

    @property
    def key(self) -> str:
        """Its name in style sheets."""
        return self.name.lower().replace("_", "-")


@frozen
class Line:
    """A line of a source; `share` None where no rule begins. `gap`: lines before it are left out."""

    number: int
    text: str
    share: Share | None
    gap: bool


def contributing(explanation: Explanation) -> dict[Source, list[Line]]:
    """Return the lines to show of each source that has rules, in the order in which the sources are first met."""
    shares = _shares(explanation)
    return {source: list(_lines(source, found)) for source, found in shares.items() if source.text}


def _lines(source: Source, shares: dict[int, Share]) -> Iterator[Line]:
    last = len(source.starts)
    while last > 1 and not source.line(last).strip():
        last -= 1
    if last <= WHOLE:
        numbers = range(1, last + 1)
        shown = list(numbers)
    else:
        told = sorted(
            (number for number, share in shares.items() if share > Share.MISSED), key=lambda n: (-shares[n], n)
        )
        told += [number for number, share in shares.items() if share is Share.MISSED]
        near = {number for one in told[: MOST // 3] for number in range(one - AROUND, one + AROUND + 1)}
        shown = sorted(number for number in near if 1 <= number <= last)[:MOST]
    previous = 0
    for number in shown:
        text, _ = laid_out(source.line(number))
        yield Line(number, text, shares.get(number), gap=number > previous + 1)
        previous = number


def _shares(explanation: Explanation) -> dict[Source, dict[int, Share]]:
    family = explanation.way.sent.family
    shares: dict[Source, dict[int, Share]] = {}

    def give(span: Span | None, share: Share) -> None:
        if span is not None:
            lines = shares.setdefault(span.source, {})
            lines[span.line] = max(share, lines.get(span.line, share))

    near = {id(one.look) for one in explanation.near}
    for event in explanation.way.journey.events:
        if isinstance(event, Visit):
            for look in event.looks:
                share = Share.MATCHED if look.matched else Share.NEAR if id(look) in near else Share.MISSED
                give(None if look.rule is None else look.rule.span, share)
    for table in explanation.ruleset.family(family):
        for chain in table.chains:
            for rule in chain.rules:
                if rule.span is not None and len(rule.span.source.starts) <= WHOLE:
                    give(rule.span, Share.NOT_REACHED)
    if (place := explanation.deciding) is not None:
        give(place.span, Share.DECIDED)
    return shares
