"""Rules as sets where some of them do not count as accepting: for statements about all packets with exceptions.

Part of `policyc.analysis`. What an excepted rule of table filter accepts is taken as dropped there, so that whatever still
arrives does so by another rule.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from policyc.analysis.rules import ACCEPT, DROP, Ending, FamilyRules, Step
from policyc.netfilter.predicate import Predicate
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Ruleset
from policyc.netfilter.statement_ids import id_of


class RulesWithout(FamilyRules):
    """The rules of a family, those made by statements of `ids` left out of what table filter accepts."""

    __slots__ = ("_excepted",)

    def __init__(
        self,
        ruleset: Ruleset,
        family: int,
        ids: Collection[str],
        *,
        asked: Predicate,
        unlimited: bool = False,
        budget: int | None = None,
    ) -> None:
        super().__init__(ruleset, family, budget=budget, asked=asked, unlimited=unlimited)
        table = ruleset.table(family, "filter") if ids else None
        chains = table.chains if table else ()
        self._excepted = {id(rule) for chain in chains for rule in chain.rules if id_of(rule) in ids}

    def step(self, rule: Rule) -> Step:
        """Return a rule as sets."""
        step = super().step(rule)
        if id(rule) in self._excepted and step.ending is not None and step.ending.kind == ACCEPT:
            return replace(step, ending=Ending(DROP))
        return step
