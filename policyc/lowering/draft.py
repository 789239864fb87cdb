"""The ruleset while it is being made: chains that fill up, what each base chain enters, what was found wrong.

Passes write into the draft; `tables` reads it out at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from policyc.diagnostics import Diagnostic, diagnose
from policyc.lowering.pieces import Parts, Pieces
from policyc.netfilter.chain_names import chain_name, entry_name
from policyc.netfilter.hooks import Hook
from policyc.netfilter.intent import Statement, Sysctl
from policyc.netfilter.ipset import IpSet
from policyc.netfilter.rule import Rule
from policyc.policy.defined import Set
from policyc.policy.model import Policy, comment
from policyc.source import Span


@dataclass(slots=True)
class ChainDraft:
    """A chain that fills up; `stem` is what its name is made of, `owner` whose it is where it is not ours.

    `policy` is the base policy that an engine sets, None where nobody says it.
    """

    name: str
    span: Span
    stem: tuple[str, ...] = ()
    rules: list[Rule] = field(default_factory=list)
    owner: str = ""
    policy: str | None = None


@dataclass(slots=True)
class TableDraft:
    """The chains of one table: those that a hook enters, and the others by name in the order of their making.

    `base` are the chains of others: those in which our jumps stand, and what engines install.
    """

    family: int
    name: str
    base: dict[str, ChainDraft] = field(default_factory=dict)
    entries: dict[Hook, ChainDraft] = field(default_factory=dict)
    chains: dict[str, ChainDraft] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """What the passes share. `ids`: whether rules carry the comments that lead back to the policy."""

    policy: Policy
    ids: bool = True
    pieces: dict[int, Pieces] = field(init=False)
    tables: dict[tuple[int, str], TableDraft] = field(default_factory=dict)
    statements: dict[str, Statement] = field(default_factory=dict)
    sysctls: dict[str, Sysctl] = field(default_factory=dict)
    sets: dict[tuple[str, int], IpSet] = field(default_factory=dict)
    limit_uses: Counter[str] = field(default_factory=Counter)
    """How many lines and chains ask a limit, by its name."""
    diverted: set[tuple[int, Parts]] = field(default_factory=set)
    """Families and protocols whose packets go to a transparent socket where they have one."""
    borrowed: dict[Set, dict[int, Span]] = field(default_factory=dict)
    """Sets of other tools, with the first statement of each family that asks them."""
    found: dict[tuple[str, str, Span], Diagnostic] = field(default_factory=dict)
    _notes: dict[tuple[str, int], Parts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pieces = {family: Pieces(family) for family in self.policy.families}

    def table(self, family: int, name: str) -> TableDraft:
        """Return the table, which comes into being when it is first asked for."""
        found = self.tables.get((family, name))
        if found is None:
            found = self.tables[family, name] = TableDraft(family, name)
        return found

    def entry(self, family: int, table: str, hook: Hook) -> ChainDraft:
        """Return the chain that the hook enters first: the base chain, or with shared ownership our own one under it."""
        entries = self.table(family, table).entries
        found = entries.get(hook)
        if found is None:
            name = hook.value if self.policy.exclusive else entry_name(self.policy.name, hook)
            found = entries[hook] = ChainDraft(name, self.policy.span)
        return found

    def chain(self, family: int, table: str, span: Span, *stem: str) -> ChainDraft:
        """Return a new chain called after these words, with a number behind where that name is taken."""
        chains = self.table(family, table).chains
        taken = {entry_name(self.policy.name, hook) for hook in Hook}
        name = chain_name(self.policy.name, *stem)
        for number in count(2):
            if name not in chains and name not in taken:
                break
            name = chain_name(self.policy.name, *stem, str(number))
        found = chains[name] = ChainDraft(name, span, stem)
        return found

    def note(self, identifier: str, name: str, family: int) -> Parts:
        """Return the comment of a line's kernel rules, nothing where there are to be none."""
        if not self.ids:
            return ()
        key = (identifier, family)
        found = self._notes.get(key)
        if found is None:
            found = self._notes[key] = self.pieces[family].comment(comment(identifier, name))
        return found

    def report(self, code: str, message: str, span: Span, **more: Any) -> None:
        """Add a finding; the same one of another pair or family is not repeated. `more` are fields of `Diagnostic`."""
        self.found.setdefault((code, message, span), diagnose(code, message, span, **more))

    @property
    def diagnostics(self) -> Sequence[Diagnostic]:
        """What was found, by place."""
        return sorted(self.found.values(), key=lambda found: found.sort_key)
