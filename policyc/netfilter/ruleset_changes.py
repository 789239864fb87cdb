"""What becomes of the rules of a host when other rules take their place: chain by chain, rule by rule, and in the sets.

It compares texts in their order and says nothing about what the change means for packets. Beside the hub: two Rulesets in,
what `preview --diff` shows out. `saved_changes` does it for tables as the kernel prints them, which a plan compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from policyc.frozen import frozen
from policyc.netfilter.alignment import aligned
from policyc.netfilter.hooks import is_base_chain
from policyc.netfilter.owners import owner_of
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Ruleset, Table


class Change(StrEnum):
    """What became of a rule, a chain or a set; chains and sets that are there before and after are changed."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    CHANGED = "changed"


@frozen
class RuleChange:
    """A rule with its 1-based numbers before and after, None where it is not there."""

    change: Change
    text: str
    owner: str
    before: int | None
    after: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "change": self.change.value, "rule": self.text, "owner": self.owner or None, "number_before": self.before,
            "number_after": self.after,
        }  # fmt: skip


@frozen
class ChainChange:
    """A chain that differs; `policy` is the policy before and after where that differs, else None."""

    family: int
    table: str
    chain: str
    owner: str
    change: Change
    policy: tuple[str, str] | None
    rules: tuple[RuleChange, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "family": self.family, "table": self.table, "chain": self.chain, "owner": self.owner or None,
            "change": self.change.value,
            "policy": None if self.policy is None else list(self.policy), "rules": [one.to_dict() for one in self.rules],
        }  # fmt: skip


@frozen
class SetChange:
    """A set that differs: members that come and go."""

    name: str
    kind: str
    change: Change
    added: tuple[str, ...]
    removed: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "set": self.name, "kind": self.kind, "change": self.change.value, "added": list(self.added),
            "removed": list(self.removed),
        }  # fmt: skip


@frozen
class Changes:
    """All that differs between two Rulesets, chains in the order of their tables."""

    chains: tuple[ChainChange, ...]
    sets: tuple[SetChange, ...]

    def __bool__(self) -> bool:
        return bool(self.chains or self.sets)

    def count(self, change: Change) -> int:
        """Return how many rules were added, removed or moved."""
        return sum(one.change is change for chain in self.chains for one in chain.rules)

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {"chains": [one.to_dict() for one in self.chains], "sets": [one.to_dict() for one in self.sets]}


def changes(before: Ruleset, after: Ruleset) -> Changes:
    """Return what differs. A table or base chain that is not there is one without rules that accepts everything."""
    return Changes(tuple(_chains(before, after)), tuple(_sets(before, after)))


def _chains(before: Ruleset, after: Ruleset) -> Iterator[ChainChange]:
    for family in (4, 6):
        names = dict.fromkeys(table.name for one in (before, after) for table in one.family(family))
        for name in names:
            yield from _of_table(family, name, before.table(family, name), after.table(family, name))


def _of_table(family: int, name: str, before: Table | None, after: Table | None) -> Iterator[ChainChange]:
    tables = [one for one in (before, after) if one is not None]
    for chain in dict.fromkeys(each.name for one in tables for each in one.chains):
        was = None if before is None else before.chain(chain)
        now = None if after is None else after.chain(chain)
        found = _of_chain(family, name, chain, was, now)
        if found is not None:
            yield found


def _of_chain(family: int, table: str, name: str, was: Chain | None, now: Chain | None) -> ChainChange | None:
    rules = tuple(_rules(was.rules if was else (), now.rules if now else (), owner_of(name)))
    policy, change = None, Change.CHANGED
    if is_base_chain(table, name):
        policies = tuple("ACCEPT" if one is None else one.policy or "ACCEPT" for one in (was, now))
        policy = (policies[0], policies[1]) if policies[0] != policies[1] else None
    elif was is None or now is None:
        change = Change.ADDED if was is None else Change.REMOVED
    if not rules and policy is None and change is Change.CHANGED:
        return None
    owner = owner_of(name) or next((one.owner for one in (now, was) if one is not None), "")
    return ChainChange(family, table, name, owner, change, policy, rules)


def _rules(was: tuple[Rule, ...], now: tuple[Rule, ...], owner: str) -> Iterator[RuleChange]:
    """Yield the rules that differ, in the order in which they stand afterwards; those that go, where they stood."""
    texts = [rule.text for rule in was], [rule.text for rule in now]
    if texts[0] == texts[1]:
        return
    found: list[tuple[float, RuleChange]] = []
    how = aligned(*texts)
    for at, origin in enumerate(how.origin):
        if origin is None:
            found.append((at, RuleChange(Change.ADDED, texts[1][at], now[at].owner or owner, None, at + 1)))
        elif at in how.moved:
            found.append((at, RuleChange(Change.MOVED, texts[1][at], now[at].owner or owner, origin + 1, at + 1)))
    found += [
        (at - 0.5, RuleChange(Change.REMOVED, texts[0][at], was[at].owner or owner, at + 1, None)) for at in how.gone
    ]
    yield from (one for _, one in sorted(found, key=lambda pair: pair[0]))


def _sets(before: Ruleset, after: Ruleset) -> Iterator[SetChange]:
    was, now = ({one.name: one for one in ruleset.sets} for ruleset in (before, after))
    for name in dict.fromkeys((*was, *now)):
        old, new = was.get(name), now.get(name)
        members = [dict.fromkeys(one.members) if one else {} for one in (old, new)]
        added = tuple(each for each in members[1] if each not in members[0])
        removed = tuple(each for each in members[0] if each not in members[1])
        change = Change.ADDED if old is None else Change.REMOVED if new is None else Change.CHANGED
        one = new or old
        if one is not None and (added or removed or change is not Change.CHANGED):
            yield SetChange(name, one.kind, change, added, removed)
