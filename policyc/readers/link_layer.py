"""What a captured frame has around its IP packet: addresses, direction, VLAN tags. Used by `pcap`, above `ip_packet`.

Link types are those of tcpdump.org/linktypes.html, frame types those of IEEE 802 (include/uapi/linux/if_ether.h).
"""

from __future__ import annotations

from typing import NamedTuple

from policyc.frozen import frozen
from policyc.readers.ip_packet import PacketError

_IPV4, _IPV6, _PPPOE = 0x0800, 0x86DD, 0x8864
_TAGS = frozenset((0x8100, 0x88A8, 0x9100))  # 802.1Q, 802.1ad, and what came before it
_OTHERS = {
    0x0806: "an ARP packet", 0x8035: "a RARP packet", 0x8847: "an MPLS packet", 0x8863: "a PPPoE discovery packet",
    0x88CC: "an LLDP packet", 0x888E: "an 802.1X packet", 0x8892: "a PROFINET packet", 0x88F7: "a PTP packet",
    0x9000: "an Ethernet loopback test",
}  # fmt: skip
_PPP_IP = frozenset((0x0021, 0x0057))
_BSD_FAMILIES = frozenset((2, 24, 28, 30))  # AF_INET, and AF_INET6 of NetBSD, FreeBSD and Darwin
_ETHERNET_DEVICES = frozenset((1, 772))  # ARPHRD_ETHER, ARPHRD_LOOPBACK
# How Linux saw a frame (PACKET_HOST, _BROADCAST, _MULTICAST, _OUTGOING); 3 is one to another host, seen in passing.
_DIRECTIONS = {0: "in", 1: "in", 2: "in", 4: "out"}
_UNREAD = {
    9: "PPP", 105: "802.11 (Wi-Fi)", 127: "802.11 with radiotap", 119: "802.11 with Prism", 147: "user-defined", 187: "Bluetooth",
    201: "Bluetooth", 220: "USB", 239: "NFLOG", 253: "netlink",
}  # fmt: skip


class Frame(NamedTuple):
    """An IP packet with what stood around it.

    `direction` is "in", "out" or "" where the capture does not say; `ifindex` is the number of the device, None likewise.
    """

    packet: bytes
    mac_src: int | None = None
    mac_dst: int | None = None
    direction: str = ""
    ifindex: int | None = None
    vlans: tuple[int, ...] = ()


@frozen
class _Inside:
    packet: bytes
    vlans: tuple[int, ...]


def read_frame(linktype: int, data: bytes) -> Frame:
    """Return the IP packet of a frame; raises PacketError for another kind of packet or of link."""
    if linktype == 1:
        _need(data, 14, "Ethernet")
        inside = _behind(int.from_bytes(data[12:14], "big"), data[14:])
        return Frame(
            inside.packet, int.from_bytes(data[6:12], "big"), int.from_bytes(data[:6], "big"), vlans=inside.vlans
        )
    if linktype in {12, 14, 101, 228, 229}:
        return Frame(data)
    if linktype in {0, 108}:
        return Frame(_loopback(data))
    if linktype == 113:
        _need(data, 16, "Linux cooked")
        words = [int.from_bytes(data[at : at + 2], "big") for at in range(0, 16, 2)]
        inside = _behind(words[7], data[16:])
        return _cooked(inside, words[0], words[1], words[2], data[6:12], None)
    if linktype == 276:
        _need(data, 20, "Linux cooked")
        inside = _behind(int.from_bytes(data[:2], "big"), data[20:])
        device = int.from_bytes(data[8:10], "big")
        return _cooked(inside, data[10], device, data[11], data[12:18], int.from_bytes(data[4:8], "big"))
    known = f" ({_UNREAD[linktype]})" if linktype in _UNREAD else ""
    raise PacketError(
        f"its link type is {linktype}{known}; read are Ethernet (1), raw IP (12, 14, 101, 228, 229), Linux cooked (113, 276) and "
        "loopback (0, 108)"
    )


def _cooked(inside: _Inside, kind: int, device: int, size: int, address: bytes, ifindex: int | None) -> Frame:
    mac = int.from_bytes(address, "big") if device in _ETHERNET_DEVICES and size == 6 else None
    return Frame(inside.packet, mac, None, _DIRECTIONS.get(kind, ""), ifindex, inside.vlans)


def _behind(kind: int, data: bytes) -> _Inside:
    """Return the IP packet behind a frame type, through VLAN tags and PPPoE."""
    vlans: list[int] = []
    while kind in _TAGS:
        _need(data, 4, "VLAN")
        vlans.append(int.from_bytes(data[:2], "big") & 0xFFF)
        kind, data = int.from_bytes(data[2:4], "big"), data[4:]
    if kind == _PPPOE:
        _need(data, 8, "PPPoE")
        if int.from_bytes(data[6:8], "big") not in _PPP_IP:
            raise PacketError("it is a PPPoE frame without an IP packet")
        return _Inside(data[8:], tuple(vlans))
    if kind in {_IPV4, _IPV6}:
        return _Inside(data, tuple(vlans))
    if kind < 0x0600:
        raise PacketError("it is an IEEE 802.3 frame without an IP packet (spanning tree and the like)")
    what = _OTHERS.get(kind, f"a frame of type {kind:#06x}")
    raise PacketError(f"it is {what}, which no table of iptables sees")


def _loopback(data: bytes) -> bytes:
    """Return what follows the family of a BSD loopback device, a number of the byte order of whoever captured it."""
    _need(data, 4, "loopback")
    family = min(int.from_bytes(data[:4], "big"), int.from_bytes(data[:4], "little"))
    if family not in _BSD_FAMILIES:
        raise PacketError(f"its loopback header says address family {family}, which is neither IPv4 nor IPv6")
    return data[4:]


def _need(data: bytes, size: int, what: str) -> None:
    if len(data) < size:
        raise PacketError(f"it ends within its {what} header, {len(data)} of {size} bytes")
