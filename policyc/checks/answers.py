"""misleading-reject, own-program-waits: answers that mislead a sender, or none where the sender is a program of this host.

What a program sees was measured on Linux 6.18: `icmp-host-prohibited` is "No route to host", a drop in OUTPUT a time-out.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.contexts import OTHER
from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.net.protocols import TCP
from policyc.netfilter import fields
from policyc.netfilter.hooks import Hook

_ABOUT_THE_HOST = frozenset(
    ("icmp-host-unreachable", "icmp-host-prohibited", "icmp-net-unreachable", "icmp6-addr-unreachable")
)
_NOT_CALLED = frozenset((OTHER, fields.CT_STATE, fields.TCP_FLAGS, fields.SPORT))


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules that refuse a TCP port as if its host were unreachable, and those that keep own programs waiting."""
    for standing, part in survey.uses("REJECT"):
        answer = part.options.get("reject-with", "")
        if answer in _ABOUT_THE_HOST and standing.rule.protocol == TCP and fields.DPORT in survey.tested(standing):
            yield diagnose(
                "misleading-reject", f"`{answer}` tells the client that there is no route to the host, not that a port is closed",
                standing.span, place=standing.place, help="`--reject-with tcp-reset` says that the port is closed",
            )  # fmt: skip
    for standing, _ in survey.uses("DROP"):
        rule, table = standing.rule, standing.table
        hooks = survey.graph(table).hooks[standing.chain.name]
        if table.name != "filter" or hooks != {Hook.OUTPUT} or rule.protocol != TCP:
            continue
        tested = survey.tested(standing)
        if fields.DPORT in tested and tested.isdisjoint(_NOT_CALLED):
            yield diagnose(
                "own-program-waits", "programs of this host wait for minutes for what the rule drops",
                standing.span, place=standing.place, help="REJECT tells them at once",
            )  # fmt: skip
