"""rule-after-terminal: rules behind one that tests nothing and decides, or jumps to a chain that decides everything."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield every rule that stands behind the end of its chain."""
    for table in survey.tables:
        for name, index in survey.endings(table).last.items():
            chain = table.chain(name)
            if chain is None or index + 1 == len(chain.rules):
                continue
            last = Standing(table, chain, index + 1, chain.rules[index])
            why = last.related(_why(last))
            for number, rule in enumerate(chain.rules[index + 1 :], index + 2):
                standing = Standing(table, chain, number, rule)
                if not standing.is_foreign:
                    yield diagnose(
                        "rule-after-terminal", "the rule never applies: an earlier rule takes every packet",
                        standing.span, place=standing.place, related=(why,),
                        help="put it above that rule, or delete it",
                    )  # fmt: skip


def _why(last: Standing) -> str:
    target = last.rule.target
    if target is not None and target.chain and not target.goto:
        return f"no packet comes back from `{target.chain}`"
    return "takes every packet that gets here"
