"""list-never-filled: a rule asks a list of `-m recent` that no rule writes into (net/netfilter/xt_recent.c)."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, diagnose


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules that look into a list which stays empty; `--update` renews what is there and adds nothing."""
    filled = {
        (standing.table.family, part.options["name"])
        for standing, part in survey.uses("recent", foreign=True)
        if "set" in part.options
    }
    for standing, part in survey.uses("recent"):
        name = part.options["name"]
        asks = next((word for word in ("rcheck", "update") if word in part.options), None)
        if asks is not None and not part.options.negated(asks) and (standing.table.family, name) not in filled:
            yield diagnose(
                "list-never-filled", f"no rule puts an address into the list `{name}`, so that `--{asks}` never matches",
                standing.span, place=standing.place, help=f"add a rule with `-m recent --name {name} --set`",
            )  # fmt: skip
