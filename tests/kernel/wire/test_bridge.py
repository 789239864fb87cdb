"""A transparent bridge: packets between its ports pass FORWARD where the kernel is told to ask iptables."""

from __future__ import annotations

import pytest
from probes import SILENCE, expect, ping, tcp
from topology import Wire

POLICY = """
policy bridge { ownership exclusive; default input drop, forward drop, output drop }
zone vms = interface br0
"""


@pytest.fixture
def bridge(built):
    ports = [Wire(f"vm{n}", [], {f"host{n}": [f"10.0.0.{n}/24", f"fd00:10::{n}/64"]}) for n in (1, 2)]
    policy, hosts = built(*ports)
    policy.host.ip(
        "link add br0 type bridge forward_delay 0",
        "link set br0 up",
        "link set vm1 master br0",
        "link set vm2 master br0",
    )
    for family in ("ip", "ip6"):
        policy.host.set(f"net/bridge/bridge-nf-call-{family}tables", "1")
    return policy, hosts["host1"]


def test_bridged_packets_come_from_their_zone_and_go_there(bridge):
    policy, one = bridge
    policy.load(POLICY + "filter vms -> vms { otherwise accept }")
    expect(
        {
            tcp(one, "10.0.0.2", 22): "10.0.0.2:22 from 10.0.0.1",
            tcp(one, "fd00:10::2", 22): "[fd00:10::2]:22 from fd00:10::1",
            ping(one, "10.0.0.2"): "pong",
        }
    )


def test_nothing_else_lets_them_pass(bridge):
    policy, one = bridge
    policy.load(
        POLICY
        + "filter any -> self { use baseline; otherwise accept }; filter vms -> vms { accept ssh, nd; accept state established }"
    )
    expect(
        {
            tcp(one, "10.0.0.2", 22): "10.0.0.2:22 from 10.0.0.1",
            tcp(one, "fd00:10::2", 22): "[fd00:10::2]:22 from fd00:10::1",
            tcp(one, "10.0.0.2", 80): SILENCE,
            ping(one, "10.0.0.2"): SILENCE,
        }
    )
