"""Where a packet of this host leaves and with which source, and again where OUTPUT changed it. Part of `policyc.host`.

Sources: net/ipv4/route.c (ip_route_output_key_hash_rcu, __mkroute_output), net/ipv4/netfilter.c and net/ipv6/netfilter.c
(ip_route_me_harder), net/ipv6/route.c (ip6_route_output).
"""

from __future__ import annotations

from dataclasses import replace

from policyc.frozen import frozen
from policyc.host.fib import Failure, Fib, Flow
from policyc.host.groups import is_joined
from policyc.host.host import LOOPBACK, Route, RouteKind, Scope
from policyc.host.ipv4_kinds import LIMITED_BROADCAST, is_link_group, is_loopback, is_multicast
from policyc.host.ipv6_kinds import is_multicast as is_multicast_v6
from policyc.host.ipv6_kinds import needs_interface
from policyc.host.own_addresses import LOCALHOST, select_address
from policyc.host.source_v6 import select_source_v6


@frozen
class Departure:
    """The way out: `device` ("lo" for what stays here), the next hop's address, the source that a socket without one gets.

    `kind` is LOCAL, UNICAST, BROADCAST or MULTICAST. `also_local`: a copy of the broadcast or multicast comes back in.
    """

    kind: RouteKind
    device: str
    next_hop: int
    source: int | None
    route: Route | None = None
    also_local: bool = False


def depart(fib: Fib, flow: Flow, *, foreign_source: bool = False) -> Departure | Failure:
    """Return the route of what this host sends, or the error that its sender gets.

    `flow.source` is the socket's own address, None where it has none yet, as for a raw socket that writes the IP header itself.
    `foreign_source` allows one that no interface has (IP_TRANSPARENT).
    """
    if flow.family == 4:
        return _depart_v4(fib, flow, foreign_source=foreign_source)
    # To a socket `::` means this host (rawv6_sendmsg and its like).
    return _depart_v6(fib, flow if flow.destination else replace(flow, destination=LOCALHOST[6]))


def reroute(fib: Fib, flow: Flow, first: str) -> Departure | Failure:
    """Return the second route, after a mark or address was changed in OUTPUT; a Failure is the packet's end.

    `flow.source` is the one in the packet, `flow.oif` the interface that its socket is bound to; `first` is the interface of
    the first route.
    """
    if flow.family == 6:
        if not flow.oif and needs_interface(flow.destination) and flow.destination != LOCALHOST[6]:
            flow = replace(flow, oif=first)
        return _depart_v6(fib, flow)
    # IPv4 asks for addresses, mark and TOS alone: rules about users, protocols and ports do not see the packet any more.
    flow = replace(flow, uid=0, protocol=0, sport=0, dport=0)
    source = flow.source or 0
    if source in {0, LIMITED_BROADCAST} or is_multicast(source) or _is_broadcast(fib, source):
        flow = replace(flow, source=None)
    return _depart_v4(fib, flow, foreign_source=True)


def _is_broadcast(fib: Fib, address: int) -> bool:
    found = fib.local_route(address)
    return found is not None and found.kind is RouteKind.BROADCAST


def _device_of(fib: Fib, address: int) -> str:
    """Return the interface that an IPv4 address belongs to, "" for a foreign one (__ip_dev_find)."""
    if owner := fib.owner(address, 4):
        return owner
    found = fib.local_route(address)
    return found.device if found is not None and found.kind is RouteKind.LOCAL else ""


