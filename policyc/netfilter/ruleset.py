"""The hub's value: a Ruleset holds the tables of both families, the ipsets, and what is known of host and intent.

Everything becomes a Ruleset, and everything is asked of a Ruleset.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import TYPE_CHECKING

from policyc.diagnostics import Diagnostic
from policyc.diagnostics.suppressions import Suppression
from policyc.frozen import frozen
from policyc.netfilter.hooks import TABLES, is_base_chain
from policyc.netfilter.intent import Intent
from policyc.netfilter.ipset import IpSet
from policyc.netfilter.rule import Counters, Rule
from policyc.source import Span

if TYPE_CHECKING:
    from policyc.host.host import Host


@frozen
class Chain:
    """A chain: `policy` is the base policy of a built-in chain (None for user chains and where nothing was said).

    `owner` names the tool that a foreign chain belongs to, whose other rules are not known here ("docker").
    """

    name: str
    rules: tuple[Rule, ...] = ()
    policy: str | None = None
    counters: Counters | None = None
    span: Span | None = None
    owner: str = ""


@frozen
class Table:
    """A table of one family, its chains in the order in which they are declared."""

    family: int
    name: str
    chains: tuple[Chain, ...] = ()
    span: Span | None = None
    _by_name: dict[str, Chain] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {chain.name: chain for chain in self.chains})

    def chain(self, name: str) -> Chain | None:
        """Return the chain with that name."""
        return self._by_name.get(name)

    @property
    def user_chains(self) -> Iterator[Chain]:
        """The chains that only jumps enter."""
        return (chain for chain in self.chains if not is_base_chain(self.name, chain.name))


@frozen
class Ruleset:
    """Tables of both families, ipsets, intent. `notes` are findings of the reader that did not stop it.

    `suppressions` are comments of the source that accept findings. `shared`: the text must be loaded with `--noflush`:
    only these chains are ours (a policy with ownership shared). `host` is where it runs, None where nobody said.
    """

    tables: tuple[Table, ...] = ()
    sets: tuple[IpSet, ...] = ()
    intent: Intent | None = None
    notes: tuple[Diagnostic, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    shared: bool = False
    host: Host | None = None

    def table(self, family: int, name: str) -> Table | None:
        """Return the table of that family and name."""
        return next((t for t in self.tables if t.family == family and t.name == name), None)

    def family(self, family: int) -> tuple[Table, ...]:
        """Return the tables of a family in the order in which iptables-save prints them."""
        order = {name: index for index, name in enumerate(TABLES)}
        return tuple(sorted((t for t in self.tables if t.family == family), key=lambda t: order.get(t.name, 99)))

    @property
    def families(self) -> tuple[int, ...]:
        """The families that have tables."""
        return tuple(f for f in (4, 6) if any(t.family == f for t in self.tables))

    def rules(self) -> Iterator[tuple[Table, Chain, int, Rule]]:
        """Yield every rule with its table, chain and 1-based number."""
        for family in (4, 6):
            for table in self.family(family):
                for chain in table.chains:
                    for number, rule in enumerate(chain.rules, 1):
                        yield table, chain, number, rule
