"""Which multicast groups an interface has joined. Part of `policyc.host`.

Every IPv4 interface is in 224.0.0.1; IPv6 interfaces are in ff01::1, ff02::1 and the solicited-node group of each address and,
on a router, in the groups of all routers (net/ipv6/addrconf.c, measured with `ip maddr`). Sockets join others: `Host.groups`.
"""

from __future__ import annotations

from policyc.host.host import Host, Interface
from policyc.host.own_addresses import kept

ALL_SYSTEMS = 0xE0000001  # 224.0.0.1
ALL_NODES = frozenset(((0xFF01 << 112) | 1, (0xFF02 << 112) | 1))
ALL_ROUTERS = frozenset(((0xFF01 << 112) | 2, (0xFF02 << 112) | 2, (0xFF05 << 112) | 2))
_SOLICITED = (0xFF02 << 112) | (0x1FF << 24)  # ff02::1:ff00:0/104


def is_joined(host: Host, device: str, family: int, group: int) -> bool:
    """Whether packets to a multicast group that arrive at the interface are for this host."""
    if (device, family, group) in host.groups:
        return True
    interface = host.interface(device)
    if interface is None or not interface.up:
        return False
    if family == 4:
        return group == ALL_SYSTEMS
    if group in ALL_NODES:
        return True
    if interface.is_loopback:
        return False
    routes = bool(host.sysctls.of_all(6, "forwarding"))
    if group in ALL_ROUTERS:
        return routes
    return group >> 24 == _SOLICITED >> 24 and group in solicited_nodes(host, interface)


def solicited_nodes(host: Host, interface: Interface) -> frozenset[int]:
    """Return the solicited-node groups of an interface's addresses (RFC 4291), a router's also for its subnets' anycast."""
    own = [one.address for one in kept(interface, 6)]
    if host.sysctls.of_all(6, "forwarding"):
        own += [one.network.address for one in kept(interface, 6) if one.prefix < 127]
    return frozenset(_SOLICITED | address & 0xFFFFFF for address in own)
