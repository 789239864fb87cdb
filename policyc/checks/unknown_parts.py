"""opaque-match: what policyc keeps as it is and cannot look into, so that other findings are weaker there."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.forms import Nature
from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, Severity, diagnose
from policyc.netfilter.parts import Match, Unknown


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield a warning for each rule with an unknown match or target, a remark where only the condition is opaque."""
    for table, chain in survey.chains:
        found = {key for key, nature in survey.natures(table, chain).items() if nature is Nature.OPAQUE}
        for standing, part in survey.having(table, chain, found) if found else ():
            if isinstance(part, Unknown):
                kind = "target" if part.is_target else "match"
                yield diagnose(
                    "opaque-match", f"the {kind} `{part.name}` is not known; it is kept as it is and not analysed",
                    standing.span, place=standing.place,
                    help="`check --kernel` asks the kernel of this machine about it",
                )  # fmt: skip
            elif isinstance(part, Match):
                yield diagnose(
                    "opaque-match", f"nobody can say which packets `-m {part.name}` means, so the rule is analysed for both",
                    standing.span, place=standing.place, severity_override=Severity.INFO,
                )  # fmt: skip
