"""A previewed node: its rules load with both backends, and packets to Services end where the simulator says.

The pod `10.244.1.5` runs on the node, behind `cni0`; `10.244.2.5` on another one. What chooses an endpoint by chance is not
asked; what is masqueraded at random ports is compared by its addresses.
"""

from __future__ import annotations

from typing import Any

import pytest
from test_previews_load import load_and_read_back

from policyc import api
from policyc.kernel.loading import Backend
from policyc.kernel.replica import observe
from policyc.readers.topology import host_of_topology

NODE = {
    "metadata": {"name": "node1"},
    "status": {"addresses": [{"type": "InternalIP", "address": a} for a in ("192.0.2.10", "2001:db8:ffff::10")]},
}
TOPOLOGY = {
    "interfaces": [
        {"name": "eth0", "addrs": ["192.0.2.10/24", "2001:db8:ffff::10/64"]},
        {"name": "cni0", "addrs": ["10.244.1.1/24", "fd00:1::1/64"]},
    ],
    "routes": [
        {"dst": "0.0.0.0/0", "via": "192.0.2.1", "dev": "eth0"},
        {"dst": "10.244.2.0/24", "via": "192.0.2.12", "dev": "eth0"},
        {"dst": "::/0", "via": "2001:db8:ffff::1", "dev": "eth0"},
        {"dst": "fd00:2::/64", "via": "2001:db8:ffff::12", "dev": "eth0"},
    ],
    "sysctls": {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1, "net.ipv4.conf.all.route_localnet": 1},
}
FLAGS = ["--cluster-cidr=10.244.0.0/16,fd00::/16"]
HERE, THERE = {4: "10.244.1.5", 6: "fd00:1::5"}, {4: "10.244.2.5", 6: "fd00:2::5"}
CLIENT = {4: "203.0.113.9", 6: "2001:db8:9::9"}
OWN = {4: "192.0.2.10", 6: "2001:db8:ffff::10"}
BRIDGE = {4: "10.244.1.1", 6: "fd00:1::1"}


def cluster_ip(name: str, family: int) -> str:
    number = NAMES.index(name) + 1
    return f"10.96.0.{number}" if family == 4 else f"fd00:10:96::{number}"


def node_port(name: str) -> int:
    return 30000 + NAMES.index(name)


SPECS: dict[str, tuple[dict[str, Any], tuple[dict[int, str], ...]]] = {
    "here": ({"type": "NodePort"}, (HERE,)),
    "there": ({"type": "NodePort"}, (THERE,)),
    "local": (
        {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "sessionAffinity": "ClientIP", "healthCheckNodePort": 31000},
        (HERE, THERE),
    ),
    "remote": ({"type": "NodePort", "externalTrafficPolicy": "Local"}, (THERE,)),
    "inner": ({"internalTrafficPolicy": "Local"}, (THERE,)),
    "empty": ({"type": "NodePort"}, ()),
    "fenced": ({"type": "LoadBalancer", "loadBalancerSourceRanges": ["203.0.113.0/28", "2001:db8:9::/64"]}, (HERE,)),
}  # fmt: skip
NAMES = list(SPECS)
VIPS = {4: "198.51.100.7", 6: "2001:db8:7::7"}


def scenario() -> dict[str, Any]:
    services, slices = [], []
    for name, (spec, targets) in SPECS.items():
        port = {"name": "http", "port": 80, "nodePort": node_port(name) if "type" in spec else 0}
        ips = [cluster_ip(name, family) for family in (4, 6)]
        ingress = [{"ip": address} for address in VIPS.values()] if name == "fenced" else []
        services.append({
            "metadata": {"name": name}, "spec": {"clusterIPs": ips, "ipFamilies": ["IPv4", "IPv6"], "ports": [port], **spec},
            "status": {"loadBalancer": {"ingress": ingress}},
        })  # fmt: skip
        for family in (4, 6):
            every = [
                {"addresses": [one[family]], "nodeName": "node1" if one is HERE else "node2"} for one in targets
            ]  # fmt: skip
            slices.append({
                "metadata": {"name": f"{name}-{family}", "labels": {"kubernetes.io/service-name": name}},
                "addressType": f"IPv{family}", "endpoints": every, "ports": [{"name": "http", "port": 8080}],
            })  # fmt: skip
    return {"services": services, "endpointslices": slices, "nodes": [NODE], "node": "node1", "flags": FLAGS}


