"""A small router for the tests of explanations: `w0` outside, `d0` a subnet of servers."""

from __future__ import annotations

from typing import Any

from policyc import api
from policyc.explanation.outcomes import Outcomes, Situation, outcomes
from policyc.host.host import Host
from policyc.readers.topology import host_of_topology
from policyc.simulation.recorded import packet_of

TOPOLOGY = {
    "interfaces": [
        {"name": "w0", "addrs": ["203.0.113.1/24"], "mac": "02:00:00:00:00:01", "peer_mac": "02:00:00:00:00:02"},
        {"name": "d0", "addrs": ["10.0.2.1/24"], "mac": "02:00:00:00:01:01", "peer_mac": "02:00:00:00:01:02"},
    ],
    "routes": [{"dst": "default", "via": "203.0.113.254"}],
    "sysctls": {"net.ipv4.ip_forward": 1},
}
SYN = {
    "dir": "in",
    "iface": "w0",
    "src": "203.0.113.9",
    "dst": "10.0.2.15",
    "proto": "tcp",
    "sport": 51000,
    "dport": 443,
}


def router() -> Host:
    return host_of_topology(TOPOLOGY)


def filter_table(*rules: str, forward: str = "DROP") -> str:
    """Return a dump with rules of table filter, `-A` left out."""
    heads = ["*filter", ":INPUT ACCEPT [0:0]", f":FORWARD {forward} [0:0]", ":OUTPUT ACCEPT [0:0]"]
    chains = dict.fromkeys(rule.split()[0] for rule in rules)
    users = [f":{name} - [0:0]" for name in chains if name not in {"INPUT", "FORWARD", "OUTPUT"}]
    return "\n".join([*heads, *users, *(f"-A {rule}" for rule in rules), "COMMIT", ""])


def walked(dump: str, **packet: Any) -> Outcomes:
    """Return every outcome of the SYN, some of whose fields are changed."""
    host = router()
    return outcomes(Situation(api.load(dump), host), packet_of(SYN | packet, host))
