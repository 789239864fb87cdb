"""The source lines that an explanation rests on, underlined: what decided, what came near, what changed the packet before."""

from __future__ import annotations

from policyc.explanation.answer import Explanation
from policyc.explanation.near import NearMiss
from policyc.explanation.places import RulePlace
from policyc.report.excerpt import Mark, excerpt, gutter_width
from policyc.report.explain_words import WORDS, missed_text
from policyc.report.style import Style
from policyc.source import Source, Span


def excerpts(explanation: Explanation, style: Style) -> list[str]:
    """Return the lines, an excerpt for each source; none where nothing has a source."""
    marks = _Marks(explanation).all()
    gutter = gutter_width(mark for group in marks.values() for mark in group)
    lines = []
    for source, group in marks.items():
        span = next((mark for mark in group if mark.primary), group[0]).span
        arrow = style.paint("gutter", f"{'':{gutter}}-->")
        lines.append(f"{arrow} {style.foreign(source.name)}:{span.line}:{span.column}")
        lines += excerpt(group, style, gutter)
    return lines


def changing_near(explanation: Explanation) -> list[NearMiss]:
    """Return the near misses that would have changed the packet's fate."""
    return [one for one in explanation.near if one.instead is not None]


def near_place(explanation: Explanation, near: NearMiss) -> RulePlace:
    """Return the place of a rule that came near."""
    look = near.look
    assert look.rule is not None
    assert isinstance(look.number, int)
    return explanation.places.of_rule(explanation.way.sent.family, near.table, look.chain, look.number, look.rule)


class _Marks:
    """Collects places to underline; each source place once."""

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation
        self.groups: dict[Source, list[Mark]] = {}
        self.seen: set[Span] = set()

    def all(self) -> dict[Source, list[Mark]]:
        """Return the marks by source, the source of what decided first."""
        explanation = self.explanation
        word = WORDS[explanation.verdict].lower()
        if (place := explanation.deciding) is not None:
            label = {"accept": "accepts it", "drop": "drops it", "reject": "rejects it"}.get(word, "decides")
            self.mark(place.span, label, primary=True, role="good" if word == "accept" else "error")
        for one in changing_near(explanation)[: word != "accept"]:
            self.mark(near_place(explanation, one).span, _missed(one), primary=False, role="gutter")
        for insight in explanation.insights:
            for other in insight.places:
                if other.number != "policy":
                    self.mark(other.span, f"{other.name}", primary=False, role="gutter")
        return self.groups

    def mark(self, span: Span | None, label: str, *, primary: bool, role: str) -> None:
        """Underline a place."""
        if span is not None and span.source.text and span not in self.seen:
            self.seen.add(span)
            self.groups.setdefault(span.source, []).append(Mark(span, label, primary, role))


def _missed(near: NearMiss) -> str:
    miss = near.miss
    if not miss.field:
        return f"`{miss.part}` does not hold here"
    instead = missed_text((miss,))
    return f"tests `{miss.part}`, but {instead} here" if " is " in instead else f"tests `{miss.part}`, but it {instead}"
