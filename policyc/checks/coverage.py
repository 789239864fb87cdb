"""Which rules the tests of a policy exercise: a rule is exercised when a tested packet matches it. Part of `checks`.

Counted are the kernel rules that the policy's own lines made: neither the jumps between chains nor the rules of presets, which
are tested with policyc.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from policyc.checks.packet_tests import PacketResult
from policyc.diagnostics.diagnostic import location
from policyc.frozen import frozen
from policyc.netfilter.intent import Statement
from policyc.netfilter.ruleset import Ruleset
from policyc.netfilter.statement_ids import id_of, statements_of
from policyc.policy.presets import is_preset


@frozen
class Covered:
    """A statement with its kernel rules and how many of them some test exercises."""

    statement: Statement
    rules: int
    exercised: int


@frozen
class Coverage:
    """All statements that have kernel rules, in written order."""

    statements: tuple[Covered, ...] = ()

    @property
    def exercised(self) -> int:
        """How many statements have a rule that a test exercises."""
        return sum(bool(one.exercised) for one in self.statements)

    @property
    def rules(self) -> int:
        """How many kernel rules there are."""
        return sum(one.rules for one in self.statements)

    @property
    def rules_exercised(self) -> int:
        """How many kernel rules a test exercises."""
        return sum(one.exercised for one in self.statements)

    @property
    def percent(self) -> float:
        """The part of the statements that is exercised, 0 to 100; 100 where there is none."""
        return 100 * self.exercised / len(self.statements) if self.statements else 100.0

    @property
    def unexercised(self) -> tuple[Covered, ...]:
        """The statements that no test exercises."""
        return tuple(one for one in self.statements if not one.exercised)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "statements": {"total": len(self.statements), "exercised": self.exercised},
            "rules": {"total": self.rules, "exercised": self.rules_exercised},
            "unexercised": [
                {
                    "id": one.statement.id, "name": one.statement.name, "location": location(one.statement.span),
                    "rules": one.rules,
                }
                for one in self.unexercised
            ],
        }  # fmt: skip


def coverage(ruleset: Ruleset, results: Iterable[PacketResult]) -> Coverage:
    """Return what the tests exercise, every course of each packet counted."""
    matched = {
        (result.placement.packet.family, step.table, step.chain, step.rule)
        for result in results
        for course in result.courses
        for step in course.way.trace.steps
    }
    statements = {key: one for key, one in statements_of(ruleset).items() if not is_preset(one.span.source)}
    rules = dict.fromkeys(statements, 0)
    exercised = dict.fromkeys(statements, 0)
    for table, chain, number, rule in ruleset.rules():
        if (identifier := id_of(rule)) in statements:
            rules[identifier] += 1
            exercised[identifier] += (table.family, table.name, chain.name, number) in matched
    listed = sorted(statements.values(), key=lambda one: (one.span.source.name, one.span.start, one.name))
    return Coverage(tuple(Covered(one, rules[one.id], exercised[one.id]) for one in listed if rules[one.id]))
