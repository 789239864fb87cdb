"""Connection tracking: what a packet's state is, alone and after others, and what is claimed of it."""

from __future__ import annotations

from typing import Any

import pytest

from policyc import api

TOPOLOGY = {
    "interfaces": [
        {"name": "eth0", "addrs": ["203.0.113.2/24"], "mac": "02:00:00:00:00:01"},
        {"name": "eth1", "addrs": ["192.168.1.1/24", "2001:db8::1/64"], "mac": "02:00:00:00:01:01"},
    ],
    "routes": [],
    "sysctls": {"net.ipv4.ip_forward": 1},
}
RULES = "*filter\n:FORWARD ACCEPT\n-A FORWARD -m conntrack --ctstate NEW\nCOMMIT\n"


def segment(side: int, flags: str, seq: int = 1000, ack: int = 0, **more: Any) -> dict[str, Any]:
    """A segment of the client (0) or the server (1)."""
    ends = (("203.0.113.9", 40000), ("192.168.1.9", 80))
    (src, sport), (dst, dport) = ends[side], ends[1 - side]
    return {
        "dir": "in", "iface": f"eth{side}", "src": src, "dst": dst, "sport": sport, "dport": dport, "proto": "tcp",
        "flags": flags, "seq": seq, "ack": ack, "length": 40, **more,
    }  # fmt: skip


def states(*packets: dict[str, Any], **sysctls: int) -> list[str]:
    topology = {
        **TOPOLOGY,
        "sysctls": {**TOPOLOGY["sysctls"], **{f"net.netfilter.nf_conntrack_{k}": v for k, v in sysctls.items()}},
    }
    numbered = [{"n": n, "fresh": n == 0, **packet} for n, packet in enumerate(packets)]
    return [
        verdict["ctstate"] for verdict in api.replay({"topology": topology, "rules_v4": RULES, "packets": numbered})
    ]


HANDSHAKE = (segment(0, "SYN"), segment(1, "SYN,ACK", 5000, 1001), segment(0, "ACK", 1001, 5001))


@pytest.mark.parametrize("flags", ["SYN", "SYN,PSH", "SYN,URG", "SYN,ECE,CWR", "ACK", "PSH,ACK"])
def test_what_opens_a_connection(flags: str) -> None:
    assert states(segment(0, flags)) == ["NEW"]


@pytest.mark.parametrize(
    "flags", ["SYN,ACK", "FIN", "FIN,ACK", "RST", "RST,ACK", "NONE", "URG", "FIN,PSH,URG", "SYN,FIN", "SYN,RST"]
)
def test_what_belongs_to_no_connection(flags: str) -> None:
    assert states(segment(0, flags)) == ["INVALID"]


def test_without_looseness_an_ack_opens_nothing() -> None:
    assert states(segment(0, "ACK"), tcp_loose=0) == ["INVALID"]
    assert states(segment(0, "SYN"), tcp_loose=0) == ["NEW"]


def test_a_segment_far_outside_the_window() -> None:
    far = segment(0, "PSH,ACK", 900_000_000, 5001, payload=3)
    assert states(*HANDSHAKE, far) == ["NEW", "ESTABLISHED", "ESTABLISHED", "INVALID"]
    assert states(*HANDSHAKE, far, tcp_be_liberal=1)[-1] == "ESTABLISHED"
    assert states(*HANDSHAKE, segment(1, "RST", 99_999))[-1] == "ESTABLISHED"
    assert states(*HANDSHAKE, segment(1, "RST", 99_999_999))[-1] == "INVALID"


def test_a_refused_connection_is_forgotten() -> None:
    refused = segment(1, "RST,ACK", 0, 1001)
    assert states(segment(0, "SYN"), refused, segment(0, "SYN")) == ["NEW", "ESTABLISHED", "NEW"]


def test_until_an_answer_comes_everything_of_the_sender_is_new() -> None:
    assert states(segment(0, "SYN"), segment(0, "SYN"), segment(0, "RST", 1001)) == ["NEW", "NEW", "NEW"]


def test_a_bad_checksum_matters_on_arrival() -> None:
    assert states(segment(0, "SYN", badsum=True)) == ["INVALID"]
    assert states(segment(0, "SYN", badsum=True), checksum=0) == ["NEW"]


def error(kind: int, src: str, dst: str, **inner: Any) -> dict[str, Any]:
    return {
        "dir": "in", "iface": "eth1", "src": src, "dst": dst, "proto": "icmp", "icmp_type": kind, "icmp_code": 0, "length": 56,
        "inner": {"src": "203.0.113.9", "dst": "192.168.1.9", "proto": "tcp", "sport": 40000, "dport": 80, **inner},
    }  # fmt: skip


@pytest.mark.parametrize("kind", [3, 4, 5, 11, 12])
def test_an_error_is_related_whoever_sends_it(kind: int) -> None:
    assert states(segment(0, "SYN"), error(kind, "192.168.1.77", "203.0.113.9"))[-1] == "RELATED"


def test_an_error_about_nothing_known_or_to_somebody_else_is_invalid() -> None:
    assert states(error(3, "192.168.1.9", "203.0.113.9")) == ["INVALID"]
    assert states(segment(0, "SYN"), error(3, "192.168.1.9", "203.0.113.10"))[-1] == "INVALID"
    assert states(segment(0, "SYN"), error(3, "192.168.1.9", "203.0.113.9", sport=40001))[-1] == "INVALID"


def test_a_claimed_state_is_believed() -> None:
    assert states(segment(0, "ACK", ctstate="ESTABLISHED", ctdir="original")) == ["ESTABLISHED"]
    assert states(segment(0, "SYN", ctstate="INVALID")) == ["INVALID"]
    assert states(segment(0, "SYN", ctstate="UNTRACKED", ctstate_assumed=True)) == ["NEW"]


def test_given_connections_are_there_before_the_packet() -> None:
    entry = {
        "orig": {"src": "203.0.113.9", "dst": "192.168.1.9", "proto": "tcp", "sport": 40000, "dport": 80},
        "reply": {"src": "192.168.1.9", "dst": "203.0.113.9", "proto": "tcp", "sport": 80, "dport": 40000},
        "status": 430, "mark": 7, "tcp_state": "ESTABLISHED",
    }  # fmt: skip
    packet = {"n": 0, "fresh": False, "conntrack": [entry], **segment(1, "ACK", 77, 88)}
    rules = "*filter\n:FORWARD DROP\n-A FORWARD -m connmark --mark 7 -m conntrack --ctdir REPLY -j ACCEPT\nCOMMIT\n"
    (verdict,) = api.replay({"topology": TOPOLOGY, "rules_v4": rules, "packets": [packet]})
    assert (verdict["verdict"], verdict["ctstate"], verdict["ctdir"]) == ("FORWARDED", "ESTABLISHED", "reply")
