"""A long chain is looked into by address and port, and answers as if every rule had been asked."""

from __future__ import annotations

import random
from typing import Any

import pytest

from policyc import api
from policyc.readers.topology import host_of_topology
from policyc.simulation import rules as chains
from policyc.simulation.journey import Journey, Visit
from policyc.simulation.recorded import packet_of
from policyc.simulation.state import State
from policyc.simulation.walk import Simulation

HOST = {
    "interfaces": [{"name": "eth0", "addrs": ["203.0.113.2/24"], "mac": "02:00:00:00:00:01"}],
    "routes": [],
    "sysctls": {},
}


def some_rule(draw: random.Random) -> str:
    net = f"203.0.113.{draw.randrange(256)}/{draw.choice((24, 28, 31, 32))}"
    source = f"198.51.100.{draw.randrange(4)}/{draw.choice((30, 32))}"
    port = draw.randrange(1, 5)
    words = [
        draw.choice(("", f"-s {source}", f"! -s {source}", f"-s 198.51.100.{draw.randrange(4)}/255.0.255.3")),
        draw.choice(("", f"-d {net}", f"! -d {net}")),
        draw.choice(
            ("", "-p tcp", f"-p udp -m udp --dport {port}", f"-p udp -m udp ! --dport {port}", f"-p udp -m udp --dport {port}:9",
             f"-p udp -m length --length 0:{draw.randrange(60)} -m udp --dport {port}")
        ),
    ]  # fmt: skip
    return " ".join(
        ["-A INPUT", *filter(None, words), draw.choice(("", "-j side", "-j RETURN", "-j DROP", "-j LOG", "-g side"))]
    )


def ruleset_and_packets(seed: int) -> tuple[str, list[dict[str, Any]]]:
    draw = random.Random(seed)
    lines = [some_rule(draw) for _ in range(80)]
    side = [
        some_rule(draw).replace("INPUT", "side").replace("-j side", "-j LOG").replace("-g side", "-j ACCEPT")
        for _ in range(60)
    ]
    packets = [
        {
            "n": n, "dir": "in", "iface": "eth0", "src": f"198.51.100.{draw.randrange(5)}", "dst": "203.0.113.2",
            "proto": draw.choice(("tcp", "udp", "gre")), "sport": 9, "dport": draw.randrange(1, 6), "length": draw.randrange(28, 70),
        }
        for n in range(30)
    ]  # fmt: skip
    return "\n".join(["*filter", ":INPUT DROP", ":side -", *lines, *side, "COMMIT\n"]), packets


def answers(text: str, packets: list[dict[str, Any]]) -> list[Any]:
    return [verdict["trace"] for verdict in api.replay({"topology": HOST, "rules_v4": text, "packets": packets})]


@pytest.mark.parametrize("seed", range(20))
def test_the_same_trace_with_and_without(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text, packets = ruleset_and_packets(seed)
    indexed = answers(text, packets)
    monkeypatch.setattr(chains, "LONG", 10_000)
    assert indexed == answers(text, packets)


@pytest.mark.parametrize("seed", range(20))
def test_the_same_trace_with_a_journey(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text, packets = ruleset_and_packets(seed)
    expected = answers(text, packets)
    monkeypatch.setattr(chains, "MOST_TOLD", 10)
    host, ruleset = host_of_topology(HOST, None, 4), api.load(text)
    told = []
    for packet in packets:
        journey = Journey()
        trace = Simulation(ruleset, State.of(host)).walk(packet_of(packet, host), journey)
        visits = [event for event in journey.events if isinstance(event, Visit)]
        assert [look.verdict for visit in visits for look in visit.looks if look.matched] == [
            step.verdict for step in trace.steps
        ]
        told.append([list(step) for step in trace.steps])
    assert told == expected