def packet(
    src: str, dst: str, dport: int, iface: str = "", *, fresh: bool = True, sport: int = 40000
) -> dict[str, Any]:
    way = {"dir": "in", "iface": iface} if iface else {"dir": "out"}
    return {
        "fresh": fresh, "src": src, "dst": dst, "proto": "tcp", "sport": sport, "dport": dport, "flags": "SYN", **way,
    }  # fmt: skip


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("release", ["1.28", "1.30", "1.34"])
def test_a_previewed_node_loads(machine: None, release: str, backend: Backend) -> None:
    load_and_read_back(api.preview(f"kube-proxy@{release}", {**scenario(), "host": {"nfacct": False}}), backend)


def questions(family: int) -> list[tuple[str, dict[str, Any], str, str]]:
    """What is asked, the packet, the verdict, and the addresses and port with which it arrives."""
    client, own, bridge, here, there = CLIENT[family], OWN[family], BRIDGE[family], HERE[family], THERE[family]
    return [
        ("node port, pod here", packet(client, own, node_port("here"), "eth0"), "FORWARDED", f"{bridge} {here} 8080"),
        ("node port, pod there", packet(client, own, node_port("there"), "eth0"), "FORWARDED", f"{own} {there} 8080"),
        ("cluster address, from a pod", packet(here, cluster_ip("there", family), 80, "cni0"), "FORWARDED", f"{here} {there} 8080"),
        ("cluster address, from outside", packet(client, cluster_ip("here", family), 80, "eth0"), "FORWARDED", f"{bridge} {here} 8080"),
        ("cluster address, from the node", packet(own, cluster_ip("there", family), 80), "SENT", f"{own} {there} 8080"),
        ("a pod that reaches itself", packet(here, cluster_ip("here", family), 80, "cni0"), "FORWARDED", f"{bridge} {here} 8080"),
        ("policy Local keeps the source", packet(client, own, node_port("local"), "eth0"), "FORWARDED", f"{client} {here} 8080"),
        ("affinity then leads there too", packet(client, cluster_ip("local", family), 80, "eth0", fresh=False, sport=40001), "FORWARDED", f"{bridge} {here} 8080"),
        ("policy Local without a pod here", packet(client, own, node_port("remote"), "eth0"), "DROPPED", ""),
        ("the node itself is let through", packet(own, own, node_port("remote")), "SENT", f"{own} {there} 8080"),
        ("internal policy without a pod here", packet(here, cluster_ip("inner", family), 80, "cni0"), "DROPPED", ""),
        ("no endpoints", packet(client, own, node_port("empty"), "eth0"), "REJECTED", ""),
        ("source ranges, let through", packet(client, VIPS[family], 80, "eth0"), "FORWARDED", f"{bridge} {here} 8080"),
        ("source ranges, not let through", packet(there, VIPS[family], 80, "eth0"), "DROPPED", ""),
        ("health check", packet(client, own, 31000, "eth0"), "LOCAL", f"{client} {own} 31000"),
    ]  # fmt: skip


def arrival(verdict: dict[str, Any]) -> str:
    final = verdict.get("final") or {}
    return (
        f"{final['src']} {final['dst']} {final['dport']}"
        if verdict["verdict"] in {"LOCAL", "FORWARDED", "SENT"}
        else ""
    )


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("backend", list(Backend))
def test_packets_to_services_end_where_the_simulator_says(machine: None, family: int, backend: Backend) -> None:
    text = api.iptables_save(api.preview("kube-proxy@1.30", scenario()), family)
    asked = questions(family)
    packets = [{"n": number, **given} for number, (_, given, _, _) in enumerate(asked)]
    kernel = observe({family: text}, host_of_topology(TOPOLOGY), "", packets, backend=backend)
    # Of a port at random replay says nothing; the addresses are those of a port that is kept.
    kept = text.replace(" --random-fully", "")
    ours = api.replay({"family": family, "topology": TOPOLOGY, f"rules_v{family}": kept, "packets": packets})
    expected = [(what, verdict, seen) for what, _, verdict, seen in asked]
    for verdicts in (kernel, ours):
        assert [
            (what, one["verdict"], arrival(one)) for (what, *_), one in zip(asked, verdicts, strict=True)
        ] == expected
