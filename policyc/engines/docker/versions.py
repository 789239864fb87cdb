"""The releases of Docker Engine as data: what each that changed something about its rules changed, and nothing else.

Sources: the iptables documents that moby generates for every tag, its sources (libnetwork/drivers/bridge, libnetwork/iptables),
its release notes, and rules recorded from 20.10.24, 26.1.5, 27.5.1, 28.5.2 and 29.7.2.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import Any

from policyc.engines.releases import behaviour
from policyc.frozen import frozen


class Layout(Enum):
    """Where the rules of a network stand in the filter table."""

    FORWARD = "in FORWARD itself, the newest network first"
    IPSET = "FORWARD asks an ipset of all subnets"
    CHAINS = "in DOCKER-FORWARD, DOCKER-CT and DOCKER-BRIDGE, the oldest network first"


class Isolation(Enum):
    """What keeps one bridge network from another."""

    STAGES_FIRST = "DOCKER-ISOLATION-STAGE-1 and -2, each closed by RETURN, new rules on top"
    STAGES_LAST = "the same chains without RETURN, new rules at the end of stage 1"
    INTERNAL = "the default drop of DOCKER, and DOCKER-INTERNAL for internal networks"


class PortOrder(Enum):
    """In which order the published ports of a container are programmed."""

    DESCENDING = "the greatest host port first, tcp before the others (nat.SortPortMap of docker/go-connections)"
    ASCENDING = "exact ports before ranges, then by container port, protocol, host port and address"
    BY_MAPPER = "ports that are translated before those that are routed, then as ascending"


class DirectAccess(Enum):
    """What drops packets that outsiders send to a container's own address, in the raw table."""

    OPEN = "nothing does"
    BY_PORT = "a rule for each published port"
    BY_ENDPOINT = "a rule for each address of a container"


class RoutedReturn(Enum):
    """Whether packets from a routed network return from DOCKER in nat before any port is looked at."""

    NEVER = "they do not"
    ALWAYS = "they do"
    AS_OTHERS = "where those of other networks do"


@frozen
class Behaviour:
    """How a release programs its rules; the defaults are those of 20.10."""

    layout: Layout = Layout.FORWARD
    isolation: Isolation = Isolation.STAGES_FIRST
    port_order: PortOrder = PortOrder.DESCENDING
    direct_access: DirectAccess = DirectAccess.OPEN
    gateway_modes: frozenset[str] = frozenset()
    """The values that `gateway_mode_ipv4` may have; none: the option is not known and changes nothing."""
    ip6tables: bool = False
    """Whether IPv6 is filtered without being asked for."""
    ip6tables_is_experimental: bool = True
    """Whether filtering IPv6 needs the flag `experimental` too."""
    ipv6_forward_drop: bool = True
    """Whether FORWARD of IPv6 drops as soon as IPv6 is filtered, and not only when the daemon turns on forwarding."""
    user_chain_ipv6: bool = False
    """Whether IPv6 has the chain DOCKER-USER."""
    user_chain_returns: bool = True
    """Whether DOCKER-USER ends with RETURN."""
    internal_ipv6_checks_bridge: bool = False
    """Whether an internal network lets IPv6 from any address pass on the bridge itself (neighbour discovery)."""
    host_ipv6: bool = False
    """Whether `com.docker.network.host_ipv6` is known."""
    routed_returns: RoutedReturn = RoutedReturn.NEVER
    skips_own_bridge: bool = True
    """Whether packets from a bridge return from DOCKER in nat."""
    masquerades_itself: bool = True
    """Whether each published port masquerades what its container sends to itself, also where docker-proxy would."""
    link_local_is_proxied: bool = False
    """Whether link-local IPv6 senders are left to docker-proxy."""
    loopback_guard: bool = False
    """Whether a port published on 127.0.0.1 is closed to neighbours."""
    open_ports_on_top: bool = False
    """Whether rules of published ports are put before, not behind, those that DOCKER has."""
    sctp_checksum: bool = True
    """Whether checksums of published SCTP ports are filled in, in the mangle table."""
    ipv6_pool: bool = False
    """Whether an IPv6 network may have a subnet that the daemon draws."""
    default_bridge_ipv6_from_mac: bool = True
    """Whether addresses of the default bridge repeat the container's MAC address."""
    daemon_flags: frozenset[str] = field(default=frozenset())
    """Flags of dockerd that came later than 20.10 and matter here."""


CHANGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("20.10.0", {}),
    ("23.0.0", {"user_chain_ipv6": True}),
    ("24.0.0", {"daemon_flags": frozenset({"default-network-opt"})}),
    ("24.0.6", {"internal_ipv6_checks_bridge": True}),
    ("25.0.0", {"host_ipv6": True}),
    (
        "27.0.0",
        {
            "ip6tables": True, "ip6tables_is_experimental": False, "port_order": PortOrder.ASCENDING,
            "gateway_modes": frozenset({"nat", "routed"}), "ipv6_pool": True,
        },
    ),
    (
        "28.0.0",
        {
            "layout": Layout.IPSET, "isolation": Isolation.STAGES_LAST, "direct_access": DirectAccess.BY_PORT,
            "gateway_modes": frozenset({"nat", "routed", "nat-unprotected", "isolated"}), "ipv6_forward_drop": False,
            "routed_returns": RoutedReturn.ALWAYS, "masquerades_itself": False, "link_local_is_proxied": True,
            "loopback_guard": True, "open_ports_on_top": True, "sctp_checksum": False, "default_bridge_ipv6_from_mac": False,
            "daemon_flags": frozenset({"default-network-opt", "ip-forward-no-drop"}),
        },
    ),
    ("28.0.1", {"layout": Layout.CHAINS}),
    (
        "28.2.0",
        {
            "direct_access": DirectAccess.BY_ENDPOINT, "routed_returns": RoutedReturn.AS_OTHERS,
            "daemon_flags": frozenset({"default-network-opt", "ip-forward-no-drop", "allow-direct-routing"}),
        },
    ),
    ("28.2.2", {"user_chain_returns": False}),
    (
        "29.0.0",
        {
            "isolation": Isolation.INTERNAL, "skips_own_bridge": False,
            "port_order": PortOrder.BY_MAPPER,
            "daemon_flags": frozenset({
                "default-network-opt", "ip-forward-no-drop", "allow-direct-routing", "bridge-accept-fwmark",
                "firewall-backend",
            }),
        },
    ),
)  # fmt: skip
"""Each release that changed something, oldest first, with what it changed."""

SERIES: tuple[tuple[str, int], ...] = (
    ("20.10", 27), ("23.0", 18), ("24.0", 9), ("25.0", 13), ("26.0", 2), ("26.1", 5), ("27.0", 3), ("27.1", 2), ("27.2", 1),
    ("27.3", 1), ("27.4", 1), ("27.5", 1), ("28.0", 4), ("28.1", 1), ("28.2", 2), ("28.3", 3), ("28.4", 0), ("28.5", 2),
    ("29.0", 4), ("29.1", 5), ("29.2", 1), ("29.3", 0), ("29.4", 0), ("29.5", 0), ("29.6", 0), ("29.7", 2),
)  # fmt: skip
"""Each series of releases with the number of the last one that is known here."""

RELEASES: tuple[str, ...] = tuple(f"{series}.{patch}" for series, last in SERIES for patch in range(last + 1))


def behaviour_of(release: str) -> Behaviour:
    """Return how a release behaves."""
    return behaviour(Behaviour(), CHANGES, release)
