"""The host that packets pass in these tests, and packets in every state of a connection.

    client 198.51.100.7 --- gateway .1 --- eth0 203.0.113.2 [host] 192.168.1.1 eth1 --- server 192.168.1.9

In IPv6: client 2001:db8:9::7, host 2001:db8:1::2 and fd00:1::1, server fd00:1::9.
"""

from __future__ import annotations

from typing import Any

from bench import PEER, Bench
from packet_bytes import Described

CLIENT = {4: "198.51.100.7", 6: "2001:db8:9::7"}
GATEWAY = {4: "203.0.113.1", 6: "2001:db8:1::1"}
HOST = {4: "203.0.113.2", 6: "2001:db8:1::2"}
INSIDE = {4: "192.168.1.1", 6: "fd00:1::1"}
SERVER = {4: "192.168.1.9", 6: "fd00:1::9"}
UNTRACKED = 5000  # a port that the tables exempt from tracking

TOPOLOGY: dict[str, Any] = {
    "interfaces": [
        {"name": "eth0", "addrs": ["203.0.113.2/24", "2001:db8:1::2/64"], "mac": "02:00:00:00:00:01", "peer_mac": PEER, "group": 3},
        {"name": "eth1", "addrs": ["192.168.1.1/24", "fd00:1::1/64"], "mac": "02:00:00:00:01:01", "peer_mac": PEER, "group": 6},
    ],
    "routes": [
        {"dst": "198.51.100.0/24", "via": "203.0.113.1", "dev": "eth0", "realm": 7},
        {"dst": "198.51.101.0/24", "via": "203.0.113.1", "dev": "eth0"},
        {"dst": "192.168.2.0/24", "via": "192.168.1.9", "dev": "eth1", "realm": 5},
        {"dst": "2001:db8:9::/48", "via": "2001:db8:1::1", "dev": "eth0"},
    ],
    "sysctls": {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1},
}  # fmt: skip
NEIGHBOURS = "\n".join(
    f"ip neigh replace {address} lladdr {PEER} dev {device}"
    for address, device in ((GATEWAY[4], "eth0"), (GATEWAY[6], "eth0"), (SERVER[4], "eth1"), (SERVER[6], "eth1"))
)
EXEMPT = f"-p udp -m multiport --ports {UNTRACKED} -j CT --notrack"
SITE = Bench(TOPOLOGY, {"eth0": "far0", "eth1": "far1"}, NEIGHBOURS, {"raw": (EXEMPT,)})
UNASKED = Bench(TOPOLOGY, {"eth0": "far0", "eth1": "far1"}, NEIGHBOURS, tracking=False)


def arriving(family: int, proto: str, **more: Any) -> Described:
    """A packet of the client to the server, through the host."""
    return {"dir": "in", "iface": "eth0", "src": CLIENT[family], "dst": SERVER[family], "proto": proto, **more}


def answering(family: int, proto: str, **more: Any) -> Described:
    """A packet of the server to the client."""
    return {"dir": "in", "iface": "eth1", "src": SERVER[family], "dst": CLIENT[family], "proto": proto, **more}


def leaving(family: int, proto: str, **more: Any) -> Described:
    """A packet that the host sends to the client."""
    return {"dir": "out", "src": HOST[family], "dst": CLIENT[family], "proto": proto, **more}


def tcp(sport: int, dport: int, flags: str = "SYN", **more: Any) -> Described:
    return {"sport": sport, "dport": dport, "flags": flags, **more}


def ports(sport: int, dport: int, **more: Any) -> Described:
    return {"sport": sport, "dport": dport, **more}


def ping(family: int, answer: bool = False) -> tuple[str, Described]:
    """Protocol and fields of an echo request or reply."""
    if family == 4:
        return "icmp", {"icmp_type": 0 if answer else 8, "icmp_id": 77}
    return "icmpv6", {"icmp_type": 129 if answer else 128, "icmp_id": 77}


def states(family: int) -> list[Described]:
    """Packets of every state at every hook: new, established in both directions, related, invalid, untracked."""
    icmp, request = ping(family)
    asked = arriving(family, "udp", **ports(2000, 53))
    unreachable = {"icmp_type": 3, "icmp_code": 3} if family == 4 else {"icmp_type": 1, "icmp_code": 4}
    local = {"dst": HOST[family]}
    return [
        arriving(family, "tcp", **tcp(1000, 80, seq=1000)),
        answering(family, "tcp", **tcp(80, 1000, "SYN,ACK", seq=5000, ack=1001)),
        arriving(family, "tcp", **tcp(1000, 80, "ACK", seq=1001, ack=5001)),
        arriving(family, "tcp", **tcp(1000, 80, "PSH,ACK", seq=1001, ack=5001, payload=10)),
        arriving(family, "tcp", **tcp(1001, 80, "SYN,FIN")),
        arriving(family, "tcp", **tcp(1002, 80, "NONE")),
        asked,
        answering(family, icmp, **unreachable, inner=asked),
        answering(family, "udp", **ports(53, 2000)),
        arriving(family, "udp", **ports(2001, UNTRACKED)),
        arriving(family, "udp", **ports(2002, 53, badsum=True)),
        arriving(family, icmp, **request),
        answering(family, *ping(family, answer=True)[:1], **ping(family, answer=True)[1]),
        arriving(family, "gre", payload=20),
        arriving(family, "tcp", **tcp(1010, 22), **local),
        arriving(family, "tcp", **tcp(1011, 22, "FIN"), **local),
        arriving(family, "udp", **ports(2010, UNTRACKED), **local),
        arriving(family, icmp, **request, **local),
        arriving(family, icmp, **{**request, "icmp_type": ping(family, answer=True)[1]["icmp_type"]}, **local),
        leaving(family, "udp", **ports(3000, 53)),
        arriving(family, "udp", **ports(53, 3000), **local),
        leaving(family, "tcp", **tcp(3001, 80, seq=1000), uid=33, gid=44),
        arriving(family, "tcp", **tcp(80, 3001, "SYN,ACK", seq=9000, ack=1001), **local),
        leaving(family, "tcp", **tcp(3001, 80, "ACK", seq=1001, ack=9001), uid=33, gid=44),
        leaving(family, "tcp", **tcp(3002, 80, "SYN,FIN"), uid=33, gid=44),
        leaving(family, "udp", **ports(3003, UNTRACKED), mark=5),
        leaving(family, icmp, **request),
        leaving(family, "udp", **ports(3004, 53), **local),
    ]  # fmt: skip
