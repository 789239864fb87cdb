"""What becomes of a packet that came in, where `ip route get` cannot say it: frames, TTL, MTU, groups, both families."""

from __future__ import annotations

from typing import Any

import pytest

from policyc.host.arrival import arrive
from policyc.host.arriving import Arriving
from policyc.host.decision import Decision, Drop
from policyc.host.fib import Fib
from policyc.host.frames import packet_type, refusal
from policyc.host.host import RouteKind
from policyc.host.nat_addresses import masquerade_address, redirect_address
from policyc.net.addresses import parse_address
from policyc.readers.ipset_members import parse_mac
from policyc.readers.topology import host_of_topology

TOPOLOGY = {
    "interfaces": [
        {"name": "eth0", "addrs": ["203.0.113.2/24", "198.51.100.2/24", "2001:db8::2/64"], "mac": "02:00:00:00:00:01"},
        {"name": "eth1", "addrs": ["192.168.1.1/24", "2001:db8:1::1/64"], "mac": "02:00:00:00:01:01", "mtu": 1400},
    ],
    "routes": [
        {"dst": "default", "via": "203.0.113.1", "dev": "eth0"},
        {"dst": "10.0.0.0/8", "via": "198.51.100.9", "dev": "eth0"},
        {"dst": "2001:db8:9::/48", "via": "2001:db8::9", "dev": "eth0"},
    ],
    "sysctls": {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1},
}
HOST = host_of_topology(TOPOLOGY)
FIB = Fib(HOST)


def decided(of: str, to: str, iif: str = "eth1", **more: Any) -> Decision:
    family = 6 if ":" in of else 4
    return arrive(FIB, Arriving(family, iif, parse_address(of, family), parse_address(to, family), **more))


@pytest.mark.parametrize(
    ("of", "to", "time_exceeded"), [("192.168.1.5", "8.8.8.8", (11, 0)), ("fd00::5", "2001:db8:9::1", (3, 0))]
)
def test_the_time_to_live_ends_before_forward(of: str, to: str, time_exceeded: tuple[int, int]) -> None:
    assert decided(of, to, ttl=2).drop is None
    assert decided(of, to, ttl=1).drop is Drop.TIME_EXCEEDED
    assert decided(of, to, ttl=1).answer == time_exceeded


def test_a_packet_for_this_host_needs_no_time_to_live() -> None:
    assert decided("192.168.1.5", "203.0.113.2", ttl=1).is_local


def test_broadcast_frames_are_delivered_and_not_forwarded() -> None:
    assert decided("192.168.1.5", "192.168.1.1", frame="broadcast").is_local
    assert decided("192.168.1.5", "8.8.8.8", frame="broadcast").drop is Drop.GROUP_FRAME


def test_a_packet_over_the_mtu_is_answered() -> None:
    assert decided("203.0.113.9", "192.168.1.5", "eth0", length=1450).drop is None  # may be fragmented
    refused = decided("203.0.113.9", "192.168.1.5", "eth0", length=1450, dont_fragment=True)
    assert (refused.drop, refused.answer) == (Drop.TOO_BIG, (3, 4))
    assert decided("2001:db8::7", "2001:db8:1::7", "eth0", length=1450).answer == (2, 0)


def test_groups_that_nobody_joined() -> None:
    assert decided("192.168.1.5", "224.0.0.1").kind is RouteKind.MULTICAST
    assert decided("192.168.1.5", "224.0.0.251").drop is Drop.NOT_JOINED
    assert decided("fe80::5", "ff02::1").is_local
    assert decided("fe80::5", "ff02::1:ff00:1").is_local  # of 2001:db8:1::1
    assert decided("fe80::5", "ff02::1:ff00:2").drop is Drop.NOT_JOINED  # an address of another interface


def test_ipv6_sources_are_looked_at_before_forwarding_only() -> None:
    assert decided("2001:db8::2", "2001:db8:9::1").drop is None  # this host's own address
    refused = decided("fe80::5", "2001:db8:9::1")
    assert (refused.drop, refused.answer) == (Drop.SOURCE_SCOPE, (1, 2))
    assert decided("fe80::5", "2001:db8::2").is_local


def test_frames_for_others_never_enter() -> None:
    interface = HOST.interface("eth0")
    assert interface is not None
    kinds = [packet_type(interface, parse_mac(mac)) for mac in (
        "02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01", "02:00:00:00:00:77")]  # fmt: skip
    assert kinds == ["unicast", "broadcast", "multicast", "otherhost"]
    assert refusal(interface, "otherhost", 4, 1, 2)
    assert not refusal(interface, "broadcast", 4, 1, 2)
    group, outside = parse_address("ff02::1", 6), parse_address("2001:db8::7", 6)
    assert refusal(interface, "unicast", 6, group, outside)
    assert refusal(interface, "unicast", 6, outside, 1)
    assert not refusal(interface, "multicast", 6, outside, group)


def test_masquerade_takes_the_address_next_to_the_next_hop() -> None:
    for hop, expected in (
        ("203.0.113.1", "203.0.113.2"),
        ("198.51.100.9", "198.51.100.2"),
        ("10.9.9.9", "203.0.113.2"),
    ):
        found = masquerade_address(HOST, 4, "eth0", parse_address(hop, 4), 0)
        assert found == parse_address(expected, 4)
    far = parse_address("2606:4700::1", 6)
    assert masquerade_address(HOST, 6, "eth0", far, far) == parse_address("2001:db8::2", 6)


def test_redirect_goes_to_the_first_address_of_the_interface() -> None:
    asked = parse_address("198.51.100.2", 4)
    assert redirect_address(HOST, 4, "eth0", asked) == parse_address("203.0.113.2", 4)
    assert redirect_address(HOST, 4, "", asked) == parse_address("127.0.0.1", 4)
    assert redirect_address(HOST, 6, "eth0", parse_address("fe80::9", 6)) == parse_address("fe80::ff:fe00:1", 6)
    assert redirect_address(HOST, 6, "eth0", parse_address("2606:4700::1", 6)) == parse_address("2001:db8::2", 6)
