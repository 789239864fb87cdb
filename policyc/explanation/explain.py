"""A question is answered: `explain` walks every way and says what decided, what was assumed and what came near.

Top of `explanation`; `policyc.api` and the command ask it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from policyc.explanation.answer import Alternative, Explanation
from policyc.explanation.near import near_misses
from policyc.explanation.outcomes import Outcomes, Situation, Way, differing, outcomes
from policyc.explanation.places import Places
from policyc.explanation.placing import Placement
from policyc.netfilter.predicate import Bits, In, nodes
from policyc.netfilter.ruleset import Ruleset
from policyc.simulation.choices import Choice
from policyc.simulation.journey import Visit
from policyc.simulation.packet import Packet

_MOST_READ = 2000
"""Rules whose fields are looked into for what has to be said."""


def explain(
    ruleset: Ruleset, placements: tuple[Placement, ...], question: str, before: tuple[Packet, ...] = ()
) -> Explanation:
    """Return what happens to a packet that stands at one or several possible places; the first is the likeliest.

    `before` are the packets that passed earlier and left their connections behind.
    """
    found = [outcomes(Situation(ruleset, one.host, before), one.packet) for one in placements]
    first = found[0].first
    alternatives = _alternatives(first, found, placements)
    assumed = [*placements[0].assumptions, *that_matter(placements[0], first), *first.noted, *_chosen(found[0])]
    return Explanation(
        question,
        ruleset,
        first,
        tuple(dict.fromkeys(assumed)),
        alternatives,
        near_misses(first),
        all(one.complete for one in found),
        Places(ruleset),
    )


def _alternatives(
    first: Way, found: list[Outcomes], placements: tuple[Placement, ...]
) -> tuple[Alternative, ...]:  # fmt: skip
    alternatives: dict[tuple[object, ...], Alternative] = {}
    for one, placement in zip(found, placements, strict=True):
        elsewhere = tuple(text for text in placement.assumptions if text not in placements[0].assumptions)
        for way in (one.first, *one.others):
            if way.outcome == first.outcome:
                continue
            chosen = differing(one.first, way)
            why = (*elsewhere, *map(choice_text, chosen))
            counted = not elsewhere and all(choice.counted for choice in chosen)
            alternatives.setdefault(way.outcome, Alternative(way, why, counted))
    return tuple(alternatives.values())


def that_matter(placement: Placement, way: Way) -> Iterator[str]:
    """Yield the assumptions that a rule on the way, or the way itself, makes matter."""
    family = way.sent.family
    visits = [event for event in way.journey.events if isinstance(event, Visit)]
    rules = {id(look.rule): look.rule for visit in visits for look in visit.looks if look.rule is not None}
    tested = {
        node.field
        for rule in islice(rules.values(), _MOST_READ) for node in nodes(rule.predicate(family)) if isinstance(node, In | Bits)
    }  # fmt: skip
    yield from (text for field, text in placement.if_tested if field in tested)
    reached = {way.packet.src, way.packet.dst, *(visit.before.dst for visit in visits)}
    yield from (text for address, text in placement.if_translated if address in reached)


def _chosen(found: Outcomes) -> list[str]:
    """Return, in words, the choices of the first way that another outcome hangs on."""
    other_values = {
        choice.text for way in found.others for choice in way.choices if (choice.text, choice.value) not in _pairs(found.first)
    }  # fmt: skip
    return [choice_text(choice) for choice in found.first.choices if choice.text in other_values or not found.complete]


def _pairs(way: Way) -> set[tuple[str, bool]]:
    return {(choice.text, choice.value) for choice in way.choices}


def choice_text(choice: Choice) -> str:
    """Return a choice as a sentence."""
    text = f"`{choice.text}`" if choice.text.startswith(("-", "!")) else choice.text
    said = f"{text} holds" if text != choice.text else text
    if not choice.value:
        said = f"{text} does not hold" if text != choice.text else f"it is not so that {text}"
    return f"{said} (nothing has been counted yet)" if choice.counted and choice.is_default else said
