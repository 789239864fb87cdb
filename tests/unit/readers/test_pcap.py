"""Capture files: both forms, both byte orders, every link type that is read, and what is said of what is not."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from policyc.diagnostics import InputError
from policyc.net.addresses import parse_address
from policyc.net.headers import Headers
from policyc.readers.pcap import Captured, read_capture

FAR, HERE = parse_address("203.0.113.9", 4), parse_address("198.51.100.1", 4)
FAR6, HERE6 = parse_address("2001:db8::9", 6), parse_address("2001:db8::1", 6)
MSS = b"\x02\x04\x05\xb4"
SACK_MSS = b"\x04\x02\x01\x01" + MSS


# ---------------------------------------------------------------------- packets
def ipv4(proto: int, body: bytes, *, fragment: int = 0, options: bytes = b"", total: int | None = None) -> bytes:
    size = 20 + len(options)
    head = struct.pack(
        "!BBHHHBBHII",
        0x40 | size // 4,
        0x48,
        size + len(body) if total is None else total,
        7,
        fragment,
        52,
        proto,
        0,
        FAR,
        HERE,
    )
    return head + options + body


def ipv6(following: int, body: bytes) -> bytes:
    return (
        struct.pack("!IHBB", 6 << 28 | 3 << 20, len(body), following, 63)
        + FAR6.to_bytes(16, "big")
        + HERE6.to_bytes(16, "big")
        + body
    )


def tcp(flags: int = 2, options: bytes = b"", payload: bytes = b"") -> bytes:
    return (
        struct.pack("!HHIIBBHHH", 51000, 443, 1000, 2000, (20 + len(options)) // 4 << 4, flags, 64240, 0, 0)
        + options
        + payload
    )


def udp(payload: bytes = b"abc") -> bytes:
    return struct.pack("!HHHH", 53, 3333, 8 + len(payload), 0) + payload


def ethernet(packet: bytes, kind: int = 0x0800, tags: bytes = b"") -> bytes:
    return bytes.fromhex("525400aa0001525400bb0002") + tags + struct.pack("!H", kind) + packet


# ---------------------------------------------------------------------- files
def pcap(*frames: bytes, linktype: int = 1, order: str = "<", magic: int = 0xA1B2C3D4) -> bytes:
    data = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, linktype)
    return data + b"".join(struct.pack(f"{order}IIII", 1, 2, len(one), len(one)) + one for one in frames)


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = 12 + len(body)
    return struct.pack(f"{order}II", kind, size) + body + struct.pack(f"{order}I", size)


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str = "<") -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(linktype: int, name: bytes = b"", order: str = "<", snaplen: int = 0) -> bytes:
    named = option(order, 2, name) + option(order, 0, b"") if name else b""
    return block(order, 1, struct.pack(f"{order}HHI", linktype, 0, snaplen) + named)


def enhanced(
    frame: bytes, index: int = 0, order: str = "<", flags: int | None = None, length: int | None = None
) -> bytes:
    more = b"" if flags is None else option(order, 2, struct.pack(f"{order}I", flags)) + option(order, 0, b"")
    head = struct.pack(f"{order}IIIII", index, 0, 0, len(frame), len(frame) if length is None else length)
    return block(order, 6, head + frame + bytes(-len(frame) % 4) + more)


def only(frame: bytes, linktype: int = 101) -> Headers:
    return read_capture(pcap(frame, linktype=linktype), "x.pcap", 1).headers


def fault(data: bytes, number: int = 1) -> str:
    with pytest.raises(InputError) as raised:
        read_capture(data, "x.pcap", number)
    (one,) = raised.value.diagnostics
    return one.message


# ---------------------------------------------------------------------- what is read
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D])
@pytest.mark.parametrize("order", ["<", ">"])
def test_classic_files(order: str, magic: int) -> None:
    data = pcap(ethernet(ipv4(17, udp())), ethernet(ipv4(6, tcp(options=SACK_MSS))), order=order, magic=magic)
    assert read_capture(data, "x.pcap", 2) == Captured(
        Headers(
            4, FAR, HERE, 6, sport=51000, dport=443, flags=2, seq=1000, ack=2000, window=64240, mss=1460, ttl=52, tos=0x48,
            length=48, payload=0, mac_src=0x525400BB0002, mac_dst=0x525400AA0001,
        ),
        2,
    )  # fmt: skip


@pytest.mark.parametrize("order", ["<", ">"])
def test_sections_have_their_own_order_and_interfaces(order: str) -> None:
    data = (
        section("<") + interface(1, b"eth0") + enhanced(ethernet(ipv4(17, udp())), flags=1) + block("<", 5, bytes(12))
    )
    data += (
        section(order)
        + interface(101, b"tun0", order)
        + interface(1, b"eth1", order)
        + enhanced(ethernet(ipv4(6, tcp())), 1, order, 2)
    )
    first, second = (read_capture(data, "x.pcapng", number) for number in (1, 2))
    assert (first.interface, first.direction, first.headers.entry, first.headers.exit) == ("eth0", "in", "eth0", "")
    assert (second.interface, second.direction, second.headers.entry, second.headers.exit) == (
        "eth1",
        "out",
        "",
        "eth1",
    )
    assert second.headers.dport == 443


def test_an_interface_without_direction_is_neither_entry_nor_exit() -> None:
    data = section() + interface(101, b"wg0") + enhanced(ipv4(17, udp()))
    found = read_capture(data, "x.pcapng", 1)
    assert (found.interface, found.direction, found.headers.entry, found.headers.exit) == ("wg0", "", "", "")


@pytest.mark.parametrize("name", [rb"\Device\NPF_{0A1B}", b"any", b"an interface", b"averyveryverylongname"])
def test_names_that_are_no_interface_of_linux(name: bytes) -> None:
    assert read_capture(section() + interface(101, name) + enhanced(ipv4(17, udp())), "x", 1).interface == ""


def test_old_and_simple_blocks() -> None:
    frame = ipv4(17, udp())
    simple = block("<", 3, struct.pack("<I", len(frame)) + frame)
    old = block("<", 2, struct.pack("<HHIIII", 0, 0, 0, 0, len(frame), len(frame)) + frame)
    data = section() + interface(101) + simple + block("<", 9, b"journal") + old
    assert read_capture(data, "x", 1).headers == read_capture(data, "x", 3).headers
    assert fault(data, 2) == "packet 2 of `x.pcap`: it is no packet but an event of the system that captured"


@pytest.mark.parametrize(
    ("linktype", "before"),
    [
        (101, b""), (12, b""), (14, b""), (228, b""), (0, b"\2\0\0\0"), (0, b"\0\0\0\2"), (108, b"\0\0\0\2"),
        (113, struct.pack("!HHH8sH", 0, 1, 6, b"\x52\x54\0\xbb\0\2", 0x0800)),
        (276, struct.pack("!HHIHBB8s", 0x0800, 0, 7, 1, 4, 6, b"\x52\x54\0\xbb\0\2")),
    ],
)  # fmt: skip
def test_link_types(linktype: int, before: bytes) -> None:
    found = read_capture(pcap(before + ipv4(17, udp()), linktype=linktype), "x", 1)
    assert (found.headers.src, found.headers.dport, found.headers.payload) == (FAR, 3333, 3)
    cooked = {113: ("in", None, 0x525400BB0002), 276: ("out", 7, 0x525400BB0002)}
    assert (found.direction, found.ifindex, found.headers.mac_src) == cooked.get(linktype, ("", None, None))


@pytest.mark.parametrize(
    ("tags", "vlans"),
    [("8100000a", (10,)), ("88a80064" + "8100200a", (100, 10))],
)
def test_vlan_tags(tags: str, vlans: tuple[int, ...]) -> None:
    found = read_capture(pcap(ethernet(ipv6(17, udp()), 0x86DD, bytes.fromhex(tags))), "x", 1)
    assert (found.vlans, found.headers.dport) == (vlans, 3333)


def test_pppoe() -> None:
    assert only(ethernet(b"\x11\0\0\1\0\x20\x00\x21" + ipv4(17, udp()), 0x8864), 1).dport == 3333


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (ipv4(6, tcp(0x12, payload=b"abcde")), {"flags": 0x12, "payload": 5, "length": 45, "mss": None}),
        (ipv4(6, tcp(options=MSS), options=b"\x94\4\0\0"), {"mss": 1460, "length": 48, "payload": 0}),
        (ipv4(6, tcp()) + bytes(6), {"payload": 0, "length": 40}),  # padding of a short Ethernet frame
        (ipv4(6, tcp(payload=b"abc"), total=0), {"payload": 3, "length": 43}),  # segmentation offload
        (ipv4(6, b"rest", fragment=0x2010), {"fragment": True, "sport": None, "flags": None}),
        (ipv4(17, udp(), fragment=0x2000), {"fragment": False, "dport": 3333, "length": None, "payload": None}),
        (ipv4(136, udp()), {"proto": 136, "dport": 3333}),
        (ipv4(132, struct.pack("!HHII", 5, 6, 0, 0) + bytes(4)), {"sport": 5, "dport": 6, "payload": 4}),
        (ipv4(33, struct.pack("!HH", 5, 6) + bytes(12)), {"sport": 5, "dport": 6}),
        (ipv4(1, b"\x08\0\0\0\0\x4d\0\1"), {"icmp": 0x800, "icmp_id": 77, "payload": 0}),
        (ipv4(1, b"\x03\x01\0\0\0\0\0\0" + ipv4(6, tcp())[:28]), {"icmp": 0x301, "icmp_id": None}),
        (ipv4(50, b"\xde\xad\xbe\xef1234"), {"spi": 0xDEADBEEF}),
        (ipv4(51, b"\6\4\0\0\0\0\0\x10" + bytes(16)), {"proto": 51, "spi": 16}),
        (ipv4(47, b"\0\0\x08\0"), {"proto": 47, "sport": None, "payload": 4}),
        (ipv6(6, tcp(payload=b"ab")), {"family": 6, "dport": 443, "ttl": 63, "tos": 3, "length": 62, "payload": 2}),
        (ipv6(0, b"\x3c\0\0\0\0\0\0\0" + b"\x06\0\0\0\0\0\0\0" + tcp()), {"proto": 6, "dport": 443, "payload": 0}),
        (ipv6(43, b"\x11\0\0\0\0\0\0\0" + udp()), {"proto": 17, "dport": 3333}),
        (ipv6(44, b"\x11\0\0\1\0\0\0\7" + udp()), {"fragment": False, "dport": 3333, "length": None}),
        (ipv6(44, b"\x11\0\0\x10\0\0\0\7" + b"rest"), {"fragment": True, "dport": None, "proto": 17}),
        (ipv6(51, b"\x06\4\0\0\0\0\0\x10" + bytes(16) + tcp()), {"proto": 6, "spi": 16, "dport": 443}),
        (ipv6(50, b"\0\0\0\5data"), {"proto": 50, "spi": 5}),
        (ipv6(59, b""), {"proto": 59, "length": 40 }),
        (ipv6(58, b"\x80\0\0\0\0\x4d\0\1"), {"icmp": 0x8000, "icmp_id": 77}),
        (ipv6(58, b"\x87\0\0\0\0\0\0\0" + bytes(16)), {"icmp": 0x8700, "icmp_id": None}),
    ],
)  # fmt: skip
def test_packets(packet: bytes, expected: dict[str, Any]) -> None:
    found = only(packet)
    assert {name: getattr(found, name) for name in expected} == expected


def test_quoted_packets_may_end_behind_their_ports() -> None:
    inner = only(ipv4(1, b"\x03\x01\0\0\0\0\0\0" + ipv4(6, tcp())[:28])).inner
    assert inner == Headers(4, FAR, HERE, 6, sport=51000, dport=443, seq=1000, ttl=52, tos=0x48, length=40)
    whole = only(ipv6(58, b"\x01\4\0\0\0\0\0\0" + ipv6(17, udp()))).inner
    assert whole is not None
    assert (whole.dport, whole.payload) == (3333, 3)


# ---------------------------------------------------------------------- what is not
@pytest.mark.parametrize(
    ("frame", "linktype", "message"),
    [
        (ethernet(bytes(28), 0x0806), 1, "it is an ARP packet, which no table of iptables sees"),
        (ethernet(bytes(28), 0x88CC), 1, "it is an LLDP packet, which no table of iptables sees"),
        (ethernet(bytes(28), 0x1234), 1, "it is a frame of type 0x1234, which no table of iptables sees"),
        (ethernet(bytes(28), 0x0026), 1, "it is an IEEE 802.3 frame without an IP packet (spanning tree and the like)"),
        (ethernet(b"\x11\0\0\1\0\x20\xc0\x21", 0x8864), 1, "it is a PPPoE frame without an IP packet"),
        (b"\0" * 9, 1, "it ends within its Ethernet header, 9 of 14 bytes"),
        (b"\7\0\0\0", 0, "its loopback header says address family 7, which is neither IPv4 nor IPv6"),
        (b"", 101, "there is nothing behind its link-layer header"),
        (b"\x50", 101, "its IP header says version 5, and must say 4 or 6"),
        (ipv4(6, tcp())[:19], 101, "it ends within its IPv4 header, 19 of 20 bytes"),
        (b"\x44" + ipv4(6, tcp())[1:], 101, "its IPv4 header says that it is 16 bytes long, and has at least 20"),
        (ipv4(6, tcp(), total=12), 101, "its IPv4 header says that the packet has 12 bytes, less than the header"),
        (ipv4(6, tcp()[:12]), 101, "it ends within its TCP header, 12 of 20 bytes"),
        (ipv4(6, tcp()[:12] + b"\x10" + tcp()[13:]), 101, "its TCP header says that it is 4 bytes long, and has at least 20"),
        (ipv6(0, b"\x3c\0"), 101, "it ends within its IPv6 extension header, 2 of 8 bytes"),
        (ipv4(1, b"\x03\x01\0\0\0\0\0\0\x45"), 101, "the packet that its ICMP error quotes is none: it ends within its IPv4 header, 1 of 20 bytes"),
    ],
)  # fmt: skip
def test_packets_that_are_none(frame: bytes, linktype: int, message: str) -> None:
    assert fault(pcap(ipv4(17, udp()), frame, linktype=linktype), 2) == f"packet 2 of `x.pcap`: {message}"


def test_a_link_type_that_is_not_read() -> None:
    assert fault(pcap(b"x", linktype=105)).startswith(
        "packet 1 of `x.pcap`: its link type is 105 (802.11 (Wi-Fi)); read are Ethernet (1)"
    )


def test_a_packet_that_the_capture_cut() -> None:
    data = section() + interface(101) + enhanced(ipv4(6, tcp())[:30], length=400)
    assert fault(data) == (
        "packet 1 of `x.pcap`: it ends within its TCP header, 10 of 20 bytes; "
        "the capture kept 30 of 400 bytes (a larger snaplen keeps all)"
    )


def test_numbers_that_are_none() -> None:
    data = pcap(ipv4(17, udp()), ipv4(17, udp()), linktype=101)
    assert fault(data, 3) == "packet 3 of `x.pcap` is asked for; the file holds 2 packets"
    assert fault(data, 0) == "packet 0 of `x.pcap` is asked for; packets are numbered from 1"
    assert fault(pcap()) == "packet 1 of `x.pcap` is asked for; the file holds no packet"


@pytest.mark.parametrize(
    ("data", "number", "message"),
    [
        (b"", 1, "`x.pcap`: it is neither a pcap nor a pcapng file"),
        (b"\x1f\x8b\x08\0", 1, "`x.pcap`: it is neither a pcap nor a pcapng file but gzip: unpack it first"),
        (pcap()[:20], 1, "`x.pcap`: it ends within its file header, 20 of 24 bytes"),
        (pcap(ipv4(17, udp()), linktype=101) + b"abc", 2, "`x.pcap`, behind packet 1: it ends within a record's header, 3 of 16 bytes"),
        (pcap(ipv4(17, udp()), linktype=101)[:-4], 1, "packet 1 of `x.pcap`: the file ends within it, 27 of 31 bytes are there"),
        (section()[:10], 1, "`x.pcap`: a section does not say in which byte order it is written"),
        (section() + b"\1\0\0\0", 1, "`x.pcap`: it ends within a block's header, 4 of 12 bytes"),
        (section() + struct.pack("<III", 5, 3, 0), 1, "`x.pcap`: a block says that it is 3 bytes long, which is no length of a block"),
        (section() + struct.pack("<III", 5, 400, 0), 1, "`x.pcap`: the file ends within a block, 12 of 400 bytes are there"),
        (section() + enhanced(b"x"), 1, "packet 1 of `x.pcap`: it names interface 0, and the file describes 0"),
        (section() + block("<", 6, b"abcd"), 1, "packet 1 of `x.pcap`: its block ends early, 4 of 20 bytes"),
        (section() + block("<", 1, b"abcd"), 1, "`x.pcap`: an interface's block ends early, 4 of 8 bytes"),
    ],
)  # fmt: skip
def test_files_that_are_none(data: bytes, number: int, message: str) -> None:
    assert fault(data, number) == message
