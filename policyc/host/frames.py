"""What an arriving frame is before any table sees its packet. Part of `policyc.host`.

Sources: net/ethernet/eth.c (eth_type_trans), net/ipv4/ip_input.c (ip_rcv_core), net/ipv6/ip6_input.c (ip6_rcv_core).
"""

from __future__ import annotations

from policyc.host.host import Interface
from policyc.host.ipv6_kinds import LOCALHOST, is_multicast

BROADCAST_MAC = (1 << 48) - 1
_GROUP_BIT = 1 << 40


def packet_type(interface: Interface, mac: int | None) -> str:
    """Return what `-m pkttype` reads for a frame to this MAC: unicast, broadcast, multicast or otherhost. None: ours."""
    if mac is None or mac == interface.mac:
        return "unicast"
    if mac == BROADCAST_MAC:
        return "broadcast"
    return "multicast" if is_group(mac) else "otherhost"


def is_group(mac: int) -> bool:
    """Whether frames to a MAC are for many: broadcast or multicast."""
    return bool(mac & _GROUP_BIT)


def refusal(interface: Interface, kind: str, family: int, source: int, destination: int) -> str:
    """Return why the packet never enters netfilter, "" where it does; `kind` is the frame's packet type."""
    if kind == "otherhost":
        return "the frame is for another host's MAC address"
    if family == 4 or interface.is_loopback:
        return ""
    if LOCALHOST in {source, destination}:
        return "::1 does not come from outside"
    if is_multicast(source):
        return "a multicast address cannot be a source"
    if is_multicast(destination) and (destination >> 112) & 15 in {0, 1}:
        return "a multicast address of this scope does not leave an interface"
    return ""
