"""Which rule in the kernel is which rule of a source: the first step of counters on policy lines and of a trace.

A rule that carries an id pairs by it, whatever the kernel made of its text; any other by its text. Equal ones pair in order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from policyc.frozen import frozen
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Ruleset
from policyc.netfilter.statement_ids import id_of

Place = tuple[int, str, str, int]
"""Family, table, chain and number from 1."""
_Key = tuple[int, str, str, str]


@frozen
class Pairs:
    """`of_live`: the source rule of each live rule that has one, by the live place; `of_source`: the same the other way."""

    of_live: dict[Place, tuple[Place, Rule]]
    of_source: dict[Place, tuple[Place, Rule]]


def pairs(source: Ruleset, live: Ruleset) -> Pairs:
    """Return which rules of both rulesets are the same."""
    waiting: dict[_Key, list[tuple[Place, Rule]]] = defaultdict(list)
    for place, rule in placed(live):
        waiting[_key(place, rule)].append((place, rule))
    found = Pairs({}, {})
    turns: dict[_Key, int] = defaultdict(int)
    for place, rule in placed(source):
        key = _key(place, rule)
        turn = turns[key]
        if turn < len(waiting[key]):
            there, other = waiting[key][turn]
            found.of_source[place] = there, other
            found.of_live[there] = place, rule
        turns[key] += 1
    return found


def placed(ruleset: Ruleset) -> Iterator[tuple[Place, Rule]]:
    """Yield every rule with its place."""
    for table, chain, number, rule in ruleset.rules():
        yield (table.family, table.name, chain.name, number), rule


def _key(place: Place, rule: Rule) -> _Key:
    family, table, chain, _ = place
    identifier = id_of(rule)
    # Rules of one statement that differ keep apart by their target: a LOG before its DROP, where one of them is gone.
    target = "" if rule.target is None else rule.target.name
    return family, table, chain, f"{identifier} {target}" if identifier else f" {rule.text}"
