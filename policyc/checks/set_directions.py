"""set-directions: a rule names fewer directions than its set has parts, so that the kernel asks nothing and nothing matches.

The kernel loads such a rule; the set then finds that it is asked for too little (net/netfilter/ipset/ip_set_core.c, measured).
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.host.set_kinds import KINDS


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules with too few `src` and `dst` for a set whose kind is known."""
    kinds = {one.name: one.kind for one in survey.ruleset.sets}
    host = survey.ruleset.host
    if host is not None:
        kinds |= {name: one.kind for name, one in host.sets.items() if name not in kinds}
    for standing, part in survey.uses("set"):
        name, directions = part.options["match-set"]
        kind = KINDS.get(kinds.get(name, ""))
        given = len(directions.split(","))
        if kind is not None and given < kind.dimension:
            yield diagnose(
                "set-directions", f"`{name}` is a {kind.name} and needs {kind.dimension} directions; `{directions}` is too few",
                standing.span, place=standing.place, help="name one of `src` and `dst` for each part of the kind",
            )  # fmt: skip
