"""What a case may say of a packet beyond its headers, and what the rules make of it. The kernel's own word is in tests/kernel."""

from __future__ import annotations

from typing import Any

import pytest

from policyc import api

TOPOLOGY = {
    "interfaces": [
        {"name": "eth0", "addrs": ["203.0.113.2/24"], "mac": "02:00:00:00:00:01"},
        {"name": "br0", "addrs": ["192.168.1.1/24"], "mac": "02:00:00:00:01:01"},
    ],
    "routes": [
        {"dst": "198.51.100.0/24", "via": "203.0.113.1", "dev": "eth0", "realm": 7},
        {"dst": "192.168.2.0/24", "via": "192.168.1.9", "dev": "br0", "realm": 5},
    ],
    "sysctls": {"net.ipv4.ip_forward": 1},
}
ARRIVING = {
    "dir": "in",
    "iface": "eth0",
    "src": "198.51.100.7",
    "dst": "192.168.1.9",
    "proto": "udp",
    "sport": 1,
    "dport": 2,
}


def verdicts(*packets: dict[str, Any], rules: str, chain: str = "FORWARD", **sysctls: int) -> list[dict[str, Any]]:
    lines = "".join(f"-A {chain} {rule}\n" for rule in rules.split("; "))
    topology = {**TOPOLOGY, "sysctls": {**TOPOLOGY["sysctls"], **sysctls}}
    case = {
        "topology": topology, "rules_v4": f"*mangle\n:{chain} ACCEPT\n{lines}COMMIT\n",
        "packets": [{"n": n, "fresh": n == 0, **ARRIVING, **packet} for n, packet in enumerate(packets)],
    }  # fmt: skip
    return api.replay(case)


def matched(packet: dict[str, Any], rules: str, chain: str = "FORWARD", **sysctls: int) -> list[int]:
    (found,) = verdicts(packet, rules=rules, chain=chain, **sysctls)
    assert found["verdict"] != "UNSUPPORTED", found["reason"]
    return [number for _, _, number, _ in found["trace"] if number != "policy"]


def state(packet: dict[str, Any]) -> str:
    (found,) = verdicts(packet, rules="-m conntrack --ctstate NEW")
    return str(found["ctstate"])


def test_fragments_are_seen_where_nothing_is_tracked() -> None:
    rules = "-f; ! -f; -p udp -m udp ! --dport 9"
    assert matched({"frag": "later"}, rules) == [1]
    assert matched({"frag": "first"}, rules) == [2, 3]
    tracked, here = verdicts({"frag": "later"}, rules="-m state --state NEW") + verdicts(
        {"frag": "first", "dst": "203.0.113.2"}, rules="-f"
    )
    assert tracked["verdict"] == here["verdict"] == "UNSUPPORTED"
    assert "before any rule" in tracked["reason"]
    assert "before INPUT" in here["reason"]


def test_a_realm_is_that_of_the_route_and_of_the_way_back() -> None:
    rules = "-m realm --realm 0x70005; -m realm --realm 5/0xffff; -m realm --realm 0x70000/0xffff0000"
    assert matched({"dst": "192.168.2.7"}, rules) == [1, 2, 3]
    assert matched({}, rules) == [3]
    assert matched({"dst": "203.0.113.2"}, rules, "INPUT") == [3]
    assert matched({"dir": "out", "src": "192.168.1.1", "dst": "192.168.2.7"}, rules, "OUTPUT") == [2]


def test_the_cpu_is_known_where_it_is_told() -> None:
    assert matched({"cpu": 3}, "-m cpu --cpu 3; -m cpu ! --cpu 3") == [1]
    (untold,) = verdicts({}, rules="-m cpu ! --cpu 3")
    assert untold["verdict"] == "UNSUPPORTED"
    assert "cpu" in untold["reason"]


def test_a_bridged_frame_passes_without_being_routed() -> None:
    frame = {"iface": "br0", "port": "p1", "out_port": "p2", "dst_mac": "02:00:00:00:00:88", "ttl": 1}
    rules = "-i br0 -o br0 -m physdev --physdev-in p1 --physdev-out p2; -m ttl --ttl-eq 1; -m physdev ! --physdev-is-bridged"
    assert matched(frame, rules) == [1, 2]
    assert verdicts(frame, rules=rules)[0]["out_iface"] == "br0"
    assert matched(frame, rules, **{"net.bridge.bridge-nf-call-iptables": 0}) == []
    assert matched({"iface": "br0", "port": "p1", "src": "192.168.1.9", "dst": "198.51.100.7"}, rules) == [3]


@pytest.mark.parametrize(
    ("chunks", "expected"), [([1], "NEW"), ([4, 5], "NEW"), ([1, 0], "INVALID"), ([0], "INVALID"), ([], "INVALID")]
)
def test_what_opens_a_connection_of_sctp(chunks: list[int], expected: str) -> None:
    assert state({"proto": "sctp", "sctp_chunks": chunks, "badsum": False}) == expected


def test_udp_lite_is_tracked_on_its_way_out_only() -> None:
    assert state({"proto": "udplite"}) == "INVALID"
    (sent,) = verdicts(
        {"dir": "out", "src": "203.0.113.2", "proto": "udplite"}, rules="-m conntrack --ctstate NEW", chain="OUTPUT"
    )
    assert sent["ctstate"] == "NEW"


def test_a_helper_is_that_of_the_connection_that_expected_this_one() -> None:
    rules = "-m helper --helper ftp; -m helper ! --helper ftp; -m conntrack --ctstatus EXPECTED"
    assert matched({"ctstate": "RELATED", "helper": "ftp"}, rules) == [1, 3]
    assert matched({}, rules) == [2]
