"""jump-loop, too-deep: chains that call each other in a circle, or one below the other deeper than a backend takes.

Both backends refuse a loop that a base chain reaches; one that nothing reaches loads and waits (measured). The nft backend
refuses more than 15 user chains below each other, the legacy backend does not.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Survey, standing_of, way
from policyc.diagnostics import Diagnostic, Severity, diagnose
from policyc.netfilter.jumps import MAX_JUMPS


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield one finding for each knot of chains, at the jump that closes the way round."""
    for table in survey.tables:
        graph = survey.graph(table)
        for circle in graph.loops():
            names = [jump.caller for jump in circle]
            last = standing_of(table, circle[-1])
            reached = bool(graph.hooks[names[0]])
            again = f"`{names[0]}` jumps to itself" if len(names) == 1 else f"{_round(names)} jump in a circle"
            yield diagnose(
                "jump-loop", again if reached else f"{again}; it loads only because nothing jumps there",
                last.span, place=last.place,
                related=way(table, circle[:-1]),
                help="a chain comes back to its caller by itself, or by RETURN",
                severity_override=None if reached else Severity.WARNING,
            )  # fmt: skip


def check_depth(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the jumps that are one too deep for the nft backend."""
    for table in survey.tables:
        graph = survey.graph(table)
        depths = graph.depths()
        for name, depth in depths.items():
            if depth == MAX_JUMPS + 1:
                down = graph.way_down(name)
                last = standing_of(table, down[-1])
                yield diagnose(
                    "too-deep", f"`{name}` is {depth} jumps below {down[0].caller}; iptables-nft takes {MAX_JUMPS}",
                    last.span, place=last.place,
                    related=way(table, down[:-1]),
                    help="put the rules of some chains into their callers; iptables-legacy has no such limit",
                )  # fmt: skip


def _round(names: list[str]) -> str:
    shown = names if len(names) <= 6 else [*names[:5], names[-1]]
    way = [f"`{name}`" for name in [*shown, names[0]]]
    if len(shown) < len(names):
        way.insert(5, "…")
    return " → ".join(way)
