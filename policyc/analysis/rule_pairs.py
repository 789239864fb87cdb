"""Which rules of a table are not the same in two rulesets: only their packets can meet another fate. Part of `policyc.analysis`.

A packet that matches none of them meets the same rules in the same order in both, and so the same end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from policyc.frozen import frozen
from policyc.netfilter.alignment import aligned
from policyc.netfilter.hooks import BASE_CHAINS
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Table

Standing = tuple[str, int, Rule]
"""A chain, a 1-based number in it, and the rule there."""


@frozen
class Unlike:
    """The rules of both sides that stand only there or in another order, and the base chains whose policy differs."""

    a: tuple[Standing, ...]
    b: tuple[Standing, ...]
    policies: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.a or self.b or self.policies)


def unlike(a: Table, b: Table, counts: Callable[[Rule], bool]) -> Unlike:
    """Return what differs between two tables among the rules that count; comments do not."""
    gone: list[Standing] = []
    come: list[Standing] = []
    for name in dict.fromkeys(chain.name for table in (a, b) for chain in table.chains):
        was, now = ([(name, number, rule) for number, rule in enumerate(_rules(table, name), 1) if counts(rule)]
                    for table in (a, b))  # fmt: skip
        found = aligned([_text(rule) for _, _, rule in was], [_text(rule) for _, _, rule in now])
        gone += [was[place] for place in found.gone]
        for place, origin in enumerate(found.origin):
            if origin is None or place in found.moved:
                come.append(now[place])
                gone += [was[origin]] if origin is not None else []
    policies = frozenset(name for name in BASE_CHAINS[a.name] if _policy(a, name) != _policy(b, name))
    return Unlike(tuple(gone), tuple(come), policies)


def _rules(table: Table, name: str) -> Sequence[Rule]:
    return (table.chain(name) or Chain(name)).rules


def _policy(table: Table, name: str) -> str:
    return (table.chain(name) or Chain(name)).policy or "ACCEPT"


def _text(rule: Rule) -> str:
    return " ".join(part.text for part in rule.parts if not part.text.startswith("-m comment "))
