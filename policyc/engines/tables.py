"""The tables of both families while an engine programs them, command by command, as it does with the real ones.

Rules are given in iptables' own words and kept in canonical form, so that "is it there already?" means what `iptables -C`
means. What the engine installs is marked as its own; what a scenario's own commands install is not.
A rule that iptables would refuse, because a name in the scenario is none, is an InputError.
"""

from __future__ import annotations

from policyc.diagnostics import InputError, diagnose
from policyc.netfilter.hooks import BASE_CHAINS
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Ruleset, Table
from policyc.readers.command import apply_command, parse_command
from policyc.readers.draft import TableDraft
from policyc.readers.fragments import Fragments
from policyc.source import Source


class Tables:
    """`owner` is the engine's name. A table comes into being, with all its built-in chains, when it is first named.

    `before` is what the host has already.
    """

    __slots__ = ("_drafts", "_fragments", "owner")

    def __init__(self, owner: str, before: Ruleset | None = None) -> None:
        self.owner = owner
        known = () if before is None else before.tables
        self._drafts = {(table.family, table.name): TableDraft.of(table) for table in known}
        self._fragments = {family: Fragments(family) for family in (4, 6)}

    def touch(self, family: int, table: str) -> TableDraft:
        """Return a table, made if it is not there."""
        found = self._drafts.get((family, table))
        if found is None:
            found = self._drafts[family, table] = TableDraft(family, table)
            for chain in BASE_CHAINS[table]:
                found.declare(chain, "ACCEPT", None, None)
        return found

    def has_table(self, family: int, table: str) -> bool:
        """Whether a table was named before."""
        return (family, table) in self._drafts

    def new_chain(self, family: int, table: str, chain: str) -> None:
        """Make a chain; one that is there stays as it is."""
        if not self.has_chain(family, table, chain):
            self.touch(family, table).new(chain, None)

    def has_chain(self, family: int, table: str, chain: str) -> bool:
        """Whether a chain exists."""
        return chain in self.touch(family, table).chains

    def remove_chain(self, family: int, table: str, chain: str) -> None:
        """Empty a chain and delete it, if it is there and nothing jumps to it."""
        draft = self.touch(family, table)
        if chain in draft.chains:
            draft.flush(chain)
            if not any(rule.target and rule.target.chain == chain for c in draft.chains.values() for rule in c.rules):
                draft.delete_chain(chain)

    def set_policy(self, family: int, table: str, chain: str, policy: str) -> None:
        """Set the policy of a built-in chain, ACCEPT or DROP."""
        self.touch(family, table).set_policy(chain, policy)

    def policy(self, family: int, table: str, chain: str) -> str:
        """Return the policy of a built-in chain."""
        return self.touch(family, table).chain(chain).policy or "ACCEPT"

    def flush(self, family: int, table: str, chain: str) -> None:
        """Empty a chain, if it is there."""
        if self.has_chain(family, table, chain):
            self.touch(family, table).flush(chain)

    def rules(self, family: int, table: str, chain: str) -> list[str]:
        """Return the rules of a chain as iptables-save prints them, without `-A CHAIN`; none where there is no such chain."""
        found = self.touch(family, table).chains.get(chain)
        return [rule.text for rule in found.rules] if found else []

    def has(self, family: int, table: str, chain: str, rule: str) -> bool:
        """Whether a chain has a rule (`-C`)."""
        return self._rule(family, rule).text in self.rules(family, table, chain)

    def append(self, family: int, table: str, chain: str, rule: str) -> None:
        """Put a rule at the end of a chain (`-A`)."""
        self.touch(family, table).append(chain, [self._rule(family, rule)])

    def insert(self, family: int, table: str, chain: str, rule: str, number: int = 1) -> None:
        """Put a rule before the 1-based rule of a chain (`-I`)."""
        self.touch(family, table).insert(chain, number, [self._rule(family, rule)])

    def put_once(self, family: int, table: str, chain: str, rule: str, number: int | None = None) -> None:
        """Put a rule at the end of a chain, or before its 1-based rule, if the chain does not have it (`-C`)."""
        if self.has(family, table, chain, rule):
            return
        if number is None:
            self.append(family, table, chain, rule)
        else:
            self.insert(family, table, chain, rule, number)

    def delete(self, family: int, table: str, chain: str, rule: str) -> bool:
        """Take the first equal rule out of a chain (`-D`), and return whether there was one."""
        text = self._rule(family, rule).text
        found = self.touch(family, table).chains.get(chain)
        at = next((i for i, each in enumerate(found.rules) if each.text == text), None) if found else None
        if found is not None and at is not None:
            del found.rules[at]
        return at is not None

    def run(self, command: str) -> None:
        """Carry out an `iptables …` or `ip6tables …` command of the scenario. Raises InputError where iptables refuses it."""
        source = Source("scenario", command)
        name, _, _ = command.partition(" ")
        family = 6 if name.rpartition("/")[2].startswith("ip6") else 4
        table = parse_command(command[len(name) :], family).table or "filter"
        self.touch(family, table)
        changed = apply_command(self.ruleset(), source, command).table(family, table)
        assert changed is not None, "a command changes the table that it names"
        self._drafts[family, table] = TableDraft.of(changed)

    def ruleset(self) -> Ruleset:
        """Return the tables as a value; chains of the engine come sorted, as iptables-nft lists them."""
        return Ruleset(tuple(_sorted(draft.finished()) for draft in self._drafts.values()))

    def _rule(self, family: int, text: str) -> Rule:
        reading = self._fragments[family].read(text)
        if reading.problems:
            source = Source(self.owner, text)
            raise InputError(
                [diagnose(p.code, p.message, source.span(p.start, p.end), help=p.help) for p in reading.problems]
            )
        return Rule(reading.rules[0], owner=self.owner)


def _sorted(table: Table) -> Table:
    base = BASE_CHAINS[table.name]
    rank: dict[str, tuple[int, str]] = {name: (number, "") for number, name in enumerate(base)}
    chains: list[Chain] = sorted(table.chains, key=lambda chain: rank.get(chain.name, (len(base), chain.name)))
    return Table(table.family, table.name, tuple(chains), table.span)
