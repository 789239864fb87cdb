"""A table while it is being read: chains that commands append to, insert into, flush and delete, as iptables does.

Shared by the two readers of iptables text, `save` (restore files) and `command` (single commands).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from policyc.netfilter.hooks import BASE_CHAINS, MAX_CHAIN_NAME, is_base_chain
from policyc.netfilter.quoting import has_control_character
from policyc.netfilter.rule import Counters, Rule
from policyc.netfilter.ruleset import Chain, Table
from policyc.source import Span


class CommandError(ValueError):
    """A command cannot be carried out on the table; `code` names the diagnostic."""

    def __init__(self, message: str, code: str = "unreadable-line", help: str = "") -> None:  # noqa: A002
        super().__init__(message)
        self.code = code
        self.help = help


@dataclass(slots=True)
class ChainDraft:
    """A chain while it is being read; `span` is its declaration, None for one that only rules have named so far."""

    name: str
    policy: str | None = None
    counters: Counters | None = None
    rules: list[Rule] = field(default_factory=list)
    span: Span | None = None


class TableDraft:
    """A table while it is being read."""

    __slots__ = ("chains", "family", "name", "span")

    def __init__(self, family: int, name: str, span: Span | None = None) -> None:
        self.family = family
        self.name = name
        self.span = span
        self.chains: dict[str, ChainDraft] = {}

    @classmethod
    def of(cls, table: Table) -> TableDraft:
        """Return a draft with the content of a finished table."""
        draft = cls(table.family, table.name, table.span)
        for chain in table.chains:
            draft.chains[chain.name] = ChainDraft(
                chain.name, chain.policy, chain.counters, list(chain.rules), chain.span
            )
        return draft

    def finished(self) -> Table:
        """Return the table as a value."""
        chains = (Chain(c.name, tuple(c.rules), c.policy, c.counters, c.span) for c in self.chains.values())
        return Table(self.family, self.name, tuple(chains), self.span)

    def chain(self, name: str) -> ChainDraft:
        """Return the chain; a built-in one comes into being when it is first named. Raises CommandError."""
        found = self.chains.get(name)
        if found is None:
            if not is_base_chain(self.name, name):
                raise CommandError(self._no_chain(name), "undefined-chain")
            found = self.chains[name] = ChainDraft(name)
        return found

    def _no_chain(self, name: str) -> str:
        if any(name in chains for chains in BASE_CHAINS.values()):
            return f"the table {self.name} has no chain `{name}`"
        return f"the table {self.name} has no chain `{name}` yet"

    def declare(self, name: str, policy: str | None, counters: Counters | None, span: Span | None) -> None:
        """Carry out `:NAME POLICY [p:b]`: the chain exists and is empty. Raises CommandError."""
        check_chain_name(name)
        base = is_base_chain(self.name, name)
        if not base and policy is not None:
            if any(name in chains for chains in BASE_CHAINS.values()):
                raise CommandError(self._no_chain(name), "undefined-chain")
            raise CommandError(f"the chain `{name}` is not built in and has no policy; write `:{name} - [0:0]`")
        if base and policy not in {"ACCEPT", "DROP", None}:
            raise CommandError(f"`{policy}` is no chain policy; it is ACCEPT or DROP")
        if name in self.chains and self.chains[name].span is not None:
            earlier = self.chains[name].span
            raise CommandError(
                f"the chain `{name}` is declared twice" + (f", first in line {earlier.line}" if earlier else ""),
                "duplicate-chain",
            )
        if name in self.chains:
            rules = self.chains[name].rules
            self.chains[name] = ChainDraft(name, policy, counters, rules, span)
        else:
            self.chains[name] = ChainDraft(name, policy, counters, [], span)

    def new(self, name: str, span: Span | None) -> None:
        """Carry out `-N NAME`. Raises CommandError when the chain exists."""
        check_chain_name(name)
        if name in self.chains or is_base_chain(self.name, name):
            raise CommandError(f"the chain `{name}` exists already", "duplicate-chain")
        self.chains[name] = ChainDraft(name, span=span)

    def set_policy(self, name: str, policy: str, counters: Counters | None = None) -> None:
        """Carry out `-P NAME POLICY`. Raises CommandError."""
        if not is_base_chain(self.name, name):
            raise CommandError(f"the chain `{name}` is not built in and has no policy")
        if policy not in {"ACCEPT", "DROP"}:
            raise CommandError(f"`{policy}` is no chain policy; it is ACCEPT or DROP")
        chain = self.chain(name)
        chain.policy, chain.counters = policy, counters

    def append(self, name: str, rules: list[Rule]) -> None:
        """Carry out `-A NAME`. Raises CommandError when there is no such chain."""
        self.chain(name).rules.extend(rules)

    def insert(self, name: str, number: int, rules: list[Rule]) -> None:
        """Carry out `-I NAME NUMBER`: before the 1-based rule. Raises CommandError when the place does not exist.

        Several rules of one command (`-s a,b`) are inserted one after the other at the same place, so they end up reversed
        for number 1, as iptables does.
        """
        chain = self.chain(name)
        for rule in rules:
            if not 1 <= number <= len(chain.rules) + 1:
                raise CommandError(
                    f"`{name}` has {len(chain.rules)} rules, so that nothing can be inserted at {number}"
                )
            chain.rules.insert(number - 1, rule)

    def replace(self, name: str, number: int, rule: Rule) -> None:
        """Carry out `-R NAME NUMBER`. Raises CommandError."""
        self._at(name, number)
        self.chain(name).rules[number - 1] = rule

    def delete_number(self, name: str, number: int) -> None:
        """Carry out `-D NAME NUMBER`. Raises CommandError."""
        self._at(name, number)
        del self.chain(name).rules[number - 1]

    def _at(self, name: str, number: int) -> None:
        if not 1 <= number <= len(self.chain(name).rules):
            raise CommandError(f"`{name}` has no rule {number}")

    def delete_rule(self, name: str, rules: list[Rule]) -> None:
        """Carry out `-D NAME RULE`: the first equal rule goes, whoever made it. Raises CommandError when there is none."""
        chain = self.chain(name)
        for rule in rules:
            at = next((number for number, each in enumerate(chain.rules) if each.text == rule.text), None)
            if at is None:
                raise CommandError(f"`{name}` has no such rule to delete: `{rule.text}`")
            del chain.rules[at]

    def expect_rule(self, name: str, rules: list[Rule]) -> None:
        """Carry out `-C NAME RULE`: nothing changes. Raises CommandError when there is no equal rule."""
        for rule in rules:
            if all(each.text != rule.text for each in self.chain(name).rules):
                raise CommandError(f"`{name}` has no such rule: `{rule.text}`")

    def flush(self, name: str | None) -> None:
        """Carry out `-F [NAME]`. Raises CommandError."""
        for chain in [self.chain(name)] if name else self.chains.values():
            chain.rules.clear()

    def delete_chain(self, name: str | None) -> None:
        """Carry out `-X [NAME]`: only empty chains that nothing jumps to can go. Raises CommandError."""
        names = [name] if name else [n for n in self.chains if not is_base_chain(self.name, n)]
        for each in names:
            if is_base_chain(self.name, each):
                raise CommandError(f"the chain `{each}` is built in and cannot be deleted")
            if self.chain(each).rules:
                raise CommandError(f"the chain `{each}` is not empty and cannot be deleted")
            users = [c.name for c in self.chains.values() for r in c.rules if r.target and r.target.chain == each]
            if users:
                raise CommandError(f"the chain `{each}` is in use by `{users[0]}` and cannot be deleted")
            del self.chains[each]

    def rename(self, old: str, new: str) -> None:
        """Carry out `-E OLD NEW`, for a chain that nothing jumps to by name yet. Raises CommandError."""
        check_chain_name(new)
        if is_base_chain(self.name, old) or new in self.chains:
            raise CommandError(f"the chain `{old}` cannot be renamed to `{new}`")
        draft = self.chain(old)
        if any(r.target and r.target.chain == old for c in self.chains.values() for r in c.rules):
            raise CommandError(f"the chain `{old}` is in use; renaming it is not read here")
        del self.chains[old]
        draft.name = new
        self.chains[new] = draft


def check_chain_name(name: str) -> None:
    """Raise CommandError when iptables would not take the name for a chain (iptables/xshared.c, `parse_chain`)."""
    if len(name.encode(errors="surrogateescape")) > MAX_CHAIN_NAME:
        raise CommandError(f"the chain name `{name}` is longer than {MAX_CHAIN_NAME} characters", "too-long")
    if not name or name[0] in "-!":
        raise CommandError(f"a chain name may not be empty or begin with `-` or `!`: `{name}`")
    if has_control_character(name):
        raise CommandError("a chain name holds a control character", "control-character")
    if any(c.isspace() for c in name):
        raise CommandError(f"a chain name may not hold a blank: `{name}`")
