"""A Packet as the bytes that a real one has, from the IP header on. First step of sending one for real.

Sources: RFC 791, 8200, 9293, 768, 792, 4443, 9260.
"""

from __future__ import annotations

import struct

from policyc.host.frames import BROADCAST_MAC
from policyc.host.host import Interface
from policyc.net.addresses import WIDTH
from policyc.net.protocols import ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE
from policyc.simulation.packet import IDENTIFIED, Packet, Segment

HEADER = {4: 20, 6: 40}
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
_OPTION_SIZE = {2: 4, 3: 3, 4: 2, 8: 10}  # of TCP: MSS, window scale, SACK permitted, timestamps
_QUOTED_OF_TRANSPORT = 8  # bytes, RFC 792
_CHECKSUM_AT = {TCP: 16, UDP: 6, UDPLITE: 6, ICMP: 2, ICMPV6: 2}
_ELSEWHERE = 0x02FFFFFFFF01  # a MAC that no interface has
_GROUP = {4: 0x01005E000000, 6: 0x333300000000}


class CannotSend(ValueError):  # noqa: N818 - it says what is so
    """The packet has something that is not built; the message is the reason."""


def ip_packet(packet: Packet, mark: int) -> bytes:
    """Return the packet's bytes. `mark`, IPv4's identification or IPv6's flow label, tells it from others on its way.

    Raises CannotSend for fragments and extension headers.
    """
    if packet.frag != "whole" or packet.v6_headers not in {None, (), ("prot",)}:
        raise CannotSend("fragments and IPv6 extension headers are not sent")
    body = _transport(packet)
    size = max(packet.length - HEADER[packet.family], len(body))
    body = _summed(packet, body + bytes(size - len(body)))
    src, dst = _address(packet.src, packet.family), _address(packet.dst, packet.family)
    if packet.family == 6:
        head = struct.pack("!IHBB", 6 << 28 | packet.tos << 20 | mark, len(body), packet.proto, packet.ttl)
        return head + src + dst + body
    total = HEADER[4] + len(body)
    head = struct.pack("!BBHHHBBH", 0x45, packet.tos, total, mark, 0, packet.ttl, packet.proto, 0) + src + dst
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def frame(packet: Packet, mark: int, interface: Interface) -> bytes:
    """Return the Ethernet frame in which the packet comes to an interface."""
    to = {
        "unicast": interface.mac or 0, "broadcast": BROADCAST_MAC, "multicast": _GROUP[packet.family],
    }.get(packet.pkttype, _ELSEWHERE)  # fmt: skip
    of = packet.mac_src or interface.peer_mac or _ELSEWHERE
    return to.to_bytes(6) + of.to_bytes(6) + struct.pack("!H", ETHERTYPE[packet.family]) + ip_packet(packet, mark)


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    data += bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _address(number: int, family: int) -> bytes:
    return number.to_bytes(WIDTH[family] // 8)


def _transport(packet: Packet) -> bytes:
    ports = struct.pack("!HH", packet.sport or 0, packet.dport or 0)
    room = packet.length - HEADER[packet.family]
    if packet.proto == TCP:
        segment = packet.segment or Segment()
        options = _options(packet)
        head = struct.pack(
            "!IIBBHHH", segment.seq, segment.ack, (5 + len(options) // 4) << 4, packet.tcp_flags or 0, segment.window, 0, 0
        )  # fmt: skip
        return ports + head + options + bytes(segment.payload)
    if packet.proto in {UDP, UDPLITE}:
        return ports + struct.pack("!HH", max(room, 8), 0)
    if packet.proto in {ICMP, ICMPV6}:
        return _icmp(packet, room)
    if packet.proto == SCTP:
        chunks = b"".join(struct.pack("!BBH", kind, 3, max(room - 12, 4)) for kind in (packet.sctp_chunks or ())[:1])
        return ports + bytes(8) + chunks
    if packet.spi is not None:
        return struct.pack("!II", packet.spi, 1)
    return ports + bytes(8) if packet.sport is not None else bytes(4)


def _options(packet: Packet) -> bytes:
    found = b""
    for kind in packet.tcp_option or ():
        size = _OPTION_SIZE.get(kind, 2)
        value = (packet.tcp_mss or 0) if kind == 2 else 0
        found += bytes((kind, size)) + value.to_bytes(size - 2)
    return found + b"\1" * (-len(found) % 4)


def _icmp(packet: Packet, room: int) -> bytes:
    kind, code = divmod(packet.icmp or 0, 256)
    if packet.inner is None:
        identifier = packet.icmp_id or 0
        return struct.pack("!BBHHH", kind, code, 0, identifier, 1 if kind in IDENTIFIED else 0)
    quoted = ip_packet(packet.inner, 1)
    shown = max(room - 8, HEADER[packet.family] + _QUOTED_OF_TRANSPORT)
    return struct.pack("!BBHI", kind, code, 0, 0) + quoted[:shown]


def _summed(packet: Packet, body: bytes) -> bytes:
    """Return the body with the checksum of its protocol, a wrong one where the packet is to have that."""
    if packet.proto == SCTP:
        return body if packet.bad_checksum else body[:8] + struct.pack("<I", crc32c(body)) + body[12:]
    at = _CHECKSUM_AT.get(packet.proto)
    if at is None:
        return body
    pseudo = b""
    if packet.proto != ICMP:
        ends = _address(packet.src, packet.family) + _address(packet.dst, packet.family)
        pseudo = ends + struct.pack("!II", len(body), packet.proto)
    right = checksum(pseudo + body)
    if packet.bad_checksum:
        right ^= 0x5555
    elif not right and packet.proto in {UDP, UDPLITE}:
        right = 0xFFFF
    return body[:at] + struct.pack("!H", right) + body[at + 2 :]


def crc32c(data: bytes) -> int:
    """Return SCTP's checksum (RFC 9260, appendix A)."""
    found = 0xFFFFFFFF
    for byte in data:
        found ^= byte
        for _ in range(8):
            found = found >> 1 ^ (0x82F63B78 if found & 1 else 0)
    return found ^ 0xFFFFFFFF
