"""What differs between two states of the tables, as text: rules and chains that come, go and move, and whose they are.

What a plan shows: two states as the kernel prints them in, without their meaning. `ruleset_changes` does it for Rulesets, with
their sets; `policyc.analysis` answers what a difference means for packets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import Enum

from policyc.frozen import frozen
from policyc.netfilter.alignment import aligned
from policyc.netfilter.goal import is_jump_to
from policyc.netfilter.hooks import BASE_CHAINS, TABLES
from policyc.netfilter.owners import owner_of
from policyc.netfilter.saved import Saved, SavedChain, SavedTable, table_of

OURS = "policyc"


class Kind(Enum):
    """What happens to a line."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    POLICY = "policy"
    """A base chain gets another policy; the line is `OLD -> NEW`."""


@frozen
class SavedChange:
    """A rule, a policy, or with `number` 0 a chain: `number` is where it stands afterwards, where it stood if it is removed.

    `was` is where a rule that moves stood. `owner` is `policyc`, a tool that the chain is named for, or "" where nobody knows.
    """

    kind: Kind
    family: int
    table: str
    chain: str
    number: int
    text: str
    owner: str
    was: int = 0


def saved_changes(before: Saved, after: Saved, ours: Collection[tuple[int, str, str]]) -> list[SavedChange]:
    """Return what differs, table by table in the order of their chains; `ours` are (family, table, chain) that are ours."""
    keys = sorted(
        {*before, *after}, key=lambda key: (key[0], TABLES.index(key[1]) if key[1] in TABLES else len(TABLES))
    )
    return [change for key in keys for change in _of_table(table_of(before, key), table_of(after, key), ours)]


def _of_table(before: SavedTable, after: SavedTable, ours: Collection[tuple[int, str, str]]) -> Iterator[SavedChange]:
    family, table = before.family, before.name
    own = {name for each_family, each_table, name in ours if (each_family, each_table) == (family, table)}
    for name in _chain_names(before, after):
        old, new = before.chain(name), after.chain(name)
        owner = OURS if name in own else owner_of(name)
        if old == new:
            continue
        if old is None or new is None:
            kind = Kind.ADDED if old is None else Kind.REMOVED
            yield SavedChange(kind, family, table, name, 0, "", owner)
        elif old.policy != new.policy:
            yield SavedChange(Kind.POLICY, family, table, name, 0, f"{old.policy} -> {new.policy}", owner)
        for kind, number, was, rule in _of_chain(old or SavedChain(), new or SavedChain()):
            whose = OURS if is_jump_to(rule, own) else owner or _led_to(rule)
            yield SavedChange(kind, family, table, name, number, rule, whose, was)


def _chain_names(before: SavedTable, after: SavedTable) -> list[str]:
    base = BASE_CHAINS.get(before.name, ())
    return [*base, *sorted({*before.chains, *after.chains} - set(base))]


def _led_to(rule: str) -> str:
    """Return the tool whose chain a rule leads to."""
    words = rule.split(" ")
    at = next((number for number, word in enumerate(words) if word in {"-j", "-g"}), -1)
    return owner_of(words[at + 1]) if 0 <= at < len(words) - 1 else ""


def _of_chain(old: SavedChain, new: SavedChain) -> Iterator[tuple[Kind, int, int, str]]:
    """Yield what differs: those removed first, then the others in the new order."""
    how = aligned(old.rules, new.rules)
    yield from ((Kind.REMOVED, place + 1, 0, old.rules[place]) for place in how.gone)
    for place, (rule, origin) in enumerate(zip(new.rules, how.origin, strict=True)):
        if origin is None:
            yield Kind.ADDED, place + 1, 0, rule
        elif place in how.moved:
            yield Kind.MOVED, place + 1, origin + 1, rule
