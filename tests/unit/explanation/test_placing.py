"""A question on a known host: where it comes in, which addresses `self` has, what its headers are where nobody said it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policyc import api
from policyc.diagnostics import InputError
from policyc.explanation.placing import Placement, place
from policyc.explanation.sentence import questions_of
from policyc.host.host import Host
from policyc.net.addresses import format_address
from policyc.net.headers import Headers
from policyc.netfilter import fields
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.topology import host_of_topology

HOST = host_of_topology(
    {
        "interfaces": [
            {"name": "eth0", "addrs": ["198.51.100.2/24", "2001:db8::2/64"], "mac": "02:00:00:00:00:01", "peer_mac": "02:00:00:00:00:99"},
            {"name": "eth1", "addrs": ["10.0.0.1/24", "10.0.0.2/24"], "mac": "02:00:00:00:00:02"},
            {"name": "tun0", "addrs": []},
        ],
        "routes": [
            {"dst": "default", "via": "198.51.100.1", "dev": "eth0"},
            {"dst": "10.9.0.0/16", "via": "10.0.0.9", "dev": "eth1"},
        ],
        "sysctls": {"net.ipv4.ip_forward": "1"},
    }
)  # fmt: skip
DUMP = api.load("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", family=4)
ZONES = api.load("zone wan = interface eth+\nzone lan = network 10.0.0.0/8\nfilter any -> self { use baseline }\n")


def placed(text: str, ruleset: Ruleset = DUMP, host: Host = HOST) -> Placement:
    (found,) = place(questions_of(text, ruleset.intent), ruleset, host)
    return found


def ends(found: Placement) -> tuple[str, str]:
    packet = found.packet
    return format_address(packet.src, packet.family), format_address(packet.dst, packet.family)


@pytest.mark.parametrize(
    ("text", "iif", "said"),
    [
        ("tcp 203.0.113.9 -> self:22 in eth1", "eth1", ()),
        ("tcp 203.0.113.9 -> self:22", "eth0", ("it comes in by eth0, where an answer to it would leave",)),
        ("tcp 10.9.3.4 -> self:22", "eth1", ("it comes in by eth1, where an answer to it would leave",)),
    ],
)
def test_it_comes_in_where_it_is_said_or_by_the_way_back(text: str, iif: str, said: tuple[str, ...]) -> None:
    found = placed(text)
    assert (found.packet.iif, found.packet.outgoing, found.assumptions) == (iif, False, said)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp 203.0.113.9 -> self:22", ("203.0.113.9", "198.51.100.2")),
        ("tcp 203.0.113.9 -> self:22 in tun0", ("203.0.113.9", "198.51.100.2")),  # which has no address of its own
        ("tcp 10.0.0.7 -> self:22", ("10.0.0.7", "10.0.0.1")),
        ("tcp self -> 203.0.113.9:22", ("198.51.100.2", "203.0.113.9")),
        ("tcp self -> 10.9.3.4:22", ("10.0.0.1", "10.9.3.4")),
        ("tcp self -> self:22", ("198.51.100.2", "198.51.100.2")),
        ("tcp self -> 203.0.113.9:22 out eth1", ("10.0.0.1", "203.0.113.9")),
    ],
)
def test_the_addresses_of_this_host(text: str, expected: tuple[str, str]) -> None:
    assert ends(place(questions_of(text)[:1], DUMP, HOST)[0]) == expected


@pytest.mark.parametrize(
    "text", ["tcp self -> 203.0.113.9:22", "tcp 198.51.100.2 -> 203.0.113.9:22 out", "tcp 10.0.0.2 -> 10.0.0.7:5"]
)
def test_it_is_sent_by_this_host(text: str) -> None:
    packet = placed(text).packet
    assert (packet.outgoing, packet.iif, packet.uid, packet.gid) == (True, None, 0, 0)


def test_out_binds_what_is_sent() -> None:
    assert placed("tcp self -> 203.0.113.9:22 out eth1").packet.bound == "eth1"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("tcp 203.0.113.9 -> self:22 in eht0", "the host has no interface `eht0`", "did you mean `eth0`?"),
        (
            "tcp self -> 203.0.113.9:22 out wlan7",
            "the host has no interface `wlan7`",
            "there are `lo`, `eth0`, `eth1`, `tun0`",
        ),
        ("tcp fd00::9 -> self:22", "nothing says by which interface fd00::9 comes in", "say it: `in lo`, `in eth0`"),
    ],
)
def test_what_does_not_fit_the_host(text: str, message: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        placed(text)
    (found,) = caught.value.diagnostics
    assert found.message == message
    assert found.help.startswith(hint)
    assert found.span is not None


def test_a_zone_stands_for_the_interface_that_fits() -> None:
    assert placed("tcp 203.0.113.9 -> self:22 in wan", ZONES).packet.iif == "eth0"
    assert placed("tcp 10.0.0.7 -> self:22 in lan", ZONES).packet.iif == "eth1"
    with pytest.raises(InputError, match="lan"):
        placed("tcp 203.0.113.9 -> self:22 in lan", ZONES)


def test_the_plainest_packet_of_a_client() -> None:
    found = placed("tcp 203.0.113.9 -> self:22")
    packet = found.packet
    assert (packet.sport, packet.tcp_flags, packet.ttl, packet.length, packet.tcp_mss) == (40000, 2, 64, 60, 1460)
    assert packet.tcp_option == (2, 4, 8, 1, 3)
    assert (packet.mac_src, packet.pkttype) == (0x020000000099, "unicast")
    assert fields.SPORT in dict(found.if_tested)
    assert fields.DPORT not in dict(found.if_tested)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.9 -> self:22", {"proto": 6, "tcp_flags": 2}),
        ("tcp 203.0.113.9 -> self", {"dport": 80}),
        ("tcp 203.0.113.9 -> self:22 flags ACK", {"tcp_flags": 16, "length": 40, "tcp_mss": None}),
        ("tcp 203.0.113.9 -> self:22 state established", {"tcp_flags": 16, "claimed": ("ESTABLISHED", False)}),
        ("tcp 203.0.113.9 -> self:22 state new", {"tcp_flags": 2, "claimed": ("NEW", False)}),
        ("tcp 2001:db8::9 -> self:22", {"length": 80, "tcp_mss": 1440}),
        ("udp 203.0.113.9 -> self:53", {"length": 60, "sport": 40000}),
        ("icmp 203.0.113.9 -> self", {"icmp": 8 << 8, "icmp_id": 1, "length": 84}),
        ("ping 2001:db8::9 -> self", {"icmp": 128 << 8, "length": 104}),
        ("gre 203.0.113.9 -> self", {"proto": 47, "sport": None, "length": 20}),
        ("tcp 203.0.113.9 -> self:22 mark 0x10 ttl 3", {"mark": 16, "ttl": 3}),
    ],
)
def test_what_nobody_said(text: str, expected: dict[str, object]) -> None:
    packet = placed(text).packet
    assert {name: getattr(packet, name) for name in expected} == expected


def test_an_assumed_protocol_is_always_named() -> None:
    assert "it is TCP: nobody said the protocol" in placed("203.0.113.9 -> self:22").assumptions
    assert "it is a ping (an echo request)" in placed("icmp 203.0.113.9 -> self").assumptions


SEEN = Headers(
    4, 0xCB007109, 0xC6336402, 17, 5353, 53, ttl=7, length=99, mac_src=0x02AA, mac_dst=0x020000000001, entry="eth0"
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {"pkttype": "unicast", "mac_src": 0x02AA, "length": 99, "ttl": 7}),
        ({"mac_dst": 0xFFFFFFFFFFFF}, {"pkttype": "broadcast"}),
        ({"mac_dst": 0x01005E000001}, {"pkttype": "multicast"}),
        ({"mac_dst": 0x020000000077}, {"pkttype": "otherhost"}),
        ({"mac_src": None, "mac_dst": None}, {"pkttype": "unicast", "mac_src": 0x020000000099}),
        ({"entry": "", "local": True, "uid": 33, "gid": 34}, {"outgoing": True, "uid": 33, "gid": 34}),
        ({"state": "ESTABLISHED", "reply": True}, {"claimed": ("ESTABLISHED", True)}),
    ],
)
def test_headers_that_were_seen(change: dict[str, object], expected: dict[str, object]) -> None:
    (found,) = place((replace(SEEN, **change),), DUMP, HOST)
    assert {name: getattr(found.packet, name) for name in expected} == expected
    assert found.assumptions == ()


def test_the_host_of_the_ruleset_is_known() -> None:
    (found,) = place(questions_of("tcp 203.0.113.9 -> self:22"), replace(DUMP, host=HOST))
    assert found.host is HOST


def test_all_that_is_wrong_is_said_at_once() -> None:
    questions = [
        *questions_of("tcp 203.0.113.9 -> self:22 in eth7"),
        *questions_of("tcp 203.0.113.9 -> self:22 in eth8"),
    ]
    with pytest.raises(InputError) as caught:
        place(questions, DUMP, HOST)
    assert len(caught.value.diagnostics) == 2
