"""Which address and port NAT takes. The numbers were read from /proc/net/nf_conntrack of Linux 6.18."""

from __future__ import annotations

from typing import Any

import pytest

from policyc import api

HOST = {
    "interfaces": [
        {
            "name": "eth0",
            "addrs": ["192.0.2.1/24", "2001:db8::1/64"],
            "mac": "02:00:00:00:00:01",
            "peer_mac": "02:00:00:00:00:02",
        }
    ],
    "routes": [
        {"dst": "default", "via": "192.0.2.254", "dev": "eth0"},
        {"dst": "default", "via": "2001:db8::254", "dev": "eth0"},
    ],
    "sysctls": {},
}


def finals(rules: str, targets: list[str], **packet: Any) -> list[tuple[Any, ...]]:
    """Source and destination, with ports, of one packet to each target."""
    six = ":" in targets[0]
    sent = {
        "dir": "out",
        "src": "2001:db8::1" if six else "192.0.2.1",
        "proto": "udp",
        "sport": 40000,
        "length": 29,
        **packet,
    }
    packets = [{"n": n, "fresh": False, "dst": target, **sent} for n, target in enumerate(targets)]
    text = f"*nat\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n{rules}\nCOMMIT\n"
    case = {"topology": HOST, "rules_v6" if six else "rules_v4": text, "packets": packets}
    return [
        tuple(verdict["final"].values()) if "final" in verdict else verdict["reason"] for verdict in api.replay(case)
    ]


@pytest.mark.parametrize(
    ("target", "chosen"),
    [("198.51.100.3", "10.1.2.170"), ("198.51.100.5", "10.1.1.125"), ("198.51.100.7", "10.1.3.198")],
)
def test_a_target_is_chosen_by_the_hash_of_both_ends(target: str, chosen: str) -> None:
    rule = "-A OUTPUT -p udp --dport 53 -j DNAT --to-destination 10.1.0.10-10.1.3.200"
    assert finals(rule, [target], dport=53) == [("192.0.2.1", chosen, 40000, 53)]


@pytest.mark.parametrize(
    ("target", "chosen"),
    [
        ("2001:db8:ffff::1", "2001:db8:1::47bf"),
        ("2001:db8:ffff::2", "2001:db8:1::d962"),
        ("2001:db8:ffff::7", "2001:db8:1::1bd"),
    ],
)
def test_a_target_of_ipv6(target: str, chosen: str) -> None:
    rule = "-A OUTPUT -p udp --dport 53 -j DNAT --to-destination 2001:db8:1::10-2001:db8:1::ffff"
    assert finals(rule, [target], dport=53) == [("2001:db8::1", chosen, 40000, 53)]


def test_the_same_source_keeps_its_translation() -> None:
    rule = "-A POSTROUTING -p udp --dport 54 -j SNAT --to-source 10.2.0.1-10.2.0.77"
    got = finals(rule, ["198.51.100.1", "198.51.100.2", "198.51.100.3"], dport=54)
    assert [each[0] for each in got] == [got[0][0]] * 3
    rule = "-A POSTROUTING -p udp --dport 54 -j SNAT --to-source 2001:db8:2::5-2001:db8:3::5"
    got = finals(rule, ["2001:db8:ffff::1", "2001:db8:ffff::2"], dport=54)
    assert [each[0] for each in got] == ["2001:db8:2:47b4:47b3:3931:47b3:3931"] * 2


def test_a_shifted_range_of_ports_goes_on_where_one_is_taken() -> None:
    rule = "-A OUTPUT -p udp --dport 100:200 -j DNAT --to-destination 10.9.9.9:1100-1200/100"
    got = finals(rule, ["198.51.100.1", "198.51.100.2", "198.51.100.3"], dport=150)
    assert [each[1:] for each in got] == [("10.9.9.9", 40000, port) for port in (1150, 1151, 1152)]


def test_a_source_port_in_use_is_replaced_by_one_that_nobody_can_know() -> None:
    rule = "-A OUTPUT -p udp -j DNAT --to-destination 10.9.9.9"
    first, second = finals(rule, ["198.51.100.1", "198.51.100.2"], dport=53)
    assert first == ("192.0.2.1", "10.9.9.9", 40000, 53)
    assert second == "which port the kernel takes: it begins at a random one"


def test_a_single_port_is_taken_as_it_is() -> None:
    got = finals("-A POSTROUTING -p udp -j SNAT --to-source 192.0.2.9:40000", ["198.51.100.1"], dport=53, sport=7)
    assert got == [("192.0.2.9", "198.51.100.1", 40000, 53)]
