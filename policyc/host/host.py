"""The host that a ruleset runs on, as one value. Everything that asks a host reads it; nothing here asks the machine.

A `Host` says what is configured: what the kernel derives from it (local routes, link-local addresses, joined groups) is in
it already when `policyc.host.derived` or a snapshot made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from policyc.frozen import frozen
from policyc.host.known_connection import KnownConnection
from policyc.host.routing_rule import RoutingRule, default_rules
from policyc.host.set_values import MemberSet
from policyc.host.sysctls import Sysctls
from policyc.net.addresses import ALL_ONES, WIDTH, Network

LOOPBACK = "lo"
MAIN, LOCAL, DEFAULT = 254, 255, 253  # routing tables, include/uapi/linux/rtnetlink.h


class Scope(Enum):
    """How far an IPv4 address is valid; the number grows as the scope narrows (rtnetlink(7))."""

    UNIVERSE = 0
    SITE = 200
    LINK = 253
    HOST = 254


class RouteKind(Enum):
    """What a route does with a packet, as ip-route(8) spells it."""

    UNICAST = "unicast"
    LOCAL = "local"
    BROADCAST = "broadcast"
    ANYCAST = "anycast"
    MULTICAST = "multicast"
    UNREACHABLE = "unreachable"
    PROHIBIT = "prohibit"
    BLACKHOLE = "blackhole"
    THROW = "throw"


@frozen
class InterfaceAddress:
    """An address of this host with its prefix length; `peer` is the far end of a point-to-point link, else None.

    `broadcast` is an explicitly set broadcast address. Whether an IPv4 address is secondary follows from the order.
    """

    family: int
    address: int
    prefix: int
    scope: Scope = Scope.UNIVERSE
    peer: int | None = None
    broadcast: int | None = None
    deprecated: bool = False
    prefix_route: bool = True

    @property
    def mask(self) -> int:
        """The prefix length as a mask."""
        ones = ALL_ONES[self.family]
        return ones ^ (ones >> self.prefix)

    @property
    def network(self) -> Network:
        """The subnet that the address, or its peer, belongs to."""
        shared = self.address if self.peer is None else self.peer
        return Network(self.family, shared & self.mask, self.mask)


@frozen
class Interface:
    """A network interface; `mac` and `peer_mac` are 48-bit numbers, None where there is no link layer or nobody knows.

    `addresses` stand in the order in which they were added, both families mixed. `group` is the number of `ip link … group`.
    """

    name: str
    addresses: tuple[InterfaceAddress, ...] = ()
    mac: int | None = None
    peer_mac: int | None = None
    up: bool = True
    group: int = 0
    mtu: int = 1500

    @property
    def is_loopback(self) -> bool:
        """Whether this is `lo`."""
        return self.name == LOOPBACK


@frozen
class Route:
    """One route of one table. `device` is "" for the kinds that lead nowhere (unreachable, prohibit, blackhole, throw).

    `gateway` is the next hop's address, None for a destination on the link. `source` is the `src` attribute. Of equal
    destinations the lower `metric` wins, then the earlier. `derived` routes were made by the kernel for an address.
    """

    destination: Network
    device: str = ""
    gateway: int | None = None
    kind: RouteKind = RouteKind.UNICAST
    table: int = MAIN
    source: int | None = None
    metric: int = 0
    tos: int = 0
    realm: int = 0
    derived: bool = False

    @property
    def family(self) -> int:
        """4 or 6."""
        return self.destination.family

    @property
    def prefix(self) -> int:
        """The length of the destination's prefix in bits; routes have no other masks."""
        return WIDTH[self.family] - (self.destination.mask ^ ALL_ONES[self.family]).bit_length()


@frozen
class Host:
    """One host, or one network namespace of it.

    `interfaces` with `lo` first; `routes` of all tables and both families; `rules` in the order of their preference; `sets`
    by name; `groups` are the multicast groups joined beside those that every host joins: (interface, family, address).
    `connections` are those that connection tracking knows of.
    """

    interfaces: tuple[Interface, ...]
    routes: tuple[Route, ...] = ()
    rules: tuple[RoutingRule, ...] = field(default_factory=default_rules)
    sysctls: Sysctls = field(default_factory=Sysctls)
    sets: Mapping[str, MemberSet] = field(default_factory=dict)
    groups: frozenset[tuple[str, int, int]] = frozenset()
    connections: tuple[KnownConnection, ...] = ()

    def interface(self, name: str) -> Interface | None:
        """Return the interface of that name, or None."""
        return next((one for one in self.interfaces if one.name == name), None)
