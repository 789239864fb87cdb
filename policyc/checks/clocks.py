"""time-past-midnight: a window of `-m time` that goes past midnight on some days of the week only (net/netfilter/xt_time.c).

Without `--contiguous` the kernel asks for the day and the time of day separately: Friday from 22:00 to 06:00 is the early
morning and the late evening of Friday, not the night to Saturday.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, diagnose

_ON_SOME_DAYS = ("weekdays", "monthdays")


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules whose night is two pieces of one day."""
    for standing, part in survey.uses("time"):
        options = part.options
        if "contiguous" in options or not any(name in options for name in _ON_SOME_DAYS):
            continue
        if options.get("timestop", 86399) < options.get("timestart", 0):
            yield diagnose(
                "time-past-midnight", "the time goes past midnight, and the hours behind it are those of the same day",
                standing.span, place=standing.place, help="add `--contiguous`; times are UTC unless `--kerneltz` is given",
            )  # fmt: skip
