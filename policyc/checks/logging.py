"""unlimited-log, prefix-runs-on: log lines that anybody can have written without end, or that cannot be read again."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.contexts import OTHER
from policyc.checks.groups import by_chain
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, Severity, diagnose
from policyc.netfilter import fields
from policyc.netfilter.hooks import Hook

ENTERED_FROM_OUTSIDE = frozenset((Hook.PREROUTING, Hook.INPUT, Hook.FORWARD))


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield, for each chain, the first rule that logs without a limit, and each prefix that runs into what follows it."""
    unlimited: list[Standing] = []
    for standing, part in survey.uses("LOG"):
        prefix = part.options.get("log-prefix", "")
        if prefix and prefix[-1].isalnum():
            yield _runs_on(standing, Severity.WARNING)
        elif prefix and not prefix[-1].isspace():
            yield _runs_on(standing, None)
        hooks = survey.graph(standing.table).hooks[standing.chain.name]
        if not hooks.isdisjoint(ENTERED_FROM_OUTSIDE) and survey.tested(standing).isdisjoint({OTHER, fields.TCP_FLAGS}):
            unlimited.append(standing)
    for first, more in by_chain(unlimited):
        yield diagnose(
            "unlimited-log", f"the rule writes a line for every packet that somebody sends{more}",
            first.span, place=first.place,
            help="add `-m limit --limit 5/min`; in a policy, `limit 5/minute` behind the log's text",
        )  # fmt: skip


def _runs_on(standing: Standing, severity: Severity | None) -> Diagnostic:
    return diagnose(
        "prefix-runs-on", "the log prefix has no space at its end, so that it runs into `IN=`", standing.span,
        place=standing.place, severity_override=severity, help="end the prefix with a space",
    )  # fmt: skip
