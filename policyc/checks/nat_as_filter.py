"""nat-does-not-block: rules of nat that end its chain for some senders and exempt them from nothing.

RETURN and ACCEPT in nat say only that the packet keeps its addresses; it goes on to the table filter (measured).
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.fates import goes_elsewhere
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.netfilter.hooks import is_base_chain
from policyc.netfilter.rule import Rule


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules behind which no rule of the chain translates anything."""
    for verdict in ("RETURN", "ACCEPT"):
        for standing, _ in survey.uses(verdict):
            if standing.table.name == "nat" and is_base_chain("nat", standing.chain.name) and not _exempts(standing):
                yield diagnose(
                    "nat-does-not-block", f"{verdict} in nat blocks nothing, and no rule behind it would translate",
                    standing.span, place=standing.place, help="drop packets in the table filter, or in raw",
                )  # fmt: skip


def _exempts(standing: Standing) -> bool:
    """Whether a later rule would have translated; a rule that tests nothing ends the chain and stands for its policy."""
    behind = standing.chain.rules[standing.number :]
    return standing.rule.is_unconditional or any(_may_translate(rule) for rule in behind)


def _may_translate(rule: Rule) -> bool:
    target = rule.target
    return goes_elsewhere(rule) or (target is not None and target.extension is not None)
