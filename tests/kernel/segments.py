"""Random TCP segments between a client and a server on both sides of a router, and how its connection tracking sees them."""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from host_in_namespace import ask, make

from policyc.kernel.namespace import Namespace

CLIENT, SERVER = "203.0.113.9", "192.168.1.9"
TOPOLOGY: dict[str, Any] = {
    "interfaces": [
        {"name": "eth0", "addrs": ["203.0.113.2/24"], "mac": "02:00:00:00:00:01"},
        {"name": "eth1", "addrs": ["192.168.1.1/24"], "mac": "02:00:00:00:01:01"},
    ],
    "routes": [],
    "sysctls": {"net.ipv4.ip_forward": 1},
}
TESTS = (
    "-m conntrack --ctstate NEW",
    "-m conntrack --ctstate ESTABLISHED",
    "-m conntrack --ctstate INVALID",
    "-m conntrack --ctstatus ASSURED",
    "-m conntrack --ctdir REPLY",
)
KINDS = (
    "SYN", "SYN,ACK", "ACK", "ACK", "PSH,ACK", "PSH,ACK", "FIN,ACK", "FIN,ACK", "RST", "RST,ACK", "FIN", "URG", "ACK,URG",
)  # fmt: skip
# The TTL tells the frame from others: each has a chain of its own. Forwarding takes one, so it is 2 at least.
FIRST_TTL, BATCH = 2, 250

SENDER = """
import json, socket, struct, sys
FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32}
def folded(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data + b"\\0" * (len(data) % 2))) if len(data) % 2 == 0 else None
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
far = []
for n in (0, 1):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("far%d" % n, 0)); far.append(s)
for line in sys.stdin:
    p = json.loads(line)
    ends = socket.inet_aton(p["src"]) + socket.inet_aton(p["dst"])
    flags = sum(FLAGS[name] for name in p["flags"].split(","))
    body = struct.pack("!HHIIBBHHH", p["sport"], p["dport"], p["seq"], p["ack"], 0x50, flags, p["window"], 0, 0) + b"x" * p["payload"]
    total = folded(ends + struct.pack("!HH", 6, len(body)) + body)
    body = body[:16] + struct.pack("!H", total) + body[18:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, p["ttl"], 6, 0) + ends
    head = head[:10] + struct.pack("!H", folded(head)) + head[12:]
    side = int(p["iface"][3:])
    far[side].send(bytes.fromhex("02000000%02x01" % side) + bytes.fromhex("0200000000990800") + head + body)
import time; time.sleep(0.3)
"""


def near(number: int, draw: random.Random) -> int:
    """The number, one close to it, or one that a window must decide about."""
    kind = draw.random()
    if kind < 0.6:
        return number
    if kind < 0.85:
        return (number + draw.choice((-1, 1, 2, -5, 5, 100, -100, 1460))) % 2**32
    far = draw.choice((70000, -70000, 65536, 65534, draw.randrange(2**32)))
    return draw.choice((0, (number + far) % 2**32))


def conversation(sport: int, draw: random.Random) -> Iterator[dict[str, Any]]:
    """Segments of one connection: mostly a handshake, then anything."""
    following = [draw.choice((1000, 4294967290, draw.randrange(2**32))), draw.choice((5000, draw.randrange(2**32)))]
    opening = [(0, "SYN"), (1, "SYN,ACK"), (0, "ACK")][: draw.choice((0, 1, 2, 3, 3, 3, 3))]
    anything = [(draw.randrange(2), draw.choice(KINDS)) for _ in range(draw.randrange(1, 9))]
    for place, (side, flags) in enumerate([*opening, *anything]):
        exact = place < len(opening) and draw.random() < 0.92
        seq, ack = (each if exact else near(each, draw) for each in (following[side], following[1 - side]))
        words = flags.split(",")
        ack = ack if "ACK" in words or draw.random() < 0.2 else 0
        payload = draw.choice((0, 0, 6, 100)) if "PSH" in words else 0
        ends = ((CLIENT, sport), (SERVER, 80))
        (src, source), (dst, target) = ends[side], ends[1 - side]
        yield {
            "fresh": place == 0, "dir": "in", "iface": f"eth{side}", "src": src, "dst": dst, "proto": "tcp", "sport": source,
            "dport": target, "flags": flags, "seq": seq, "ack": ack, "payload": payload, "length": 40 + payload,
            "window": draw.choice((65535, 65535, 64240, 1000, 0, 29200)),
        }  # fmt: skip
        end = (seq + payload + ("SYN" in words) + ("FIN" in words)) % 2**32
        if (exact or draw.random() < 0.5) and (end - following[side]) % 2**32 < 2**31:
            following[side] = end


def rules(numbers: Sequence[int]) -> str:
    """Chains that count, for the frames with these TTLs, which of TESTS hold."""
    lines = ["*mangle", ":PREROUTING ACCEPT [0:0]", *(f":p{n} - [0:0]" for n in numbers)]
    lines += [f"-A PREROUTING -m ttl --ttl-eq {n} -j p{n}" for n in numbers]
    lines += [f"-A p{n} {test}" for n in numbers for test in TESTS]
    return "\n".join([*lines, "COMMIT", ""])


def make_router(namespace: Namespace, topology: dict[str, Any]) -> None:
    """Make the router; who is behind it has a MAC that no interface has, so that frames end there."""
    make(namespace, topology)
    hosts = ((CLIENT, "eth0"), (SERVER, "eth1"))
    ask(namespace, (["ip", "neigh", "replace", to, "lladdr", "02:00:00:00:00:99", "dev", name] for to, name in hosts))


def seen(namespace: Namespace, packets: Sequence[dict[str, Any]]) -> list[list[bool]]:
    """Send at most BATCH segments; for each, whether each of TESTS held."""
    numbers = [packet["ttl"] for packet in packets]
    done = namespace.run(["iptables-legacy-restore"], rules(numbers))
    assert done.code == 0, done.err
    sent = namespace.run([sys.executable, "-c", SENDER], "\n".join(map(json.dumps, packets)))
    assert sent.code == 0, sent.err
    saved = namespace.run(["iptables-legacy-save", "-c", "-t", "mangle"]).out
    assert set(re.findall(r"^\[(\d+):\d+\] -A PREROUTING", saved, re.MULTILINE)) == {"1"}
    counts = (re.findall(rf"^\[(\d+):\d+\] -A p{n} ", saved, re.MULTILINE) for n in numbers)
    return [[count != "0" for count in each] for each in counts]
