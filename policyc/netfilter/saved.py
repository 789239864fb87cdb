"""Tables as iptables-save prints them, line by line and without their meaning: what is compared, kept and put back.

Between the reader of such texts and the writer of what leads from one to another. Rules are the words behind `-A CHAIN`;
counters are no part of the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from policyc.frozen import frozen
from policyc.netfilter.hooks import BASE_CHAINS

ACCEPT = "ACCEPT"

Key = tuple[int, str]
"""The family and the name of a table."""


@frozen
class SavedChain:
    """A chain: `policy` is "" for a user chain."""

    policy: str = ""
    rules: tuple[str, ...] = ()


@frozen
class SavedTable:
    """A table of one family. A base chain that is not there is the same as an empty one that accepts."""

    family: int
    name: str
    chains: Mapping[str, SavedChain] = field(default_factory=dict)

    def chain(self, name: str) -> SavedChain | None:
        """Return a chain, an empty one for a base chain that nobody made, None for a user chain that is not there."""
        if name in BASE_CHAINS.get(self.name, ()):
            return self.chains.get(name, SavedChain(ACCEPT))
        return self.chains.get(name)

    def does_nothing(self) -> bool:
        """Whether the table holds no rule, no user chain and no policy but ACCEPT: it might as well not be there."""
        return all(chain == SavedChain(ACCEPT) for chain in self.chains.values())

    def same_as(self, other: SavedTable) -> bool:
        """Whether both hold the same chains with the same rules in the same order, counters aside."""
        names = {*self.chains, *other.chains}
        return all(self.chain(name) == other.chain(name) for name in names)


Saved = Mapping[Key, SavedTable]
"""The tables of both families."""


def table_of(saved: Saved, key: Key) -> SavedTable:
    """Return a table, an empty one where it is not there."""
    return saved.get(key) or SavedTable(*key)
