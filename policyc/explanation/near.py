"""Near misses: the rules that fail on one test alone, and what the packet's fate would be if that test held.

Part of `explanation`. That a change would help is not guessed: the packet walks again through the ruleset with the test left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from policyc.explanation.outcomes import Way
from policyc.frozen import frozen
from policyc.netfilter.hooks import Hook
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Table
from policyc.simulation.journey import Look, Visit
from policyc.simulation.misses import Miss, Misses

MOST_TRIED = 12
"""Near misses that walk again."""
_CONSIDERED = frozenset(("filter", "nat", "mangle", "raw", "security"))


@frozen
class NearMiss:
    """A rule that one test keeps from matching. `instead` is the way with that test left out, None where it changes nothing."""

    hook: Hook
    table: str
    look: Look
    miss: Miss
    instead: Way | None


def near_misses(way: Way) -> tuple[NearMiss, ...]:
    """Return the rules on the packet's way that fail on exactly one test.

    Those come first that would change its fate; of them, those of which most other tests hold.
    """
    found = [
        NearMiss(visit.hook, visit.table, look, miss, _instead(way, visit, look, miss))
        for visit, look, miss in _failing_once(way, MOST_TRIED)
    ]
    return tuple(sorted(found, key=_distance))


def _distance(near: NearMiss) -> tuple[bool, int]:
    assert near.look.rule is not None
    return near.instead is None, -len(near.look.rule.parts)


def _failing_once(way: Way, most: int) -> Iterator[tuple[Visit, Look, Miss]]:
    """Yield the near misses of the tables that were visited, the last table first: that is where the fate was decided."""
    misses = Misses(way.state)
    left = most
    for event in reversed(way.journey.events):
        if not isinstance(event, Visit) or event.table not in _CONSIDERED:
            continue
        for look in event.looks:
            if look.rule is None or look.matched:
                continue
            failing = misses.of(look.rule, look.packet)
            if len(failing) == 1 and failing[0].field not in _NEVER_CHANGED and failing[0].part not in _OVER_LO:
                yield event, look, failing[0]
                left -= 1
                if not left:
                    return


_NEVER_CHANGED = frozenset(("proto", "ct.state"))
"""Nobody asks for another protocol or state when a packet is dropped; such rules are not near."""
_OVER_LO = frozenset(("-i lo", "-o lo"))
"""Only what a host sends to itself is there; nobody can send another packet so."""


def _instead(way: Way, visit: Visit, look: Look, miss: Miss) -> Way | None:
    assert look.rule is not None
    assert isinstance(look.number, int)
    ruleset = way.situation.ruleset
    table = ruleset.table(way.sent.family, visit.table)
    assert table is not None
    forced = {place: choice.value for place, choice in enumerate(way.choices)}
    changed = _without_test(table, look.chain, look.number, miss.part)
    others = tuple(changed if one is table else one for one in ruleset.tables)
    situation = replace(way.situation, ruleset=replace(ruleset, tables=others))
    other = situation.walk(way.sent, forced)
    return other if other.delivered is not way.delivered else None


def _without_test(table: Table, chain_name: str, number: int, part: str) -> Table:
    chains = []
    for chain in table.chains:
        if chain.name != chain_name:
            chains.append(chain)
            continue
        old = chain.rules[number - 1]
        left = tuple(one for one in old.parts if one.text != part)
        new = Rule(left, old.span, old.counters, old.owner)
        chains.append(replace(chain, rules=(*chain.rules[: number - 1], new, *chain.rules[number:])))
    return Table(table.family, table.name, tuple(chains), table.span)
