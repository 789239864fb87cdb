"""TPROXY, which hands a packet to a local program without changing it. Part of `explanation.insights`."""

from __future__ import annotations

from dataclasses import replace

from policyc.explanation.insights.insight import Evidence, Insight, Kind, named
from policyc.explanation.places import RulePlace
from policyc.netfilter.effect import Divert
from policyc.netfilter.hooks import Hook


def diverted_not_local(evidence: Evidence) -> Insight | None:
    """Find a packet that TPROXY takes and that is forwarded nevertheless: its mark is not routed to this host."""
    found, routed = _diverting(evidence), evidence.routed
    if found is None or routed is None or routed.kind == "local":
        return None
    place, effect = found
    mark = f"{effect.mark or 1:#x}"
    text = f"{named(place)} hands it to a local program, but routing does not deliver it to this host, so none gets it"
    advice = (
        f"`ip rule add fwmark {mark} lookup 100` and `ip route add local default dev lo table 100`, "
        f"and `--tproxy-mark {mark}` in the rule"
    )
    return Insight(Kind.DIVERTED_NOT_LOCAL, text, (place,), advice)


def diverted_keeps_port(evidence: Evidence) -> Insight | None:
    """Find a rule of INPUT that tests for the proxy's port, where TPROXY leaves the original one in the packet."""
    found = _diverting(evidence)
    if found is None or not evidence.is_refused:
        return None
    proxy, effect = found
    for visit, look in evidence.missed(Hook.INPUT, tables=("filter",)):
        if evidence.failing(look) != ("dport",) or look.rule is None:
            continue
        if evidence.misses.of(look.rule, replace(look.packet, dport=effect.port)):
            continue
        place = evidence.place(visit, look)
        text = (
            f"TPROXY changes no port: INPUT sees the original {look.packet.dport}, but {named(place)} tests for {effect.port}, "
            f"the port of the proxy that {named(proxy)} names"
        )
        return Insight(Kind.DIVERTED_KEEPS_PORT, text, (place, proxy), f"accept --dport {look.packet.dport} in INPUT")
    return None


def _diverting(evidence: Evidence) -> tuple[RulePlace, Divert] | None:
    for visit in evidence.visits:
        for look in visit.looks:
            if visit.table != "mangle" or not look.matched or look.rule is None or look.rule.target is None:
                continue
            effects = look.rule.target.effects(look.rule.around(evidence.family))
            effect = next((one for one in effects if isinstance(one, Divert)), None)
            if effect is not None:
                return evidence.place(visit, look), effect
    return None
