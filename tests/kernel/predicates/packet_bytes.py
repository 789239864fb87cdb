"""The bytes of a packet that is described as docs/api.md has it: what is sent for real, and what `replay` is asked about."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import Any

from policyc.net.protocols import AH, DCCP, ESP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE, parse_protocol

Described = dict[str, Any]

FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
MOBILITY, NO_NEXT = 135, 59
# IPv6 extension headers by the names of `ipv6header`: their numbers, and their bytes behind "next header".
HEADERS = {"hop": 0, "dst": 60, "route": 43, "frag": 44, "auth": 51}
PADN = bytes([0, 1, 4, 0, 0, 0, 0])
MACS = {"broadcast": "ff:ff:ff:ff:ff:ff", "multicast": "01:00:5e:00:00:01"}


def folded(data: bytes) -> int:
    """The Internet checksum."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def crc32c(data: bytes) -> int:
    """SCTP's checksum (RFC 9260, appendix A)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def is_ipv6(p: Described) -> bool:
    return ":" in p["src"]


def ends_of(p: Described) -> bytes:
    return ip_address(p["src"]).packed + ip_address(p["dst"]).packed


def tcp(p: Described) -> bytes:
    options = b"".join([
        *([struct.pack("!BBH", 2, 4, p["mss"])] if "mss" in p else []),
        *(bytes([kind]) if kind < 2 else bytes([kind, 2]) for kind in p.get("tcp_options", ())),
    ])  # fmt: skip
    options += bytes(-len(options) % 4)
    flags = sum(1 << FLAGS.index(name) for name in p.get("flags", "SYN").split(",") if name != "NONE")
    return struct.pack(
        "!HHIIBBHHH", p["sport"], p["dport"], p.get("seq", 1000), p.get("ack", 0), (5 + len(options) // 4) << 4, flags,
        p.get("window", 65535), 0, 0,
    ) + options  # fmt: skip


def dccp(p: Described) -> bytes:
    """A header with 48-bit sequence numbers; requests name a service, others that acknowledge the number that they do."""
    kind = p["dccp_type"]
    rest = bytes({0: 4, 1: 12, 2: 0, 3: 8, 4: 8, 5: 8, 6: 8, 7: 12, 8: 8, 9: 8}[kind])
    options = b"".join(bytes([one]) if one < 32 else bytes([one, 2]) for one in p.get("dccp_options", ()))
    options += bytes(-len(options) % 4)
    words = (16 + len(rest) + len(options)) // 4
    return struct.pack("!HHBBHBBHI", p["sport"], p["dport"], words, 0, 0, kind << 1 | 1, 0, 0, 1) + rest + options


def transport(p: Described, proto: int) -> bytes:
    """The header and payload, with the checksum that it needs."""
    payload = p["data"] if "data" in p else bytes(p.get("payload", 0))
    pseudo = ends_of(p)
    wrong = 0x5555 if p.get("badsum") else 0

    def summed(body: bytes, at: int, over: int = proto) -> bytes:
        head = struct.pack("!IHH", len(body), 0, over)
        total = folded(pseudo + head + body) ^ wrong
        return body[:at] + struct.pack("!H", total) + body[at + 2 :]

    if proto == TCP:
        return summed(tcp(p) + payload, 16)
    if proto == UDP:
        return summed(struct.pack("!HHHH", p["sport"], p["dport"], 8 + len(payload), 0) + payload, 6)
    if proto == UDPLITE:
        return summed(struct.pack("!HHHH", p["sport"], p["dport"], 0, 0) + payload, 6)
    if proto in {ICMP, ICMPV6}:
        number = 0 if "inner" in p else p.get("icmp_id", 0)
        body = struct.pack("!BBHHH", p.get("icmp_type", 0), p.get("icmp_code", 0), 0, number, 0)
        body += ip_packet(p["inner"]) if "inner" in p else payload
        if proto == ICMPV6:
            return summed(body, 2)
        return body[:2] + struct.pack("!H", folded(body) ^ wrong) + body[4:]
    if proto == SCTP:
        chunks = b"".join(struct.pack("!BBH", kind, 0, 20) + b"\0\0\0\1" + bytes(12) for kind in p["sctp_chunks"])
        body = struct.pack("!HHII", p["sport"], p["dport"], 0 if 1 in p["sctp_chunks"] else 1, 0) + chunks
        if p.get("badsum", True):
            return body
        return body[:8] + struct.pack("<I", crc32c(body)) + body[12:]
    if proto == DCCP:
        return dccp(p) + payload
    if proto == ESP:
        return struct.pack("!II", p["spi"], 1) + bytes(32)
    if proto == AH:
        return struct.pack("!BBHII", NO_NEXT, 4, 0, p["spi"], 1) + bytes(12)
    if proto == MOBILITY:
        return summed(struct.pack("!BBBBHBB", NO_NEXT, 0, p["mh_type"], 0, 0, 0, 0), 4)
    return b"" if proto == NO_NEXT else bytes(8) + payload


def fragment(p: Described, body: bytes) -> tuple[bytes, int]:
    """What of the body is in this packet, and offset and "more fragments" as IPv6 has them."""
    kind = p.get("frag", "whole")
    if kind == "first":
        return body + bytes(-len(body) % 8), 1
    return (bytes(24), 64) if kind == "later" else (body, 0)


def ip_packet(p: Described) -> bytes:
    """The packet from its IP header on."""
    proto = parse_protocol(p["proto"])
    body, offset = fragment(p, transport(p, proto))
    tos, ttl = p.get("tos", 0), p.get("ttl", 64)
    if not is_ipv6(p):
        where = offset >> 3 | (offset & 1) << 13
        head = struct.pack("!BBHHHBBH", 0x45, tos, 20 + len(body), 7, where, ttl, proto, 0) + ends_of(p)
        return head[:10] + struct.pack("!H", folded(head)) + head[12:] + body
    following = proto
    for name in reversed(p.get("headers", ())):
        if name == "frag":
            rest = struct.pack("!BHI", 0, offset, 7)
        elif name == "auth":
            rest = struct.pack("!BHII", 4, 0, p["spi"], 1) + bytes(12)
        elif name == "route":
            rest = bytes(7)
        else:
            rest = PADN
        body, following = bytes([following]) + rest + body, HEADERS[name]
    return struct.pack("!IHBB", 6 << 28 | tos << 20, len(body), following, ttl) + ends_of(p) + body


def frame(p: Described, ours: str, theirs: str = "02:00:00:00:00:99") -> bytes:
    """The Ethernet frame to the interface with the MAC `ours`."""
    word = p.get("dst_mac", "host")
    target = ours if word == "host" else MACS.get(word, word)
    source = p.get("src_mac", theirs)
    kind = 0x86DD if is_ipv6(p) else 0x0800
    return bytes.fromhex(f"{target}{source}".replace(":", "")) + struct.pack("!H", kind) + ip_packet(p)


def with_length(p: Described) -> Described:
    """The description with the length that its bytes have."""
    return {**p, "length": len(ip_packet(p))}
