"""Connections that were really made to published ports: outcome and source as recorded, in `connections/*.recorded`.

A file holds the engine, the session that was typed, and each connection: its path, its target, what came of it, and the
source address that the server saw. All that were recorded are tried where they are at hand.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from policyc.engines.docker.engine import installed, play
from policyc.engines.docker.host import host_of, surroundings_of
from policyc.engines.docker.scenario import Drawn
from policyc.engines.docker.scenario_file import read_drawn, read_scenario
from policyc.engines.docker.session import read_session
from policyc.engines.docker.versions import behaviour_of
from policyc.engines.given import Given
from policyc.engines.preview import engine_of
from policyc.engines.surroundings import Socket
from policyc.explanation.connecting import Client, Here, Inside, Outside, World, connect
from policyc.net.addresses import format_address, parse_address
from policyc.net.protocols import CANONICAL, TCP
from policyc.source import Source

HERE = Path(__file__).parent / "connections"
RECORDED = Path(os.environ.get("POLICYC_SHARED", Path(__file__).parents[3] / "shared")) / "truth" / "containers"
NEIGHBOUR = Outside("eth0", {4: parse_address("192.0.2.1", 4)})
CLIENTS: dict[str, Client] = {
    "external": NEIGHBOUR,
    "external-direct-to-container-ip": NEIGHBOUR,
    "host-loopback": Here(),
    "host-own-ip": Here(),
    "host-to-container-ip": Here(),
    "other-container-same-net-via-host-ip": Inside("c2"),
    "other-container-same-net-direct": Inside("c2"),
    "container-hairpin-to-itself": Inside("c1"),
}


class Connection(NamedTuple):
    path: str
    target: str
    outcome: str
    source: str


def connections(engine: str, session: str, asked: list[tuple[str, str]]) -> list[Connection]:
    _, release = engine_of(engine)
    scenario, notes = read_session(Source("session", session), behaviour_of(release))
    daemon = play(release, scenario, Drawn())
    ruleset = installed(daemon, notes)
    assert ruleset.host is not None
    world = World(ruleset, ruleset.host, surroundings_of(daemon))
    found = []
    for path, target in asked:
        address, _, port = target.rpartition(":")
        attempt = connect(world, CLIENTS[path], Socket(4, parse_address(address, 4), TCP, int(port)))
        source = "" if attempt.source is None else format_address(attempt.source.address, 4)
        found.append(Connection(path, target, attempt.outcome.value.upper(), source))
    return found


@pytest.mark.parametrize("file", sorted(HERE.glob("*.recorded")), ids=lambda file: file.stem)
def test_connections_end_as_recorded(file: Path) -> None:
    parts = dict(part.split("\n", 1) for part in file.read_text(encoding="utf-8").split("== ")[1:])
    recorded = [Connection(*[*line.split(), ""][:4]) for line in parts["connections"].splitlines()]
    asked = [(one.path, one.target) for one in recorded]
    assert connections(parts["engine"].strip(), parts["session"], asked) == recorded


def lines(name: str) -> Iterator[dict]:
    path = RECORDED / name
    if not path.is_file():
        pytest.skip(f"{name} is not at hand")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def test_all_recorded_connections_end_as_recorded() -> None:
    for case in lines("docker-probes.jsonl.gz"):
        asked = [(one["path"], one["to"]) for one in case["results"]]
        found = connections(f"docker@{case['version']}", case["commands"], asked)
        name = f"{case['version']} {case['scenario']}"
        assert [one.outcome for one in found] == [one["outcome"] for one in case["results"]], name
        seen = re.findall(r"\[ ffff:([0-9.]+)\]:\d+: url", case["server_saw"])
        assert [one.source for one in found if one.source] == seen, name


def test_docker_proxy_and_settings_are_as_recorded() -> None:
    for case in lines("docker.jsonl.gz"):
        if case["failed_steps"]:
            continue
        _, release = engine_of(f"docker@{re.match(r'[0-9.]+', case['version'])[0]}")
        scenario, _ = read_scenario(Given.json(case["input"]), behaviour_of(release))
        daemon = play(release, scenario, read_drawn(Given.json(case["resolved"])))
        assert proxies(daemon) == sorted(re.sub(r"^\S+ | -use-listen-fd$", "", line) for line in case["docker_proxy"])
        settings = host_of(daemon).sysctls.given
        if case["backend"] == "nftables":
            settings = {name: value for name, value in settings.items() if name != FORWARDING_V6}
        assert settings == {name: case["sysctl"][name] for name in settings}, case["name"]
        on = {name for name, value in case["sysctl"].items() if name.endswith("route_localnet") and value != "0"}
        assert on == {name for name in settings if name.endswith("route_localnet")}, case["name"]


FORWARDING_V6 = (
    "net.ipv6.conf.all.forwarding"  # of a host with nftables it was on before, which its scenario does not say
)


def proxies(daemon) -> list[str]:
    return sorted(
        f"-proto {CANONICAL[one.outer.protocol]} -host-ip {format_address(one.outer.address, one.outer.family)} "
        f"-host-port {one.outer.port} -container-ip {format_address(one.inner.address, one.inner.family)} "
        f"-container-port {one.inner.port}"
        for one in surroundings_of(daemon).publications
        if one.proxy
    )
