"""What IPv4 routing decides about a packet that came in, after PREROUTING and in the kernel's order. Part of `policyc.host`.

Sources: net/ipv4/route.c (ip_route_input_slow, __mkroute_input, ip_error), net/ipv4/ip_forward.c. A packet that this host
sent to itself keeps the route of its departure and is not asked here, unless its destination was rewritten on the way in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from policyc.frozen import frozen
from policyc.host.fib import Failure, Fib, Flow
from policyc.host.groups import is_joined
from policyc.host.host import Route, RouteKind
from policyc.host.reverse_path import Suspicion, suspicion


class Drop(Enum):
    """Why routing drops a packet; the value is what a person reads."""

    MARTIAN_SOURCE = "its source address cannot come from outside (martian source)"
    MARTIAN_DESTINATION = "its destination address cannot come from outside (martian destination)"
    OWN_SOURCE = "its source is an address of this host"
    REVERSE_PATH = "an answer would leave by another interface (rp_filter)"
    NOT_JOINED = "no program of this host has joined the multicast group"
    NO_FORWARDING = "forwarding is off"
    NO_ROUTE = "there is no route to its destination"
    UNREACHABLE = "the route is `unreachable`"
    PROHIBIT = "the route is `prohibit`"
    BLACKHOLE = "the route is `blackhole`"
    GROUP_FRAME = "the frame was a broadcast or multicast, which is not forwarded"
    TIME_EXCEEDED = "its time to live ends here"
    TOO_BIG = "it is larger than the next link's MTU and must not be fragmented"
    SOURCE_SCOPE = "its source address is not valid beyond its link"


@frozen
class Arriving:
    """What routing reads of a packet that came in. `frame` is its packet type; `dont_fragment` is IPv4's DF."""

    family: int
    iif: str
    source: int
    destination: int
    protocol: int = 0
    mark: int = 0
    tos: int = 0
    sport: int = 0
    dport: int = 0
    ttl: int = 64
    frame: str = "unicast"
    length: int = 0
    dont_fragment: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Delivered here, forwarded, or dropped.

    `kind` is what the destination is: LOCAL, BROADCAST, MULTICAST, ANYCAST (delivered here), UNICAST (forwarded by `device`
    to `next_hop`). `drop` is set where the packet goes no further; `answer` is the ICMP (type, code) that its sender is sent
    for it then, None for silence.
    """

    kind: RouteKind
    route: Route | None = None
    device: str = ""
    next_hop: int = 0
    drop: Drop | None = None
    answer: tuple[int, int] | None = None

    @property
    def is_local(self) -> bool:
        """Whether the packet goes to INPUT."""
        return self.drop is None and self.kind is not RouteKind.UNICAST


LIMITED_BROADCAST = 0xFFFFFFFF
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


def is_multicast(address: int) -> bool:
    """224.0.0.0/4."""
    return address >> 28 == 0xE


def is_loopback(address: int) -> bool:
    """127.0.0.0/8."""
    return address >> 24 == 127


def arrive(fib: Fib, packet: Arriving) -> Decision:
    """Return what IPv4 does with a packet after PREROUTING."""
    settings = fib.settings(packet.iif)
    source, destination = packet.source, packet.destination
    if is_multicast(destination):
        return _to_group(fib, packet)
    if is_multicast(source) or source == LIMITED_BROADCAST:
        return _drop(Drop.MARTIAN_SOURCE)
    if destination == LIMITED_BROADCAST or source == destination == 0:
        return _checked(fib, packet, Decision(RouteKind.BROADCAST))
    if source == 0:
        return _drop(Drop.MARTIAN_SOURCE)
    if destination == 0:
        return _drop(Drop.MARTIAN_DESTINATION)
    if is_loopback(destination):
        if not settings.route_localnet:
            return _drop(Drop.MARTIAN_DESTINATION)
    elif is_loopback(source) and not settings.route_localnet:
        return _drop(Drop.MARTIAN_SOURCE)
    found = fib.lookup(
        Flow(
            4, destination, source, packet.iif, "", packet.mark, packet.tos, packet.protocol, packet.sport, packet.dport
        )
    )
    if isinstance(found, Failure):
        drop, answer = _FAILURES[found]
        if settings.forwarding:
            return _drop(drop, answer)
        return _drop(Drop.NO_FORWARDING if found is Failure.NO_ROUTE else drop)
    if found.kind is RouteKind.BROADCAST and not settings.broadcast_forwarding:
        return _checked(fib, packet, Decision(RouteKind.BROADCAST, found))
    if found.kind is RouteKind.LOCAL:
        return _checked(fib, packet, Decision(RouteKind.LOCAL, found))
    if not settings.forwarding:
        return _drop(Drop.NO_FORWARDING)
    if found.kind not in {RouteKind.UNICAST, RouteKind.BROADCAST}:
        return _drop(Drop.MARTIAN_DESTINATION)
    hop = destination if found.gateway is None else found.gateway
    forwarded = _checked(fib, packet, Decision(RouteKind.UNICAST, found, found.device, hop))
    return forwarded if forwarded.drop else _onward(fib, packet, forwarded)


def _drop(why: Drop, answer: tuple[int, int] | None = None) -> Decision:
    return Decision(RouteKind.UNICAST, drop=why, answer=answer)


def _checked(fib: Fib, packet: Arriving, decision: Decision) -> Decision:
    """Return the decision, or the drop of a source that does not belong where it came from."""
    if packet.source == 0:
        return decision
    towards = packet.destination if decision.kind in {RouteKind.LOCAL, RouteKind.UNICAST} else 0
    found = suspicion(
        fib, packet.iif, packet.source, towards, decision.device, packet.tos, packet.mark,
        (packet.protocol, packet.sport, packet.dport),
    )  # fmt: skip
    if found is not None:
        return _drop(_SUSPICIONS[found])
    is_group_frame = packet.frame in {"broadcast", "multicast"}
    if decision.kind is RouteKind.LOCAL and is_group_frame and fib.settings(packet.iif).drops_unicast_frames:
        return _drop(Drop.GROUP_FRAME)
    return decision


def _to_group(fib: Fib, packet: Arriving) -> Decision:
    if not is_joined(fib.host, packet.iif, 4, packet.destination):
        return _drop(Drop.NOT_JOINED)
    source = packet.source
    if is_multicast(source) or source == LIMITED_BROADCAST:
        return _drop(Drop.MARTIAN_SOURCE)
    if is_loopback(source) and not fib.settings(packet.iif).route_localnet:
        return _drop(Drop.MARTIAN_SOURCE)
    is_link_group = packet.destination >> 8 == 0xE00000  # 224.0.0.0/24
    if source == 0 and not is_link_group and packet.protocol != 2:
        return _drop(Drop.MARTIAN_SOURCE)
    return _checked(fib, packet, Decision(RouteKind.MULTICAST))


def _onward(fib: Fib, packet: Arriving, decision: Decision) -> Decision:
    """Return the decision about a packet to be forwarded: before FORWARD, as ip_forward does."""
    if packet.frame in {"broadcast", "multicast"}:
        return _drop(Drop.GROUP_FRAME)
    if packet.ttl <= 1:
        return _drop(Drop.TIME_EXCEEDED, _TTL_EXCEEDED)
    out = fib.host.interface(decision.device)
    if out is not None and packet.length > out.mtu and packet.dont_fragment:
        return _drop(Drop.TOO_BIG, _FRAGMENTATION_NEEDED)
    return decision
