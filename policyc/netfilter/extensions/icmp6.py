"""-m icmp6: type and code of ICMPv6 (net/ipv6/netfilter/ip6_tables.c, icmp6_match; names of ip6tables -p icmpv6 -h)."""

from __future__ import annotations

from policyc.net.protocols import ICMPV6
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.icmp_types import IcmpType, IcmpTypeArgument
from policyc.netfilter.extensions.ports import has_header
from policyc.netfilter.predicate import Predicate, all_of, negate_if

# The four of multicast listeners came after iptables 1.8.9, which takes their numbers.
_TYPES = {
    "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "ttl-exceeded": 3, "parameter-problem": 4,
    "echo-request": 128, "ping": 128, "echo-reply": 129, "pong": 129, "mld-listener-query": 130,
    "mld-listener-report": 131, "mld-listener-done": 132, "mld-listener-reduction": 132, "router-solicitation": 133,
    "router-advertisement": 134, "neighbour-solicitation": 135, "neighbor-solicitation": 135,
    "neighbour-advertisement": 136, "neighbor-advertisement": 136, "redirect": 137,
}  # fmt: skip
_CODES = {
    1: ("no-route", "communication-prohibited", "beyond-scope", "address-unreachable", "port-unreachable",
        "failed-policy", "reject-route"),
    3: ("ttl-zero-during-transit", "ttl-zero-during-reassembly"),
    4: ("bad-header", "unknown-header-type", "unknown-option"),
}  # fmt: skip
NAMES = (
    *((name, IcmpType(number)) for name, number in _TYPES.items()),
    *((name, IcmpType(type_, code, code)) for type_, names in _CODES.items() for code, name in enumerate(names)),
)


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    return all_of(has_header(ICMPV6), negate_if(options.negated("icmpv6-type"), options["icmpv6-type"].test))


MATCH = MatchExtension(
    name="icmp6",
    options=(Option("icmpv6-type", IcmpTypeArgument(NAMES), negatable=True, required=True),),
    families=(6,),
    protocols=frozenset((ICMPV6,)),
    meaning=_meaning,
)
