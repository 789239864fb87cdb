"""What the checks look at: a ruleset, and what several of them derive from it, each thing once.

A dump of 100,000 rules has few distinct matches and targets, so a check asks about the distinct parts of a chain first and
looks for the rules that have them only where there is something to say.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from functools import cached_property
from itertools import chain as chain_parts
from typing import TYPE_CHECKING, NamedTuple

from policyc.checks.contexts import contexts, tested_by
from policyc.checks.endings import Endings
from policyc.checks.forms import Forms, Nature
from policyc.diagnostics import Place, Related
from policyc.netfilter.fields import Field
from policyc.netfilter.jumps import Jump, JumpGraph
from policyc.netfilter.owners import owner_of
from policyc.netfilter.parts import Match, Part, Target
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Ruleset, Table
from policyc.source import Span

if TYPE_CHECKING:
    from policyc.checks.published import Port


class Standing(NamedTuple):
    """A rule where it stands; `number` is 1-based in its chain."""

    table: Table
    chain: Chain
    number: int
    rule: Rule

    @property
    def place(self) -> Place:
        """The place as diagnostics have it."""
        return Place(self.table.family, self.table.name, self.chain.name, self.number)

    @property
    def span(self) -> Span | None:
        """The statement that made the rule."""
        return self.rule.span

    @property
    def is_foreign(self) -> bool:
        """Whether another tool wrote the rule, so that it is a cause of findings and never their subject."""
        return bool(self.rule.owner or owner_of(self.chain.name))

    def related(self, message: str) -> Related:
        """Return the rule as the reason of another's finding."""
        return Related(message, self.rule.span, self.place)


def standing_of(table: Table, jump: Jump) -> Standing:
    """Return the rule of a jump where it stands."""
    return Standing(table, table.chain(jump.caller) or Chain(jump.caller), jump.number, jump.rule)


def way(table: Table, jumps: Iterable[Jump]) -> tuple[Related, ...]:
    """Return jumps as the reasons of a finding, in their order."""
    return tuple(standing_of(table, jump).related(f"`{jump.caller}` {jump.verb} `{jump.callee}`") for jump in jumps)


class Survey:
    """A ruleset under examination."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self._graphs: dict[int, JumpGraph] = {}
        self._parts: dict[int, dict[int, Part]] = {}
        self._forms: dict[int, Forms] = {}
        self._natures: dict[int, dict[int, Nature]] = {}
        self._endings: dict[int, Endings] = {}
        self.published: dict[int, tuple[Port, ...]] = {}
        """The published ports of each family, once `policyc.checks.published` has looked for them."""
        self._contexts: dict[int, dict[str, frozenset[Field]]] = {}

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The tables in the order in which iptables-save prints them, IPv4 first."""
        return (*self.ruleset.family(4), *self.ruleset.family(6))

    @property
    def chains(self) -> Iterator[tuple[Table, Chain]]:
        """Every chain with its table."""
        return ((table, chain) for table in self.tables for chain in table.chains)

    def graph(self, table: Table) -> JumpGraph:
        """Return the graph over the table's chains."""
        found = self._graphs.get(id(table))
        if found is None:
            found = self._graphs[id(table)] = JumpGraph.of(table)
        return found

    def parts(self, chain: Chain) -> dict[int, Part]:
        """Return the distinct parts of the chain's rules by their identity, in the order in which they first occur."""
        found = self._parts.get(id(chain))
        if found is None:
            every = list(chain_parts.from_iterable([rule.parts for rule in chain.rules]))
            found = self._parts[id(chain)] = dict(zip(map(id, every), every, strict=True))
        return found

    @cached_property
    def _users(self) -> dict[str, list[tuple[Table, Chain, dict[int, Match | Target]]]]:
        found: dict[str, list[tuple[Table, Chain, dict[int, Match | Target]]]] = {}
        for table, chain in self.chains:
            own: dict[str, dict[int, Match | Target]] = {}
            for key, part in self.parts(chain).items():
                if isinstance(part, Match) or (isinstance(part, Target) and not part.chain):
                    own.setdefault(part.name, {})[key] = part
            for name, keys in own.items():
                found.setdefault(name, []).append((table, chain, keys))
        return found

    def uses(
        self, name: str, *, foreign: bool = False, only: Callable[[Match | Target], bool] | None = None
    ) -> Iterator[tuple[Standing, Match | Target]]:
        """Yield the rules that a hook reaches with a match, verdict or target of that name, those of other tools if asked.

        `only` chooses among the distinct parts, which are fewer than the rules.
        """
        for table, chain, found in self._users.get(name, ()):
            keys = {key for key, part in found.items() if only is None or only(part)}
            if keys and self.graph(table).hooks[chain.name]:
                for standing, part in self.having(table, chain, keys):
                    if (foreign or not standing.is_foreign) and isinstance(part, Match | Target):
                        yield standing, part

    def tested(self, standing: Standing) -> frozenset[Field]:
        """Return the fields that a packet was tested for when it matches a rule, by the rule and on every way to its chain."""
        table, forms = standing.table, self.forms(standing.table.family)
        known = self._contexts.get(id(table))
        if known is None:
            known = self._contexts[id(table)] = contexts(table, self.graph(table), forms)
        return known[standing.chain.name] | tested_by(standing.rule, forms)

    def forms(self, family: int) -> Forms:
        """Return the forms of the parts of a family."""
        found = self._forms.get(family)
        if found is None:
            found = self._forms[family] = Forms(family, self.ruleset.sets)
        return found

    def natures(self, table: Table, chain: Chain) -> dict[int, Nature]:
        """Return what is known of the chain's distinct parts, by identity, without those that are exact."""
        found = self._natures.get(id(chain))
        if found is None:
            of = self.forms(table.family).nature
            found = self._natures[id(chain)] = {key: n for key, part in self.parts(chain).items() if (n := of(part))}
        return found

    def having(self, table: Table, chain: Chain, parts: Container[int]) -> Iterator[tuple[Standing, Part]]:
        """Yield the rules that have one of these parts (by identity), with the first such part of each."""
        for number, rule in enumerate(chain.rules, 1):
            for part in rule.parts:
                if id(part) in parts:
                    yield Standing(table, chain, number, rule), part
                    break

    def endings(self, table: Table) -> Endings:
        """Return where the table's chains end for every packet."""
        found = self._endings.get(id(table))
        if found is None:
            found = self._endings[id(table)] = Endings.of(table, self.graph(table))
        return found
