"""Random policies on the wire against the words of docs/language.md, said once more in twenty lines of Python."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

import pytest
from probes import SILENCE, Probe, expect, tcp, udp

HEAD = """
policy edge { family ip; ownership shared }
zone wan = interface eth0
zone near = interface eth0 network 203.0.113.0/24, 198.51.100.0/25
zone far = network 192.0.2.0/24, 203.0.113.0/28
set known = address
log seen = "seen"
limit plenty = 1000/second burst 1000
limit each = 1000/second burst 1000 per source
filter any -> self { use baseline }
filter self -> any { use baseline }
"""
KNOWN = "203.0.113.9"
SOURCES = ("192.0.2.10", "203.0.113.9", "198.51.100.9")
ZONES = {
    "wan": ("0.0.0.0/0",),
    "near": ("203.0.113.0/24", "198.51.100.0/25"),
    "far": ("192.0.2.0/24", "203.0.113.0/28"),
}
SERVICES = {
    "tcp/22": ("tcp", 22, 22),
    "tcp/80": ("tcp", 80, 80),
    "tcp/20-100": ("tcp", 20, 100),
    "tcp/443": ("tcp", 443, 443),
    "tcp": ("tcp", 0, 65535),
    "udp/53": ("udp", 53, 53),
    "udp/50-90": ("udp", 50, 90),
    "udp": ("udp", 0, 65535),
    "icmp": ("icmp", 0, 0),
}
ADDRESSES = {
    "192.0.2.10": ("192.0.2.10/32",),
    "203.0.113.9": ("203.0.113.9/32",),
    "198.51.100.0/24": ("198.51.100.0/24",),
    "192.0.2.0/24": ("192.0.2.0/24",),
    "203.0.113.0-203.0.113.30": ("203.0.113.0/28", "203.0.113.16/28"),
    "known": (f"{KNOWN}/32",),
    "near": ZONES["near"],
    "10.9.9.9": ("10.9.9.9/32",),
}


@dataclass(frozen=True)
class Rule:
    text: str
    verb: str
    fits: Callable[[Probe], bool]


def some(choice: random.Random, names: dict, most: int) -> list[str]:
    return choice.sample(sorted(names), choice.randint(1, most))


def inside(address: str, networks) -> bool:
    return any(ip_address(address) in ip_network(network) for network in networks)


def rule(choice: random.Random) -> Rule:
    verb = choice.choice(("accept", "drop", "reject", "return"))
    services = some(choice, SERVICES, 4)
    words, tests = [], [lambda p: any(k == p.kind and a <= p.port <= b for k, a, b in map(SERVICES.get, services))]
    for word, address in (("from", lambda p: p.source), ("to", lambda p: p.address)):
        if choice.random() < (0.8 if word == "from" else 0.3):
            negated, names = choice.random() < 0.4, some(choice, ADDRESSES, 4)
            networks = [network for name in names for network in ADDRESSES[name]]
            words.append(f"{word} {'not ' * negated}{', '.join(names)}")
            tests.append(lambda p, a=address, n=networks, no=negated: inside(a(p), n) != no)
    if choice.random() < 0.2:
        negated = choice.random() < 0.5
        words.append(f"in {'not ' * negated}eth0, eth7")
        tests.append(lambda p, no=negated: not no)
    if choice.random() < 0.2:
        words.append("state new")
    words += [word for word in ("limit plenty", "limit each") if choice.random() < 0.15][:1]
    words += ["log seen"] * (choice.random() < 0.3)
    choice.shuffle(words)
    return Rule(" ".join((verb, ", ".join(services), *words)), verb, lambda p: all(test(p) for test in tests))


def block(choice: random.Random) -> tuple[str, list[str], list[Rule]]:
    zones = choice.choice((["any"], ["wan"], ["near"], ["far"], ["near", "far"], ["far", "wan"]))
    rules = [rule(choice) for _ in range(choice.randint(1, 4))]
    if choice.random() < 0.3:
        verb = choice.choice(("accept", "drop", "reject", "return"))
        rules.append(Rule(f"otherwise {verb}", verb, lambda p: True))
    lines = "".join(f"  {one.text}\n" for one in rules)
    return f"filter {', '.join(zones)} -> self {{\n{lines}}}\n", zones, rules


def verdict(blocks, probe: Probe) -> str:
    """What the tour says: top to bottom, block by block; `return` leaves one; what nobody decides is the host's."""
    for _, zones, rules in blocks:
        if zones == ["any"] or any(inside(probe.source, ZONES[zone]) for zone in zones):
            # A packet of two zones of the list goes through the block for each pair, with the same end.
            decided = next((one.verb for one in rules if one.fits(probe)), "return")
            if decided != "return":
                return decided
    return "accept"


@pytest.mark.parametrize("seed", range(6))
def test_a_packet_meets_what_is_written(site, seed):
    choice = random.Random(f"policy {seed}")
    blocks = [block(choice) for _ in range(choice.randint(2, 4))]
    site.policy.load(HEAD + "".join(text for text, _, _ in blocks))
    site.router.run("ipset", "add", "known.4", KNOWN)
    wanted = {}
    for source in SOURCES:
        for make, port in ((tcp, 22), (tcp, 80), (tcp, 443), (udp, 53), (udp, 80), (udp, 443)):
            probe = make(site.outside, "192.0.2.1", port, source=source)
            wanted[probe] = {
                "accept": f"192.0.2.1:{port} from {source}",
                "drop": SILENCE,
                "reject": "icmp 3/3",
            }[verdict(blocks, probe)]
    expect(wanted)
