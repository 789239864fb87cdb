"""The built-in services: protocols by name, IANA's and common port names, and what needs more than a port.

A name is looked up here after the policy's own. The host's files are never read, so that a policy means the same anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from policyc.net.protocols import TCP, UDP
from policyc.net.services import services
from policyc.policy.values import BOTH, IcmpService, PortService, ProtocolService, Service

PORT_PROTOCOLS = {"tcp": 6, "udp": 17, "dccp": 33, "sctp": 132, "udplite": 136}
V4, V6 = (4,), (6,)


def _ports(protocol: int, *ports: tuple[int, int], families: tuple[int, ...] = BOTH) -> PortService:
    return PortService(protocol, ports, (), families)


def _icmp(*types: int) -> IcmpService:
    return IcmpService(tuple((number, None) for number in types), V4)


def _icmp6(*types: int) -> IcmpService:
    return IcmpService(tuple((number, None) for number in types), V6)


SPECIAL: dict[str, tuple[Service, ...]] = {
    # ICMP that hosts need: RFC 792, RFC 4443, RFC 4861 (neighbour discovery), RFC 2710 and RFC 3810 (multicast listeners).
    "ping": (_icmp(8), _icmp6(128)),
    "icmp-errors": (_icmp(3, 11, 12), _icmp6(1, 2, 3, 4)),
    "nd": (_icmp6(133, 134, 135, 136),),
    "mld": (_icmp6(130, 131, 132, 143),),
    "traceroute": (_ports(UDP, (33434, 33534)),),
    # Both directions of DHCP: RFC 2131 and RFC 8415; a client's port and a server's port are fixed.
    "dhcp": (_ports(UDP, (67, 68), families=V4), _ports(UDP, (546, 547), families=V6)),
    "dhcpv6": (_ports(UDP, (546, 547), families=V6),),
    "llmnr": (_ports(UDP, (5355, 5355)), _ports(TCP, (5355, 5355))),
    "ipsec": (_ports(UDP, (500, 500), (4500, 4500)), ProtocolService(50, BOTH), ProtocolService(51, BOTH)),
}
"""Services that are more than one name of IANA's."""

PROTOCOLS: dict[str, int] = {
    "ah": 51, "egp": 8, "eigrp": 88, "esp": 50, "etherip": 97, "gre": 47, "igmp": 2, "ipcomp": 108, "ipencap": 4, "ipip": 94,
    "isis": 124, "ospf": 89, "pim": 103, "rsvp": 46, "sit": 41, "vrrp": 112,
}  # fmt: skip
"""Protocols without ports that stand alone as a service."""


@cache
def built_in(name: str) -> tuple[Service, ...] | None:
    """Return what a built-in name means, None where policyc does not know it."""
    if name in SPECIAL:
        return SPECIAL[name]
    if name in PROTOCOLS:
        return (ProtocolService(PROTOCOLS[name], BOTH),)
    ports = services().get(name)
    if ports is None:
        return None
    return tuple(_ports(PORT_PROTOCOLS[protocol], (port, port)) for protocol, port in sorted(ports.items()))


def built_in_names() -> Iterator[str]:
    """Yield every built-in name, for suggestions."""
    yield from SPECIAL
    yield from PROTOCOLS
    yield from services()
