"""What IPv4 routing decides about a packet that came in, after PREROUTING and in the kernel's order. Part of `policyc.host`.

Sources: net/ipv4/route.c (ip_route_input_slow, __mkroute_input, ip_error), net/ipv4/ip_forward.c. A packet that this host
sent to itself keeps the route of its departure and is not asked here, unless its destination was rewritten on the way in.
"""

from __future__ import annotations

from policyc.host.arriving import Arriving
from policyc.host.decision import Decision, Drop, drop
from policyc.host.fib import Failure, Fib
from policyc.host.groups import is_joined
from policyc.host.host import RouteKind
from policyc.host.ipv4_kinds import LIMITED_BROADCAST, is_link_group, is_loopback, is_multicast
from policyc.host.reverse_path import Suspicion, suspicion

_NET_UNREACHABLE, _HOST_UNREACHABLE, _FILTERED, _FRAGMENTATION_NEEDED, _TTL_EXCEEDED = (
    (3, 0),
    (3, 1),
    (3, 13),
    (3, 4),
    (11, 0),
)
_FAILURES = {
    Failure.NO_ROUTE: (Drop.NO_ROUTE, _NET_UNREACHABLE),
    Failure.UNREACHABLE: (Drop.UNREACHABLE, _HOST_UNREACHABLE),
    Failure.PROHIBIT: (Drop.PROHIBIT, _FILTERED),
    Failure.BLACKHOLE: (Drop.BLACKHOLE, None),
}
_SUSPICIONS = {
    Suspicion.INVALID: Drop.MARTIAN_SOURCE,
    Suspicion.OWN: Drop.OWN_SOURCE,
    Suspicion.REVERSE_PATH: Drop.REVERSE_PATH,
}


def arrive_v4(fib: Fib, packet: Arriving) -> Decision:
    """Return what IPv4 does with a packet after PREROUTING."""
    settings = fib.settings(packet.iif)
    source, destination = packet.source, packet.destination
    if is_multicast(destination):
        return _to_group(fib, packet)
    if is_multicast(source) or source == LIMITED_BROADCAST:
        return drop(Drop.MARTIAN_SOURCE)
    if destination == LIMITED_BROADCAST or source == destination == 0:
        return _checked(fib, packet, Decision(RouteKind.BROADCAST))
    if source == 0:
        return drop(Drop.MARTIAN_SOURCE)
    if destination == 0:
        return drop(Drop.MARTIAN_DESTINATION)
    if is_loopback(destination):
        if not settings.route_localnet:
            return drop(Drop.MARTIAN_DESTINATION)
    elif is_loopback(source) and not settings.route_localnet:
        return drop(Drop.MARTIAN_SOURCE)
    found = fib.lookup(packet.flow)
    if isinstance(found, Failure):
        return drop(*_FAILURES[found]) if settings.forwarding else drop(Drop.NO_FORWARDING)
    if found.kind is RouteKind.BROADCAST and not settings.broadcast_forwarding:
        return _checked(fib, packet, Decision(RouteKind.BROADCAST, found))
    if found.kind is RouteKind.LOCAL:
        return _checked(fib, packet, Decision(RouteKind.LOCAL, found))
    # A directed broadcast needs `bc_forwarding` alone (ip_route_input_slow asks for it before `forwarding`).
    if not settings.forwarding and found.kind is not RouteKind.BROADCAST:
        return drop(Drop.NO_FORWARDING)
    if found.kind not in {RouteKind.UNICAST, RouteKind.BROADCAST}:
        return drop(Drop.MARTIAN_DESTINATION)
    hop = destination if found.gateway is None else found.gateway
    forwarded = _checked(fib, packet, Decision(RouteKind.UNICAST, found, found.device, hop))
    return forwarded if forwarded.drop else _onward(fib, packet, forwarded)


def _checked(fib: Fib, packet: Arriving, decision: Decision) -> Decision:
    """Return the decision, or the drop of a source that does not belong where it came from."""
    if packet.source == 0:
        return decision
    towards = packet.destination if decision.kind in {RouteKind.LOCAL, RouteKind.UNICAST} else 0
    found = suspicion(fib, packet, towards, decision.device)
    if found is not None:
        return drop(_SUSPICIONS[found])
    is_group_frame = packet.frame in {"broadcast", "multicast"}
    if decision.kind is RouteKind.LOCAL and is_group_frame and fib.settings(packet.iif).drops_unicast_frames:
        return drop(Drop.GROUP_FRAME)
    return decision


def _to_group(fib: Fib, packet: Arriving) -> Decision:
    if not is_joined(fib.host, packet.iif, 4, packet.destination):
        return drop(Drop.NOT_JOINED)
    source = packet.source
    if is_multicast(source) or source == LIMITED_BROADCAST:
        return drop(Drop.MARTIAN_SOURCE)
    if is_loopback(source) and not fib.settings(packet.iif).route_localnet:
        return drop(Drop.MARTIAN_SOURCE)
    if source == 0 and not is_link_group(packet.destination) and packet.protocol != 2:
        return drop(Drop.MARTIAN_SOURCE)
    return _checked(fib, packet, Decision(RouteKind.MULTICAST))


def _onward(fib: Fib, packet: Arriving, decision: Decision) -> Decision:
    """Return the decision about a packet to be forwarded: before FORWARD, as ip_forward does."""
    if packet.frame in {"broadcast", "multicast"}:
        return drop(Drop.GROUP_FRAME)
    if packet.ttl <= 1:
        return drop(Drop.TIME_EXCEEDED, _TTL_EXCEEDED)
    out = fib.host.interface(decision.device)
    if out is not None and packet.length > out.mtu and packet.dont_fragment:
        return drop(Drop.TOO_BIG, _FRAGMENTATION_NEEDED)
    return decision
