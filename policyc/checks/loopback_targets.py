"""dnat-to-loopback: packets from outside get a destination that routing drops.

Routing takes a packet from outside to 127.0.0.0/8 only with route_localnet=1 on its interface, to ::1 never (measured; RFC
4291 2.5.3). No rule sees the drop.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.net.addresses import parse_network
from policyc.netfilter import fields
from policyc.netfilter.effect import Rewrite
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Part, Target
from policyc.netfilter.rule import Rule

_LOOPBACK = {4: parse_network("127.0.0.0/8", 4).values, 6: parse_network("::1", 6).values}


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the translations to loopback addresses that packets from outside reach."""
    intent = survey.ruleset.intent
    sysctls = intent.sysctls if intent is not None else ()
    allowed = any(one.name.endswith(".route_localnet") and one.value == "1" for one in sysctls)
    for table, chain in survey.chains:
        if table.name != "nat" or Hook.PREROUTING not in survey.graph(table).hooks[chain.name]:
            continue
        if table.family == 4 and allowed:
            continue
        found = {key for key, part in survey.parts(chain).items() if _goes_to_loopback(part, table.family)}
        for standing, _ in survey.having(table, chain, found) if found else ():
            if not standing.is_foreign and not _is_local(standing.rule):
                yield diagnose(
                    "dnat-to-loopback", "packets from outside that are translated to a loopback address are dropped by routing",
                    standing.span, place=standing.place, help=_HELP[table.family],
                )  # fmt: skip


_HELP = {
    4: "`redirect` reaches a service on this host; with sysctl route_localnet=1 neighbours reach all of 127.0.0.0/8",
    6: "`redirect` reaches a service that listens on the interface's address; ::1 is not reachable from outside",
}


def _goes_to_loopback(part: Part, family: int) -> bool:
    if not isinstance(part, Target) or part.extension is None:
        return False
    return any(
        isinstance(effect, Rewrite)
        and effect.side is fields.DST
        and effect.addresses is not None
        and bool(effect.addresses)
        and not effect.addresses - _LOOPBACK[family]
        for effect in part.effects(Surroundings(family))
    )


def _is_local(rule: Rule) -> bool:
    incoming = rule.selector("-i")
    return incoming is not None and incoming.value == "lo" and not incoming.negated
