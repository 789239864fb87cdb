"""Packets as bytes and back: what is sent has the fields that were asked for, and checksums that hold."""

from __future__ import annotations

from typing import Any

import pytest

from policyc.kernel.replica.seen import read_ip
from policyc.kernel.replica.wire import CannotSend, checksum, crc32c, frame, ip_packet
from policyc.readers.topology import host_of_topology
from policyc.simulation.packet import Packet
from policyc.simulation.recorded import packet_of

HOST = host_of_topology(
    {
        "interfaces": [{"name": "eth0", "addrs": ["192.0.2.1/24", "2001:db8::1/64"], "mac": "02:00:00:00:00:01",
                        "peer_mac": "02:00:00:00:00:02"}],
        "sysctls": {},
    }
)  # fmt: skip
V4 = {"dir": "in", "iface": "eth0", "src": "198.51.100.7", "dst": "192.0.2.1"}
V6 = {"dir": "in", "iface": "eth0", "src": "2001:db8:5::7", "dst": "2001:db8::1"}
MARK = 0x2345


def packet(base: dict[str, Any], **fields: Any) -> Packet:
    return packet_of({**base, **fields}, HOST)


@pytest.mark.parametrize("base", [V4, V6], ids=["ipv4", "ipv6"])
def test_a_segment_comes_back_as_it_was_sent(base):
    data = ip_packet(packet(base, proto="tcp", sport=40000, dport=22, flags="SYN,ECE", mss=1400, ttl=9, tos=0xB8), MARK)
    seen = read_ip(data)
    assert (seen.mark, seen.ttl, seen.tos, seen.sport, seen.dport, seen.mss) == (MARK, 9, 0xB8, 40000, 22, 1400)
    assert seen.answer()["flags"] == "SYN,ECE"
    assert seen.final() == {"src": base["src"], "dst": base["dst"], "sport": 40000, "dport": 22}


def transport_sum(data: bytes, protocol: int) -> int:
    """0 where the transport checksum of an IPv4 packet holds."""
    body = data[20:]
    pseudo = data[12:20] + bytes((0, protocol)) + len(body).to_bytes(2)
    return checksum(pseudo + body)


@pytest.mark.parametrize(("proto", "number"), [("tcp", 6), ("udp", 17)])
def test_checksums_hold_unless_they_shall_not(proto, number):
    fields = {"proto": proto, "sport": 1, "dport": 2, "payload": 5}
    right = ip_packet(packet(V4, **fields), MARK)
    assert checksum(right[:20]) == 0
    assert transport_sum(right, number) == 0
    assert transport_sum(ip_packet(packet(V4, **fields, badsum=True), MARK), number) != 0


def test_the_checksum_of_sctp():
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720, the check value of CRC32c


def test_an_error_quotes_the_packet_that_it_is_about():
    inner = {"src": "192.0.2.1", "dst": "198.51.100.7", "proto": "udp", "sport": 53, "dport": 40000, "length": 28}
    data = ip_packet(packet(V4, proto="icmp", icmp_type=3, icmp_code=3, inner=inner, length=56), MARK)
    assert len(data) == 56
    quoted = read_ip(data[28:])
    assert quoted.final() == {"src": "192.0.2.1", "dst": "198.51.100.7", "sport": 53, "dport": 40000}


@pytest.mark.parametrize(
    ("word", "mac"),
    [
        ("host", "020000000001"),
        ("broadcast", "ffffffffffff"),
        ("multicast", "01005e000000"),
        ("02:00:00:00:99:99", "02ffffffff01"),
    ],
)
def test_the_frame_goes_where_its_packet_type_says(word, mac):
    made = packet(V4, proto="udp", sport=1, dport=2, dst_mac=word)
    assert frame(made, MARK, HOST.interface("eth0"))[:6].hex() == mac


def test_what_is_not_built_is_said():
    made = packet(V4, proto="udp", sport=1, dport=2)
    made.frag = "later"
    with pytest.raises(CannotSend, match="fragments"):
        ip_packet(made, MARK)
