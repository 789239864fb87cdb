"""States of connection tracking that rules expect and packets do not have. Part of `explanation.insights`."""

from __future__ import annotations

from policyc.explanation.insights.insight import Evidence, Insight, Kind, named, tested_fields, tests_state
from policyc.explanation.places import RulePlace
from policyc.netfilter.hooks import Hook
from policyc.netfilter.rule import Rule
from policyc.simulation.journey import Look, Visit
from policyc.simulation.trace import FORWARDED

_ACCEPT_KNOWN = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"


def reply_not_accepted(evidence: Evidence) -> Insight | None:
    """Find a packet of a known connection that is refused since nothing above accepts ESTABLISHED."""
    visit, place = evidence.last, evidence.deciding
    if evidence.state not in {"ESTABLISHED", "RELATED"} or not evidence.is_refused or visit is None or place is None:
        return None
    rule = visit.looks[-1].rule
    if visit.table != "filter" or (rule is not None and tests_state(rule, evidence.family)):
        return None
    below = _accepting_below(evidence, visit)
    kind = "a reply of a connection" if visit.looks[-1].packet.ct_reply else "part of a connection"
    if below is not None:
        text = (
            f"it is {kind} that is known ({evidence.state}): {named(below)} accepts such packets, below {named(place)}"
        )
        same = below.chain == place.chain
        advice = f"move {below.name} above {place.name}" if same else f"put `{_ACCEPT_KNOWN}` above {place.name}"
        return Insight(Kind.REPLY_NOT_ACCEPTED, text, (place, below), advice)
    text = f"it is {kind} that is known ({evidence.state}), and no rule above {named(place)} accepts such packets"
    advice = f"let {visit.hook.value} begin with `{_ACCEPT_KNOWN}`"
    return Insight(Kind.REPLY_NOT_ACCEPTED, text, (place,), advice)


def _accepting_below(evidence: Evidence, visit: Visit) -> RulePlace | None:
    """Return the first rule that would have accepted the packet for its state, had it come so far."""
    table = evidence.way.situation.ruleset.table(evidence.family, visit.table)
    last = visit.looks[-1]
    base = [look for look in visit.looks if look.chain == visit.hook.value]
    for look in (last, *base[-1:]):
        chain = None if table is None else table.chain(look.chain)
        if chain is None or not isinstance(look.number, int):
            continue
        for number, rule in enumerate(chain.rules[look.number :], look.number + 1):
            accepts = rule.target is not None and rule.target.name == "ACCEPT"
            if accepts and tests_state(rule, evidence.family) and not evidence.misses.of(rule, last.packet):
                return evidence.places.of_rule(evidence.family, visit.table, chain.name, number, rule)
    return None


def invalid_state(evidence: Evidence) -> Insight | None:
    """Find a packet that belongs to no connection: refused for it, or passing without its translation."""
    if evidence.state != "INVALID":
        return None
    way, table = evidence.way, evidence.way.situation.ruleset.table(evidence.family, "nat")
    reason = "connection tracking takes it for INVALID: it belongs to no connection that this host has seen begin"
    if evidence.is_refused and (place := evidence.deciding) is not None:
        text = (
            f"{reason}, so that no rule for NEW, ESTABLISHED or RELATED packets takes it, and {named(place)} refuses it"
        )
        advice = (
            "where only one direction of a connection passes this host (two routers, anycast), such packets are good ones: "
            "exempt them there with NOTRACK, or let both directions pass here"
        )
        return Insight(Kind.INVALID_STATE, text, (place,), advice)
    if way.trace.verdict == FORWARDED and table is not None and any(chain.rules for chain in table.chains):
        text = f"{reason}, so it is not translated and leaves with its own addresses, which its receiver may not expect"
        return Insight(
            Kind.INVALID_STATE, text, (), "drop `-m conntrack --ctstate INVALID` in FORWARD of a host that translates"
        )
    return None


def untracked_state(evidence: Evidence) -> Insight | None:
    """Find a packet that NOTRACK exempts and that rules for NEW therefore do not take."""
    exempting = _exempting(evidence)
    if evidence.state != "UNTRACKED" or not evidence.is_refused or exempting is None:
        return None
    missed = [
        (visit, look)
        for visit, look in evidence.missed(Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)
        if evidence.failing(look) == ("ct.state",)
    ]
    if not missed:
        return None
    # The rule that tests most beside the state was meant for this packet.
    place = evidence.place(*max(missed, key=lambda one: len(tested_fields(_rule(one[1]), evidence.family))))
    text = (
        f"{named(exempting)} exempts it from connection tracking: its state is UNTRACKED, so {named(place)}, which asks for "
        "another state, does not take it"
    )
    advice = (
        "accept `-m conntrack --ctstate UNTRACKED`, in both directions, since replies are no ESTABLISHED packets either"
    )
    return Insight(Kind.UNTRACKED_STATE, text, (place, exempting), advice)


def _rule(look: Look) -> Rule:
    assert look.rule is not None
    return look.rule


def _exempting(evidence: Evidence) -> RulePlace | None:
    for visit in evidence.visits:
        found = (look for look in visit.looks if visit.table == "raw" and _exempts(look))
        if (look := next(found, None)) is not None:
            return evidence.place(visit, look)
    return None


def _exempts(look: Look) -> bool:
    target = None if look.rule is None else look.rule.target
    return look.matched and target is not None and target.name in {"CT", "NOTRACK"}