def _depart_v4(fib: Fib, flow: Flow, *, foreign_source: bool) -> Departure | Failure:
    host, source, destination = fib.host, flow.source, flow.destination
    to_group = is_multicast(destination) or destination == LIMITED_BROADCAST
    oif = flow.oif
    if source is not None:
        owner = _device_of(fib, source)
        if source in {0, LIMITED_BROADCAST} or is_multicast(source):
            return Failure.BLACKHOLE
        if to_group and not oif:
            return _way(fib, flow, None, owner, source) if owner else Failure.NO_ROUTE
        if not owner and not foreign_source:
            return Failure.NO_ROUTE
    if oif:
        interface = host.interface(oif)
        if interface is None or not interface.up:
            return Failure.NO_ROUTE
        if is_link_group(destination) or destination == LIMITED_BROADCAST or flow.protocol == 2:
            return _way(fib, flow, None, oif, select_address(host, oif, None, Scope.LINK) if source is None else source)
        if source is None and (to_group or destination == 0):
            source = select_address(host, oif, None, Scope.UNIVERSE if to_group else Scope.HOST)
    if destination == 0:
        source = LOCALHOST[4] if source is None else source
        return _way(fib, replace(flow, destination=source), None, LOOPBACK, source, RouteKind.LOCAL)
    found = fib.lookup(replace(flow, source=source, iif=LOOPBACK))
    if isinstance(found, Failure):
        if not oif:
            return found
        # The kernel takes the destination to be on the link where it is told the interface and knows no route.
        chosen = select_address(host, oif, None, Scope.LINK) if source is None else source
        return _way(fib, flow, None, oif, chosen)
    if found.kind is RouteKind.LOCAL:
        if source is None:
            source = destination if found.source is None else found.source
        return _way(fib, flow, found, LOOPBACK, source, RouteKind.LOCAL)
    if source is None:
        source = found.source
    if source is None:
        source = select_address(host, found.device, found.gateway, _scope(found))
    return _way(fib, flow, found, found.device, source, found.kind)


def _scope(route: Route) -> Scope:
    return Scope.UNIVERSE if route.gateway is not None else Scope.LINK


def _way(
    fib: Fib, flow: Flow, route: Route | None, device: str, source: int | None, kind: RouteKind = RouteKind.UNICAST
) -> Departure | Failure:
    """Return the finished route (__mkroute_output)."""
    destination = flow.destination
    if source is not None and is_loopback(source) and device != LOOPBACK and not fib.settings(device).route_localnet:
        return Failure.BLACKHOLE
    copied = False
    if destination == LIMITED_BROADCAST or kind is RouteKind.BROADCAST:
        kind, copied = RouteKind.BROADCAST, True
    elif is_multicast(destination):
        kind, copied = RouteKind.MULTICAST, is_joined(fib.host, device, 4, destination)
        if route is not None and route.prefix < 4:
            route = None  # the default route names the interface for a group, never a gateway
    elif destination == 0:
        return Failure.BLACKHOLE
    has_gateway = kind in {RouteKind.UNICAST, RouteKind.MULTICAST}
    gateway = route.gateway if route is not None and has_gateway else None
    hop = destination if gateway is None else gateway
    return Departure(kind, device, hop, source, route, copied and device != LOOPBACK)


def _depart_v6(fib: Fib, flow: Flow) -> Departure | Failure:
    found = fib.lookup(replace(flow, iif=LOOPBACK))
    destination = flow.destination
    if isinstance(found, Failure) and flow.source is None:
        # The kernel takes an error for none until it has asked again with a source, then of no other interface than the one
        # that the socket is bound to (ip6_dst_lookup_tail).
        source = select_source_v6(fib.host, "", destination)
        if source is not None:
            flow = replace(flow, source=source)
            found = fib.lookup(replace(flow, iif=LOOPBACK), strict=bool(flow.oif))
    if isinstance(found, Failure):
        return found
    is_own = found.kind in {RouteKind.LOCAL, RouteKind.ANYCAST}
    source = flow.source
    if source is None:
        source = found.source
    if source is None:
        source = select_source_v6(fib.host, found.device, destination)
    if is_multicast_v6(destination):
        copied = found.device != LOOPBACK and is_joined(fib.host, found.device, 6, destination)
        return Departure(RouteKind.MULTICAST, found.device, destination, source, found, copied)
    if is_own:
        return Departure(RouteKind.LOCAL, LOOPBACK, destination, source, found)
    hop = destination if found.gateway is None else found.gateway
    return Departure(RouteKind.UNICAST, found.device, hop, source, found)
