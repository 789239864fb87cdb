"""The routes that the kernel makes by itself for addresses: local, broadcast, connected, anycast. Part of `policyc.host`.

Sources: net/ipv4/fib_frontend.c (fib_add_ifaddr), net/ipv6/addrconf.c; measured with `ip route show table all` on Linux 6.18.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policyc.host.host import LOCAL, MAIN, Interface, InterfaceAddress, Route, RouteKind
from policyc.host.own_addresses import is_secondary, primary_of
from policyc.host.sysctls import Sysctls
from policyc.net.addresses import ALL_ONES, Network

CONNECTED_METRIC = 256  # of IPv6 (IP6_RT_PRIO_ADDRCONF)


def derived_routes(interfaces: Sequence[Interface], sysctls: Sysctls) -> tuple[Route, ...]:
    """Return the routes of all addresses, in the order in which the kernel would have added them."""
    routes: list[Route] = []
    for interface in interfaces:
        for one in interface.addresses:
            routes += _of_ipv4(interface, one) if one.family == 4 else _of_ipv6(interface, one, sysctls)
        if interface.up and not interface.is_loopback and _speaks_ipv6(interface, sysctls):
            everybody = Network(6, 0xFF << 120, 0xFF << 120)
            kind = RouteKind.MULTICAST
            routes.append(Route(everybody, interface.name, None, kind, LOCAL, None, CONNECTED_METRIC, derived=True))
    return tuple(dict.fromkeys(routes))


def _speaks_ipv6(interface: Interface, sysctls: Sysctls) -> bool:
    return not (sysctls.of_all(6, "disable_ipv6") or sysctls.of_interface(6, interface.name, "disable_ipv6"))


def _of_ipv4(interface: Interface, one: InterfaceAddress) -> Iterator[Route]:
    source = primary_of(interface, one).address
    name = interface.name

    def to(address: int, mask: int, kind: RouteKind, table: int) -> Route:
        return Route(Network(4, address, mask), name, None, kind, table, source, derived=True)

    host = ALL_ONES[4]
    yield to(one.address, host, RouteKind.LOCAL, LOCAL)
    if not interface.up:
        return
    if one.broadcast not in {None, host}:
        assert one.broadcast is not None
        yield to(one.broadcast, host, RouteKind.BROADCAST, LOCAL)
    subnet = one.network
    is_alone = subnet.address == one.address and one.prefix == 32
    if subnet.address == 0 or is_secondary(interface, one) or is_alone:
        return
    if one.prefix_route:
        if interface.is_loopback:
            yield to(subnet.address, one.mask, RouteKind.LOCAL, LOCAL)
        else:
            yield to(subnet.address, one.mask, RouteKind.UNICAST, MAIN)
    if one.prefix < 31:
        yield to(subnet.address | (one.mask ^ host), host, RouteKind.BROADCAST, LOCAL)


def _of_ipv6(interface: Interface, one: InterfaceAddress, sysctls: Sysctls) -> Iterator[Route]:
    if not interface.up or not _speaks_ipv6(interface, sysctls):
        return
    whole = ALL_ONES[6]

    def to(network: Network, kind: RouteKind, table: int, metric: int = 0) -> Route:
        return Route(network, interface.name, None, kind, table, None, metric, derived=True)

    yield to(Network(6, one.address, whole), RouteKind.LOCAL, LOCAL)
    if interface.is_loopback:
        return
    if one.prefix < 127 and sysctls.of_all(6, "forwarding"):
        yield to(Network(6, one.network.address, whole), RouteKind.ANYCAST, LOCAL)
    if one.prefix_route:
        yield to(one.network, RouteKind.UNICAST, MAIN, CONNECTED_METRIC)
