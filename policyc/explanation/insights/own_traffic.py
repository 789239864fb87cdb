"""NAT and the packets of this host itself: they pass nat in OUTPUT, not in PREROUTING. Part of `explanation.insights`."""

from __future__ import annotations

from dataclasses import replace

from policyc.explanation.insights.insight import Evidence, Insight, Kind, named
from policyc.host.ipv4_kinds import is_loopback
from policyc.net.addresses import format_address
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Selector
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Table
from policyc.simulation.journey import Translated, Visit


def own_traffic_untranslated(evidence: Evidence) -> Insight | None:
    """Find a forwarded port that this host itself asks for: its own packets pass nat in OUTPUT, not in PREROUTING."""
    table = evidence.way.situation.ruleset.table(evidence.family, "nat")
    if not evidence.way.sent.outgoing or evidence.redirected is not None or table is None:
        return None
    if loopback_left_out(evidence) is not None:
        return None  # nat/OUTPUT has the rule
    entering = table.chain(Hook.PREROUTING.value)
    if entering is None or not entering.rules:
        return None
    leaving = tuple(_without(rule, "-i") for rule in entering.rules)
    chains = [replace(entering, name=Hook.OUTPUT.value, rules=leaving)]
    chains += [chain for chain in table.chains if chain.name != Hook.OUTPUT.value]
    other = evidence.walked_with(Table(table.family, table.name, tuple(chains), table.span), table)
    for event in other.journey.events:
        if isinstance(event, Visit) and event.hook is Hook.OUTPUT and event.table == "nat":
            look = next((one for one in event.looks if one.matched and one.depth == 0 and one.rule is not None), None)
            moved = any(isinstance(one, Translated) and one.hook is Hook.OUTPUT for one in other.journey.events)
            if look is None or not moved:
                return None
            place = evidence.places.of(evidence.family, "nat", Hook.PREROUTING.value, look.number)
            text = f"packets of this host itself do not pass nat/PREROUTING: {named(place)} would translate this one if it did"
            return Insight(Kind.OWN_TRAFFIC_UNTRANSLATED, text, (place,), "repeat the rule in nat/OUTPUT, without `-i`")
    return None


def loopback_left_out(evidence: Evidence) -> Insight | None:
    """Find a published port asked at 127.0.0.1, which the rule in nat/OUTPUT leaves out, as Docker's does."""
    sent, table = evidence.way.sent, evidence.way.situation.ruleset.table(evidence.family, "nat")
    if not sent.outgoing or evidence.family != 4 or not is_loopback(sent.dst) or table is None:
        return None
    for visit, look in evidence.missed(Hook.OUTPUT, tables=("nat",)):
        assert look.rule is not None
        tested = look.rule.selector("-d")
        if evidence.failing(look) != ("dst",) or tested is None or not tested.negated or look.depth:
            continue
        assert isinstance(look.number, int)
        entered = tuple(
            replace(chain, rules=_replaced(chain.rules, look.number, _without(look.rule, "-d")))
            if chain.name == look.chain
            else chain
            for chain in table.chains
        )
        other = evidence.walked_with(Table(table.family, table.name, entered, table.span), table)
        if not any(isinstance(event, Translated) for event in other.journey.events):
            continue
        place = evidence.place(visit, look)
        port = "" if sent.dport is None else f":{sent.dport}"
        text = (
            f"{named(place)} leaves out {tested.value}, so nothing is translated and the packet stays on this host: "
            f"a program of this host must listen on {format_address(sent.dst, 4)}{port}, as docker-proxy does for Docker"
        )
        return Insight(Kind.LOOPBACK_LEFT_OUT, text, (place,), "ask for another address of this host than 127.0.0.1")
    return None


def _without(rule: Rule, option: str) -> Rule:
    parts = tuple(part for part in rule.parts if not (isinstance(part, Selector) and part.option == option))
    return Rule(parts, rule.span, rule.counters, rule.owner)


def _replaced(rules: tuple[Rule, ...], number: int, rule: Rule) -> tuple[Rule, ...]:
    return (*rules[: number - 1], rule, *rules[number:])
