"""Below the packet's way: why it ended so, the source lines that matter, what would change it and what was assumed."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.explanation.answer import Explanation
from policyc.explanation.near import NearMiss
from policyc.explanation.places import RulePlace
from policyc.report.columns import WIDE, wrapped
from policyc.report.excerpt import Mark, excerpt, gutter_width
from policyc.report.explain_words import WORDS
from policyc.report.style import Style
from policyc.source import Source, Span

NEAREST = 3
"""Near misses that are named as what would have changed the packet's fate."""


def reasons(explanation: Explanation, style: Style) -> list[str]:
    """Return the source lines of the rule that decided and of those that came near."""
    marks = _marks(explanation)
    gutter = gutter_width(mark for group in marks.values() for mark in group)
    lines = [""] if marks else []
    for source, group in marks.items():
        span = next((mark for mark in group if mark.primary), group[0]).span
        arrow = style.paint("gutter", f"{'':{gutter}}-->")
        lines.append(f"{arrow} {style.foreign(source.name)}:{span.line}:{span.column}")
        lines += excerpt(group, style, gutter)
    return lines


def notes(explanation: Explanation, style: Style, *, verbose: bool) -> list[str]:
    """Return the notes at the end, one or several lines each."""
    lines = [""]
    for head, text in _notes(explanation, verbose=verbose):
        first, *rest = wrapped(f"{head}: {style.foreign(text)}", WIDE - 4, len(head) + 2)
        lines.append(f"  {style.paint('gutter', '=')} {first}")
        lines += [f"    {line}" for line in rest]
    return lines if len(lines) > 1 else []


def _notes(explanation: Explanation, *, verbose: bool) -> Iterator[tuple[str, str]]:
    changing = [one for one in explanation.near if one.instead is not None]
    for one in changing[:NEAREST]:
        yield _nearest(explanation, one)
    if len(changing) > NEAREST:
        yield "also near", f"{len(changing) - NEAREST} other rules that one test keeps from changing this"
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
    return f"takes {miss.field} {miss.value} (it tests `{miss.part}`; 1 field differs)"


def near_place(explanation: Explanation, near: NearMiss) -> RulePlace:
    """Return the place of a rule that came near."""
    look = near.look
    assert look.rule is not None
    assert isinstance(look.number, int)
    return explanation.places.of_rule(explanation.way.sent.family, near.table, look.chain, look.number, look.rule)


def _marks(explanation: Explanation) -> dict[Source, list[Mark]]:
    """Return what is underlined, by source; the rule that decided first."""
    groups: dict[Source, list[Mark]] = {}
    seen: set[Span] = set()

    def mark(span: Span | None, label: str, *, primary: bool, role: str) -> None:
        if span is None or not span.source.text or span in seen:
            return
        seen.add(span)
        groups.setdefault(span.source, []).append(Mark(span, label, primary, role))

    place = explanation.deciding
    word = WORDS[explanation.verdict].lower()
    if place is not None:
        role = "good" if word == "accept" else "error"
        label = f"{word}s it" if word != "drop" else "drops it"
        mark(place.span, label, primary=True, role=role)
    changing = [one for one in explanation.near if one.instead is not None]
    for one in changing[:1] or explanation.near[:1]:
        label = f"`{one.miss.part}`, but {one.miss.text} here" if one.miss.field else f"`{one.miss.part}` does not hold"
        mark(near_place(explanation, one).span, label, primary=False, role="gutter")
    return groups
