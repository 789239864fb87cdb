"""What must not be refused, what is left open, and what a chain's policy decides. Part of `explanation.insights`."""

from __future__ import annotations

from policyc.explanation.insights.insight import Evidence, Insight, Kind, named
from policyc.host.host import LOOPBACK
from policyc.net.protocols import ICMP, ICMPV6, TCP
from policyc.netfilter.hooks import Hook
from policyc.simulation.trace import DROPPED, FORWARDED, LOCAL, SENT

_ND = range(133, 138)  # router and neighbour solicitation and advertisement, redirect: RFC 4861
_TOO_BIG, _UNREACHABLE, _FRAGMENTATION_NEEDED = 2, 3, 4


def loopback_blocked(evidence: Evidence) -> Insight | None:
    """Find a host that refuses to talk to itself."""
    visit, place = evidence.last, evidence.deciding
    if (
        not evidence.is_refused
        or visit is None
        or place is None
        or LOOPBACK not in {visit.before.iif, visit.before.oif}
    ):
        return None
    leaving = visit.hook in {Hook.OUTPUT, Hook.POSTROUTING}
    text = (
        f"this host talks to itself over lo, to its own addresses as well as to 127.0.0.1, and {named(place)} refuses that; "
        "resolvers, databases and many other programs need it"
    )
    chain, option = ("OUTPUT", "-o") if leaving else ("INPUT", "-i")
    return Insight(Kind.LOOPBACK_BLOCKED, text, (place,), f"let {chain} begin with `{option} lo -j ACCEPT`")


_CHAINS = {LOCAL: Hook.INPUT, FORWARDED: Hook.FORWARD, SENT: Hook.OUTPUT}


def other_family_open(evidence: Evidence) -> Insight | None:
    """Find a family that takes everything while the other one is filtered."""
    hook, place = _CHAINS.get(evidence.way.trace.verdict), evidence.deciding
    if hook is None or (place is not None and place.number != "policy"):
        return None
    other = 10 - evidence.family
    table = evidence.way.situation.ruleset.table(other, "filter")
    chain = None if table is None else table.chain(hook.value)
    if chain is None or chain.policy != "DROP":
        return None
    why = (
        "there is no table filter of its own"
        if place is None
        else f"the policy of {place.table}/{place.chain} there is ACCEPT"
    )
    text = (
        f"IPv{evidence.family} passes what IPv{other} does not: {why}, while filter/{hook.value} of IPv{other} has policy DROP; "
        "each family has tables of its own"
    )
    return Insight(
        Kind.OTHER_FAMILY_OPEN, text, () if place is None else (place,), f"write the rules for IPv{evidence.family} too"
    )


def needed_icmp(evidence: Evidence) -> Insight | None:
    """Find ICMP that the network does not work without (RFC 4890, RFC 1191)."""
    packet, place = evidence.way.packet, evidence.deciding
    if not evidence.is_refused or place is None or packet.icmp is None:
        return None
    kind, code = packet.icmp >> 8, packet.icmp & 255
    if packet.proto == ICMPV6 and kind in _ND:
        text = f"{named(place)} refuses neighbour discovery, without which IPv6 hosts on a link do not find each other"
        advice = "accept ICMPv6 types 133 to 137 with hop limit 255 before anything is dropped (RFC 4890)"
    elif (packet.proto == ICMPV6 and kind == _TOO_BIG) or (
        packet.proto == ICMP and (kind, code) == (_UNREACHABLE, _FRAGMENTATION_NEEDED)
    ):
        text = f"{named(place)} refuses the message that a packet was too big: large transfers of that connection will hang"
        advice = "accept RELATED packets, which such messages are, before anything is dropped"
    else:
        return None
    return Insight(Kind.NEEDED_ICMP, text, (place,), advice)


def own_program_waits(evidence: Evidence) -> Insight | None:
    """Find a program of this host whose connect() waits since OUTPUT drops without a word."""
    visit, place = evidence.last, evidence.deciding
    if evidence.way.trace.verdict != DROPPED or visit is None or visit.hook is not Hook.OUTPUT or place is None:
        return None
    if evidence.way.sent.proto != TCP:
        return None
    text = f"{named(place)} drops what a program of this host sends, and TCP is not told: it tries again until it times out"
    return Insight(Kind.OWN_PROGRAM_WAITS, text, (place,), "end OUTPUT with REJECT, so that programs fail at once")


def policy_decides(evidence: Evidence) -> Insight | None:
    """Find a packet that no rule took, so that the chain's policy dropped it."""
    visit, place = evidence.last, evidence.deciding
    if not evidence.is_refused or visit is None or place is None or place.number != "policy":
        return None
    rules = sum(look.rule is not None for look in visit.looks) + visit.skipped
    took = {0: "the chain has no rule", 1: "the only rule that it came to decides nothing"}
    text = f"{took.get(rules, f'none of the {rules} rules that it came to decides')}, so the policy does"
    return Insight(Kind.POLICY_DECIDES, text, (place,))
