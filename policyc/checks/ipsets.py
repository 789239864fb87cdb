"""undefined-set: a rule asks an ipset that the source does not declare. Loading fails where the set does not exist (measured).

A dump declares no sets; there it is a remark. A policy that declares sets and names another one is more likely misspelt.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, Severity, diagnose
from policyc.netfilter.parts import Match, Part, Target

OPTIONS = ("match-set", "add-set", "del-set", "map-set")


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield, for each set that is not declared, the first rule of a family that refers to it."""
    reported: set[tuple[int, str]] = set()
    for table, chain in survey.chains:
        declared = {item.name for item in survey.ruleset.sets if item.family == table.family}
        missing = {
            key: name
            for key, part in survey.parts(chain).items()
            for name in set_names(part)
            if name not in declared and (table.family, name) not in reported
        }
        for standing, part in survey.having(table, chain, missing) if missing else ():
            name = missing[id(part)]
            if standing.is_foreign or (table.family, name) in reported:
                continue
            reported.add((table.family, name))
            near = get_close_matches(name, sorted(declared), 1)
            yield diagnose(
                "undefined-set", f"the ipset `{name}` must exist before this is loaded",
                standing.span, place=standing.place,
                help=f"did you mean `{near[0]}`?" if near else "create it first, for example with `ipset restore`",
                severity_override=None if declared else Severity.INFO,
            )  # fmt: skip


def set_names(part: Part) -> list[str]:
    """Return the sets that a match or target refers to."""
    if not isinstance(part, Match | Target) or part.name not in {"set", "SET"}:
        return []
    return [str(item.value[0]) for item in part.options.given if item.name in OPTIONS]
