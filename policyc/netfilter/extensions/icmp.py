"""-m icmp: type and code of ICMP (net/ipv4/netfilter/ip_tables.c, icmp_match; names of iptables -p icmp -h)."""

from __future__ import annotations

from policyc.net.protocols import ICMP
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.icmp_types import IcmpType, IcmpTypeArgument
from policyc.netfilter.extensions.ports import has_header
from policyc.netfilter.predicate import ALWAYS, Predicate, all_of, negate_if

_TYPES = {
    "echo-reply": 0, "pong": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
    "ping": 8, "router-advertisement": 9, "router-solicitation": 10, "time-exceeded": 11, "ttl-exceeded": 11,
    "parameter-problem": 12, "timestamp-request": 13, "timestamp-reply": 14, "address-mask-request": 17,
    "address-mask-reply": 18,
}  # fmt: skip
# Codes by type, from code 0 on; None where a code has no name.
_CODES: dict[int, tuple[str | None, ...]] = {
    3: ("network-unreachable", "host-unreachable", "protocol-unreachable", "port-unreachable", "fragmentation-needed",
        "source-route-failed", "network-unknown", "host-unknown", None, "network-prohibited", "host-prohibited",
        "TOS-network-unreachable", "TOS-host-unreachable", "communication-prohibited", "host-precedence-violation",
        "precedence-cutoff"),
    5: ("network-redirect", "host-redirect", "TOS-network-redirect", "TOS-host-redirect"),
    11: ("ttl-zero-during-transit", "ttl-zero-during-reassembly"),
    12: ("ip-header-bad", "required-option-missing"),
}  # fmt: skip
NAMES = (
    *((name, IcmpType(number)) for name, number in _TYPES.items()),
    *(
        (name, IcmpType(type_, code, code))
        for type_, names in _CODES.items()
        for code, name in enumerate(names)
        if name
    ),
)


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    wanted: IcmpType = options["icmp-type"]
    # The kernel takes type 255 for any type, whatever the code.
    test = ALWAYS if wanted.type == 255 else wanted.test
    return all_of(has_header(ICMP), negate_if(options.negated("icmp-type"), test))


MATCH = MatchExtension(
    name="icmp",
    options=(Option("icmp-type", IcmpTypeArgument(NAMES, "any"), negatable=True, required=True),),
    families=(4,),
    protocols=frozenset((ICMP,)),
    meaning=_meaning,
)
