"""What IPv6 routing decides about a packet that came in, after PREROUTING. Part of `policyc.host`.

Sources: net/ipv6/route.c (ip6_route_input, ip6_pkt_drop), ip6_input.c (ip6_mc_input), ip6_output.c (ip6_forward).
IPv6 has no martian check and no reverse path filter of its own.
"""

from __future__ import annotations

from policyc.host.arriving import Arriving
from policyc.host.decision import Decision, Drop, drop
from policyc.host.fib import Failure, Fib
from policyc.host.groups import is_joined
from policyc.host.host import RouteKind
from policyc.host.ipv6_kinds import LOCALHOST, UNSPECIFIED, is_link_local, is_multicast

_NO_ROUTE, _PROHIBITED, _NOT_NEIGHBOUR, _TIME_EXCEEDED, _TOO_BIG = (1, 0), (1, 1), (1, 2), (3, 0), (2, 0)
_FAILURES = {
    Failure.NO_ROUTE: (Drop.NO_ROUTE, _NO_ROUTE),
    Failure.UNREACHABLE: (Drop.UNREACHABLE, _NO_ROUTE),
    Failure.PROHIBIT: (Drop.PROHIBIT, _PROHIBITED),
    Failure.BLACKHOLE: (Drop.BLACKHOLE, None),
}


def arrive_v6(fib: Fib, packet: Arriving) -> Decision:
    """Return what IPv6 does with a packet after PREROUTING."""
    found = fib.lookup(packet.flow)
    if isinstance(found, Failure):
        return drop(*_FAILURES[found])
    if is_multicast(packet.destination):
        if is_joined(fib.host, packet.iif, 6, packet.destination):
            return Decision(RouteKind.MULTICAST, found)
        return drop(Drop.NOT_JOINED)
    if found.kind in {RouteKind.LOCAL, RouteKind.ANYCAST}:
        if packet.frame in {"broadcast", "multicast"} and _drops_group_frames(fib, packet.iif):
            return drop(Drop.GROUP_FRAME)
        return Decision(found.kind, found)
    hop = packet.destination if found.gateway is None else found.gateway
    return _onward(fib, packet, Decision(RouteKind.UNICAST, found, found.device, hop))


def _drops_group_frames(fib: Fib, interface: str) -> bool:
    return bool(fib.host.sysctls.of_interface(6, interface, "drop_unicast_in_l2_multicast"))


def _onward(fib: Fib, packet: Arriving, decision: Decision) -> Decision:
    """Return the decision about a packet to be forwarded: before FORWARD, in the order of ip6_forward."""
    if not fib.host.sysctls.forwards(6, packet.iif):
        return drop(Drop.NO_FORWARDING)
    if packet.frame in {"broadcast", "multicast"}:
        return drop(Drop.GROUP_FRAME)
    if packet.ttl <= 1:
        return drop(Drop.TIME_EXCEEDED, _TIME_EXCEEDED)
    if packet.iif != decision.device:
        if packet.source in {UNSPECIFIED, LOCALHOST} or is_multicast(packet.source):
            return drop(Drop.MARTIAN_SOURCE)
        if is_link_local(packet.source):
            return drop(Drop.SOURCE_SCOPE, _NOT_NEIGHBOUR)
    out = fib.host.interface(decision.device)
    if out is not None and packet.length > out.mtu:
        return drop(Drop.TOO_BIG, _TOO_BIG)
    return decision
