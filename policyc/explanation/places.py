"""Where a rule or policy of a chain comes from: its kernel place, its source line, its statement. Part of `explanation`."""

from __future__ import annotations

from typing import Any

from policyc.diagnostics.diagnostic import location
from policyc.frozen import frozen
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Ruleset
from policyc.netfilter.statement_ids import id_of, statements_of, text_of
from policyc.source import Span


@frozen
class RulePlace:
    """A rule (`number` from 1) or a base chain's policy (`number` "policy") with its text, source place and statement name.

    `owner` names the tool that a foreign rule belongs to, "" else.
    """

    family: int
    table: str
    chain: str
    number: int | str
    text: str
    span: Span | None
    statement: str
    owner: str = ""

    @property
    def name(self) -> str:
        """The place as people write it: `filter/INPUT #3`, `filter/FORWARD policy`."""
        number = self.number if self.number == "policy" else f"#{self.number}"
        return f"{self.table}/{self.chain} {number}"

    @property
    def line(self) -> str:
        """File and line, "" where there is no source."""
        return "" if self.span is None else f"{self.span.source.name}:{self.span.line}"

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "family": self.family, "table": self.table, "chain": self.chain, "number": self.number, "text": self.text,
            "location": location(self.span), "statement": self.statement or None, "owner": self.owner or None,
        }  # fmt: skip


class Places:
    """Finds the places of one ruleset's rules."""

    __slots__ = ("_names", "_ruleset")

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._names = {identifier: one.name for identifier, one in statements_of(ruleset).items()}

    def of(self, family: int, table: str, chain: str, number: int | str) -> RulePlace:
        """Return the place of a rule, or of the policy of a base chain; raises ValueError where there is no such rule."""
        there = self._ruleset.table(family, table)
        found = None if there is None else there.chain(chain)
        if found is None:
            raise ValueError(f"there is no chain {table}/{chain}")
        if isinstance(number, int):
            return self.of_rule(family, table, chain, number, found.rules[number - 1])
        policy = f"policy {found.policy or 'ACCEPT'}"
        return RulePlace(family, table, chain, "policy", policy, found.span, "", found.owner)

    def of_rule(self, family: int, table: str, chain: str, number: int, rule: Rule) -> RulePlace:
        """Return the place of a rule that is at hand."""
        statement = self._names.get(id_of(rule), "")
        return RulePlace(family, table, chain, number, text_of(rule), rule.span, statement, rule.owner)
