"""Every packet of every way into a published port, sent for real: the kernel does with it what the table says.

A replica's containers are neighbours on an interface, not on a bridge: frames between two ports of a bridge are left out.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from policyc.engines.docker.compose import read_compose
from policyc.engines.docker.engine import installed, play
from policyc.engines.docker.host import surroundings_of
from policyc.engines.docker.scenario import Drawn, Scenario
from policyc.engines.docker.session import read_session
from policyc.engines.docker.versions import RELEASES, behaviour_of
from policyc.engines.surroundings import Socket
from policyc.explanation.connecting import Attempt, World
from policyc.explanation.entry_paths import entry_paths
from policyc.explanation.verification import compare
from policyc.kernel.replica import observe
from policyc.readers.files import read_file
from policyc.source import Source
from policyc.writers.ipset import ipset_restore

COMPOSE = Path(__file__).parents[2] / "examples" / "compose"
SESSIONS = {
    "no docker-proxy": "dockerd --userland-proxy=false &\ndocker run -p 8080:80 web\ndocker run -p 127.0.0.1:81:80 web",
    "input drops": "docker run -p 8080:80 web\niptables -P INPUT DROP",
    "rejected": "docker run -p 8080:80 web\niptables -I DOCKER-USER -i eth0 -j REJECT",
}
OLD, NEW = "27.5.1", RELEASES[-1]


def agree(release: str, scenario: Scenario) -> int:
    """Send everything, and return how many packets the kernel and the table agreed about."""
    daemon = play(release, scenario, Drawn())
    ruleset = installed(daemon, [])
    assert ruleset.host is not None
    ports = entry_paths(World(ruleset, ruleset.host, surroundings_of(daemon)))
    counted = 0
    for attempt in unlike([path.attempt for port in ports for path in port.paths]):
        ways = [way for way in attempt.ways if way.sent.port_out is None]
        if len(ways) != len(attempt.ways):
            continue
        seen = observe(ruleset, ruleset.host, ipset_restore(ruleset), [way.sent for way in ways])
        for way, kernel in zip(ways, seen, strict=True):
            assert compare(way.trace.to_dict(kernel["n"], way.packet, way.sent), kernel) == ()
            counted += 1
    return counted


def unlike(attempts: list[Attempt]) -> list[Attempt]:
    """The attempts and those inside them, of each address and client once: ports differ in nothing else."""
    whole = [one for attempt in attempts for one in (attempt, attempt.inner) if one is not None and one.ways]
    found: dict[tuple[Socket, int, str | None], Attempt] = {}
    for one in whole:
        found.setdefault((replace(one.target, port=0), one.ways[0].sent.src, one.ways[0].sent.iif), one)
    return list(found.values())


@pytest.mark.parametrize("release", [OLD, NEW])
@pytest.mark.parametrize("example", ["development", "dual-stack"])
def test_the_ways_into_a_compose_example(machine: None, example: str, release: str) -> None:
    scenario, _ = read_compose(read_file(COMPOSE / f"{example}.yml"), "project")
    assert agree(release, scenario) > 20


def test_the_ways_into_one_with_two_networks(machine: None) -> None:
    scenario, _ = read_compose(read_file(COMPOSE / "shop.yml"), "project")
    assert agree(NEW, scenario) > 20


@pytest.mark.parametrize("release", [OLD, NEW])
@pytest.mark.parametrize("name", SESSIONS)
def test_the_ways_in_after_a_session(machine: None, name: str, release: str) -> None:
    scenario, _ = read_session(Source(name, SESSIONS[name]), behaviour_of(release))
    assert agree(release, scenario) > 10
