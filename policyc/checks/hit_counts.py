"""high-hit-count: `-m recent --hitcount` over 255, which only newer kernels load and which takes much memory where it does.

Until Linux 6.10 the kernel keeps 255 times of each address and refuses more; since then 65,535 (net/netfilter/xt_recent.c,
XT_RECENT_MAX_NSTAMPS). A list keeps the times of each address in an array of the next power of two, 8 bytes each.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.netfilter.parts import Match, Part

MOST_EVERYWHERE = 255


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules that ask for more hits than every kernel counts."""
    for table, chain in survey.chains:
        found = {key for key, part in survey.parts(chain).items() if _hits(part) > MOST_EVERYWHERE}
        for standing, part in survey.having(table, chain, found) if found else ():
            if not standing.is_foreign:
                kilobytes = (1 << _hits(part).bit_length()) * 8 // 1024
                yield diagnose(
                    "high-hit-count", f"kernels before 6.11 refuse a hit count of {_hits(part)}; they count to {MOST_EVERYWHERE}",
                    standing.span, place=standing.place,
                    help=f"newer ones keep about {kilobytes} kB for each address; `hashlimit` counts without a list of times",
                )  # fmt: skip


def _hits(part: Part) -> int:
    if not isinstance(part, Match) or part.name != "recent":
        return 0
    return int(part.options.get("hitcount", 0))
