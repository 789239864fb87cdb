"""-m mac, -m pkttype, -m physdev, -m realm: what the frame and the route know of a packet."""

from __future__ import annotations

import pytest
from reading import hooks, matches, printed, refusals

HOOKS = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("-m mac --mac-source 02:aB:cd:ef:00:01", "-m mac --mac-source 02:ab:cd:ef:00:01"),
        ("-m mac ! --mac-source 2:ab:cd:ef:0:1", "-m mac ! --mac-source 02:ab:cd:ef:00:01"),
        ("-m pkttype --pkt-type UNICAST", "-m pkttype --pkt-type unicast"),
        ("-m pkttype --pkt-type host", "-m pkttype --pkt-type unicast"),
        ("-m pkttype ! --pkt-type bcast", "-m pkttype ! --pkt-type broadcast"),
        ("-m pkttype --pkt-type mcast", "-m pkttype --pkt-type multicast"),
        ("-m pkttype --pkt-type otherhost", "-m pkttype --pkt-type otherhost"),
        ("-m physdev ! --physdev-in eth+", "-m physdev ! --physdev-in eth+"),
        (
            "-m physdev --physdev-is-bridged --physdev-out e1 --physdev-in e0 ! --physdev-is-in --physdev-is-out",
            "-m physdev ! --physdev-is-in --physdev-in e0 --physdev-is-out --physdev-out e1 --physdev-is-bridged",
        ),
    ],
)
def test_printed(given: str, canonical: str) -> None:
    assert printed(given, 4) == printed(given, 6) == canonical


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("5", "0x5"),
        ("0x1/0x2a", "0x1/0x2a"),
        ("010/7", "0x8/0x7"),
        ("5/0xffffffff", "0x5"),
        ("cosmos", "0x0"),
    ],
)
def test_realm(given: str, canonical: str) -> None:
    assert printed(f"-m realm --realm {given}") == f"-m realm --realm {canonical}"
    assert printed(f"-m realm ! --realm {given}") == f"-m realm ! --realm {canonical}"


@pytest.mark.parametrize(
    ("rule", "family"),
    [
        ("-m mac", 4),
        ("-m mac --mac-source 02:ab:cd:ef:00", 4),
        ("-m mac --mac-source 02:ab:cd:ef:00:01:02", 4),
        ("-m mac --mac-source 02-ab-cd-ef-00-01", 4),
        ("-m pkttype", 4),
        ("-m pkttype --pkt-type foo", 4),
        ("-m pkttype --pkt-type unicast --pkt-type broadcast", 4),
        ("-m physdev", 4),
        ("-m physdev --physdev-in 1234567890123456", 4),
        ('-m physdev --physdev-in ""', 4),
        ("-m physdev --physdev-in a --physdev-in b", 4),
        ("-m realm", 4),
        ("-m realm --realm nosuchname", 4),
        ("-m realm --realm 4294967296", 4),
        ("-m realm --realm 5", 6),
    ],
)
def test_refused(rule: str, family: int) -> None:
    assert refusals(rule, family)


@pytest.mark.parametrize(
    ("rule", "not_in"),
    [
        ("-m mac --mac-source 02:ab:cd:ef:00:01", {"OUTPUT", "POSTROUTING"}),
        ("-m realm --realm 5", {"PREROUTING"}),
        ("-m pkttype --pkt-type unicast", set()),
        ("-m physdev --physdev-in e", set()),
        ("-m physdev --physdev-out e", {"OUTPUT"}),
        ("-m physdev --physdev-is-out", {"OUTPUT"}),
        ("-m physdev --physdev-out e ! --physdev-is-bridged", {"OUTPUT"}),
        ("-m physdev --physdev-out e --physdev-is-bridged", set()),
    ],
)
def test_where_the_kernel_takes_it(rule: str, not_in: set[str]) -> None:
    assert HOOKS - hooks(rule) == not_in


def test_without_a_frame_no_address_and_no_other_address() -> None:
    rule = "-m mac ! --mac-source 00:00:00:00:00:05"
    assert matches(rule, {"mac.src": 6})
    assert not matches(rule, {"mac.src": 5})
    assert not matches(rule, {})


def test_packet_types() -> None:
    assert matches("-m pkttype --pkt-type bcast", {"pkttype": "broadcast"})
    assert not matches("-m pkttype ! --pkt-type bcast", {"pkttype": "broadcast"})


def test_a_packet_that_is_not_bridged_meets_what_is_negated() -> None:
    routed: dict[str, object] = {}
    bridged = {"physdev.in": "eth0", "physdev.out": "eth1"}
    for option in (
        "--physdev-in eth+",
        "--physdev-out eth1",
        "--physdev-is-in",
        "--physdev-is-out",
        "--physdev-is-bridged",
    ):
        assert matches(f"-m physdev {option}", bridged)
        assert not matches(f"-m physdev ! {option}", bridged)
        assert not matches(f"-m physdev {option}", routed)
        assert matches(f"-m physdev ! {option}", routed)
    assert not matches("-m physdev --physdev-in wlan+", bridged)
    assert matches("-m physdev ! --physdev-out eth0", bridged)
    assert not matches("-m physdev ! --physdev-out eth0", {"physdev.in": "eth0"})
    assert not matches("-m physdev --physdev-is-bridged", {"physdev.in": "eth0"})


def test_a_realm_is_compared_under_the_mask() -> None:
    assert matches("-m realm --realm 5/0x7", {"realm": 0xF5})
    assert not matches("-m realm ! --realm 5/0x7", {"realm": 0xF5})
