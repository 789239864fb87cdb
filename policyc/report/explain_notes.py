"""Below the packet's way: why it ended so, what to do, what would change it, what its sender sees, what was assumed."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.explanation.answer import Explanation
from policyc.explanation.insights.insight import Kind
from policyc.explanation.near import NearMiss
from policyc.report.columns import WIDE, wrapped
from policyc.report.explain_excerpts import changing_near, near_place
from policyc.report.explain_words import WORDS
from policyc.report.style import Style

NEAREST = 3
"""Near misses that are named as what would have changed the packet's fate."""
_BETTER = frozenset((Kind.REPLY_NOT_ACCEPTED, Kind.NEEDED_ICMP, Kind.LOOPBACK_BLOCKED, Kind.ACCEPTED_BELOW))
"""Nobody would open a port for these: the insight says what to do instead."""


def reasons(explanation: Explanation, style: Style) -> list[str]:
    """Return each insight as a sentence, with what to do below it."""
    lines = []
    for insight in explanation.insights:
        why, *rest = wrapped(style.foreign(insight.text), WIDE - 5, 0)
        lines += [f"{style.paint('bold', 'why:')} {why}", *(f"     {line}" for line in rest)]
        if insight.help:
            helped, *rest = wrapped(style.foreign(insight.help), WIDE - 11, 0)
            lines += [f"     {style.paint('info', 'help:')} {helped}", *(f"           {line}" for line in rest)]
    return lines


def notes(explanation: Explanation, style: Style, *, verbose: bool) -> list[str]:
    """Return the notes at the end, one or several lines each."""
    lines = []
    for head, text in note_pairs(explanation, verbose=verbose):
        first, *rest = wrapped(style.foreign(text), WIDE - 6 - len(head), 0)
        lines.append(f"  {style.paint('gutter', '=')} {head}: {first}")
        lines += [f"{'':{6 + len(head)}}{line}" for line in rest]
    return lines


def note_pairs(explanation: Explanation, *, verbose: bool) -> Iterator[tuple[str, str]]:
    """Yield the notes, each a heading and a sentence."""
    quiet = explanation.word == "accept" or any(one.kind in _BETTER for one in explanation.insights)
    changing = [] if quiet and not verbose else changing_near(explanation)
    for one in changing[:NEAREST]:
        yield _nearest(explanation, one)
    if (more := len(changing) - NEAREST) > 0:
        yield "also near", f"{more} other rule{'s' * (more > 1)}, which one test keeps from changing this"
    for view in explanation.sender:
        yield "sender", f"{view.program} sees {view.text}" if view.errno else f"{view.program}: {view.text}"
    if explanation.assumptions:
        yield "assumed", " · ".join(explanation.assumptions)
    if not explanation.complete:
        yield "incomplete", "there are more unknown conditions than were tried"
    if not verbose:
        yield "more", "`-v` shows every rule that the packet came to"


def _nearest(explanation: Explanation, near: NearMiss) -> tuple[str, str]:
    assert near.instead is not None
    place = near_place(explanation, near)
    where = f"{place.line} ({place.name})" if place.line else place.name
    verdict = WORDS[near.instead.trace.verdict].lower()
    happens = {"accept": "passes", "drop": "is dropped", "reject": "is rejected"}.get(verdict, "may pass")
    return f"nearest {verdict}", f"this packet {happens} if {where} {would_take(near)}"


def would_take(near: NearMiss) -> str:
    """Return what a rule that came near would have to test."""
    miss = near.miss
    if not miss.field:
        return f"finds that `{miss.part}` holds"
    if miss.value == "none":
        return f"does not test `{miss.part}`"
    what = _TAKEN.get(miss.field, f"takes {miss.field} {{}}").format(miss.value)
    return f"{what}: it tests `{miss.part}` (1 field differs)"


_TAKEN = {"iif": "takes what comes in by {}", "oif": "takes what leaves by {}", "icmp": "takes {}"}
