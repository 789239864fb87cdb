"""undefined-chain: a rule jumps to a name that is no chain of its table, or to a built-in chain. Both backends refuse both."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from policyc.checks.survey import Standing, Survey, standing_of
from policyc.diagnostics import Diagnostic, Severity, diagnose
from policyc.netfilter.hooks import is_base_chain
from policyc.netfilter.jumps import Jump
from policyc.netfilter.parts import VERDICTS
from policyc.netfilter.ruleset import Table


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the jumps to nowhere; in a ruleset that shares its tables a name may be another tool's chain."""
    for table in survey.tables:
        for jump in survey.graph(table).undefined:
            standing = standing_of(table, jump)
            if not standing.is_foreign:
                yield _finding(survey, standing, jump)


def _finding(survey: Survey, standing: Standing, jump: Jump) -> Diagnostic:
    table = standing.table
    if is_base_chain(table.name, jump.callee):
        return diagnose(
            "undefined-chain", f"`{jump.callee}` is a built-in chain; only the kernel enters it",
            standing.span, place=standing.place, help="put the rules into a chain of their own and jump there",
        )  # fmt: skip
    if survey.ruleset.shared:
        return diagnose(
            "undefined-chain", f"the chain `{jump.callee}` of the table {table.name} must exist before this is loaded",
            standing.span, place=standing.place, severity_override=Severity.INFO,
        )  # fmt: skip
    return diagnose(
        "undefined-chain", f"`{jump.callee}` is neither a chain of the table {table.name} nor a target that policyc knows",
        standing.span, place=standing.place, help=_help(survey, table, jump.callee),
    )  # fmt: skip


def _help(survey: Survey, table: Table, name: str) -> str:
    known = [chain.name for chain in table.user_chains]
    near = get_close_matches(name, [*known, *VERDICTS], 1) or [v for v in VERDICTS if v == name.upper()]
    if near:
        return f"did you mean `{near[0]}`?"
    elsewhere = [
        other.name
        for other in survey.ruleset.family(table.family)
        if other is not table and other.chain(name) is not None
    ]
    if elsewhere:
        return f"the table {elsewhere[0]} has a chain of that name, but a jump stays within its table"
    return f"declare it with `:{name} - [0:0]`"
