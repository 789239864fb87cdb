"""What `diff` says of two rulesets, the kernel does: the witness of each change is sent through both."""

from __future__ import annotations

import pytest

from policyc import api
from policyc.kernel.replica import observe
from policyc.readers.topology import host_of_topology

pytestmark = pytest.mark.usefixtures("machine")

HOST = host_of_topology(
    {
        "interfaces": [
            {"name": "eth0", "addrs": ["192.0.2.1/24"], "mac": "02:00:00:00:00:01", "peer_mac": "02:00:00:00:00:02"},
            {"name": "eth1", "addrs": ["10.0.0.1/24"], "mac": "02:00:00:00:01:01", "peer_mac": "02:00:00:00:01:02"},
        ],
        "routes": [{"dst": "0.0.0.0/0", "via": "192.0.2.254", "dev": "eth0"}],
        "sysctls": {"net.ipv4.ip_forward": "1"},
    }
)
HEAD = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
HERE, THERE = "-d 192.0.2.1/32 -i eth0 -p tcp -m tcp", "-d 10.0.0.5/32 -i eth0 -o eth1 -p tcp -m tcp"
RULES = [
    (f"-A INPUT {HERE} --dport 22 -j ACCEPT", f"-A INPUT -s 203.0.113.0/24 {HERE} --dport 20:30 -j DROP"),
    (f"-A FORWARD {THERE} --dport 80 -j ACCEPT", f"-A FORWARD -s 203.0.113.0/24 {THERE} -j REJECT --reject-with tcp-reset"),
]  # fmt: skip
FATES = {"LOCAL": "ACCEPT", "FORWARDED": "ACCEPT", "DROPPED": "DROP", "REJECTED": "REJECT"}


@pytest.mark.parametrize("pair", RULES, ids=("input", "forward"))
def test_the_kernel_confirms_a_moved_rule(pair: tuple[str, str]) -> None:
    sides = ["\n".join((HEAD.rstrip(), *rules, "COMMIT", "")) for rules in (pair, pair[::-1])]
    found = api.diff(*(api.load(text, family=4) for text in sides))
    assert found.changes
    for one in found.changes:
        seen = one.witness.packet
        packet = {key: seen[key] for key in ("src", "dst", "proto", "sport", "dport", "flags")}
        packet |= {
            "dir": "in",
            "iface": seen["in"],
            "src": "203.0.113.9" if seen["src"] == "203.0.113.0" else seen["src"],
        }
        fates = [observe({4: text}, HOST, "", [packet])[0] for text in sides]
        assert [FATES[fate["verdict"]] for fate in fates] == [one.before, one.now]
        assert [fate["deciding"]["rule"] for fate in fates] == [one.a.place.number, one.b.place.number]
