"""Ports of a bridge: frames carried between them, frames for the host, and packets that never met a bridge.

    client 198.51.100.7 --- far8 p1 --- br0 10.8.0.1 [host] eth0 192.168.1.1 --- server 192.168.1.9
    peer   10.8.0.9     --- far9 p2 ---
"""  # fmt: skip

from __future__ import annotations

from typing import Any

import pytest
from bench import PEER, Bench, judged
from packet_bytes import Described
from packet_site import EXEMPT, ports, tcp
from polarity import expect_both

from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace

NEAR, FAR = {4: "10.8.0.7", 6: "fd08::7"}, {4: "10.8.0.9", 6: "fd08::9"}
STRAY = {4: "192.168.1.77", 6: "fd00:1::77"}
SERVER, HOST = {4: "192.168.1.9", 6: "fd00:1::9"}, {4: "10.8.0.1", 6: "fd08::1"}
MAC = "02:00:00:00:08:01"
TOPOLOGY: dict[str, Any] = {
    "interfaces": [
        {"name": "eth0", "addrs": ["192.168.1.1/24", "fd00:1::1/64"], "mac": "02:00:00:00:00:01", "peer_mac": PEER},
        {"name": "br0", "addrs": ["10.8.0.1/24", "fd08::1/64"], "mac": MAC, "peer_mac": PEER},
    ],
    "routes": [],
    "sysctls": {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1},
}
SETUP = f"""
ip link add br0 address {MAC} type bridge forward_delay 0 mcast_snooping 0
for n in 1 2; do
  ip link add p$n type veth peer name far$((n + 7))
  sysctl -qw net.ipv6.conf.far$((n + 7)).disable_ipv6=1
  ip link set p$n master br0
  ip link set p$n up
  ip link set far$((n + 7)) up
done
ip link set br0 up
ip addr add 10.8.0.1/24 dev br0
ip addr add fd08::1/64 dev br0 nodad
ip neigh replace 10.8.0.9 lladdr 02:00:00:00:00:88 dev br0
ip neigh replace fd08::9 lladdr 02:00:00:00:00:88 dev br0
ip neigh replace 192.168.1.9 lladdr {PEER} dev eth0
ip neigh replace fd00:1::9 lladdr {PEER} dev eth0
"""
BRIDGE = Bench(
    TOPOLOGY, {"eth0": "far0", "p1": "far8", "p2": "far9"}, SETUP, {"raw": (EXEMPT,)}, bridges=frozenset(("br0",))
)
ROWS = [
    *(f"-m physdev {mark}--physdev-{what}" for what in (
        "is-in", "is-out", "is-bridged", "in p1", "in p+", "in p2", "out p2", "out p+", "out p1") for mark in ("", "! ")),
    "-m physdev --physdev-is-bridged --physdev-in p1 --physdev-out p2", "-m physdev --physdev-is-in ! --physdev-is-bridged",
    "-m physdev ! --physdev-in p1 ! --physdev-is-out", "-i br0", "! -i br0", "-o br0", "! -o br0", "-i p1", "-o p+",
    "-m pkttype --pkt-type unicast", "-m mac --mac-source 02:00:00:00:00:99", "-m rpfilter", "-m addrtype --dst-type LOCAL",
]  # fmt: skip


def packets(family: int) -> list[Described]:
    def over(port: str, dst: str, **more: Any) -> Described:
        return {
            "dir": "in",
            "iface": "br0",
            "port": port,
            "src": (NEAR if port == "p1" else FAR)[family],
            "dst": dst,
            **more,
        }

    bridged = {"out_port": "p2", "dst_mac": "02:00:00:00:00:88"}
    back = {"out_port": "p1", "dst_mac": "02:00:00:00:00:77"}
    kinds = [("tcp", tcp(1000, 80)), ("tcp", tcp(1001, 80, "FIN")), ("udp", ports(2000, 5000))]
    found = []
    for proto, fields in kinds:
        found += [
            over("p1", FAR[family], proto=proto, **fields, **bridged),
            over("p2", NEAR[family], proto=proto, **fields, **back),
            over("p1", SERVER[family], proto=proto, **fields),
            over("p2", HOST[family], proto=proto, **fields),
            {
                **over("p1", FAR[family], proto=proto, **fields, **bridged),
                "src": STRAY[family],
                "src_mac": "02:00:00:00:00:42",
            },
            {"dir": "in", "iface": "eth0", "src": SERVER[family], "dst": FAR[family], "proto": proto, **fields},
            {"dir": "in", "iface": "eth0", "src": SERVER[family], "dst": HOST[family], "proto": proto, **fields},
            {"dir": "out", "src": HOST[family], "dst": FAR[family], "proto": proto, **fields},
            {"dir": "out", "src": HOST[family], "dst": SERVER[family], "proto": proto, **fields},
        ]
    return found


NEVER, ALWAYS = "match with entry, match without entry", "no match with entry, no match without entry"
LACKS = {
    "-i p1": f"{NEVER}: the interface is the bridge, not its port",
    "-o p+": f"{NEVER}: the interface is the bridge, not its port",
    "-m pkttype --pkt-type unicast": f"{ALWAYS}: while netfilter looks at them, frames for others are like ours",
}


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("family", [4, 6])
def test_bridge(namespace: Namespace, family: int, backend: Backend) -> None:
    answers = judged(namespace, backend, family, BRIDGE, ROWS, packets(family))
    expect_both(answers, LACKS)
