"""client-port-range: a service accepts clients by their source port, which says nothing about them."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.fates import accepts
from policyc.checks.groups import by_chain
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.netfilter import fields
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Match, Target

UNPRIVILEGED = range(1023, 1026)
HIGHEST = 65534
_TO_SERVICES = frozenset((Hook.INPUT, Hook.FORWARD))


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield, for each chain, the first rule of that kind."""
    found: list[Standing] = []
    for name in ("tcp", "udp"):
        for standing, _ in survey.uses(name, only=_is_client_range):
            hooks = survey.graph(standing.table).hooks[standing.chain.name]
            if hooks <= _TO_SERVICES and accepts(standing.rule):
                tested = survey.tested(standing)
                if fields.DPORT in tested and fields.CT_STATE not in tested:
                    found.append(standing)
    for first, more in by_chain(found):
        yield diagnose(
            "client-port-range", f"the rule leaves out clients with other source ports and keeps nobody else away{more}",
            first.span, place=first.place, help="leave out `--sport`",
        )  # fmt: skip


def _is_client_range(part: Match | Target) -> bool:
    low, high = part.options.get("sport", (0, 0))
    return low in UNPRIVILEGED and high >= HIGHEST and not part.options.negated("sport")
