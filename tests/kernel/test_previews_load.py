"""What a preview prints loads with both backends and reads back equal: scenarios, compose examples, every layout of rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policyc import api
from policyc.engines.docker.compose import read_compose
from policyc.engines.docker.engine import RELEASES, installed, nftables_of, play
from policyc.engines.docker.scenario import Drawn
from policyc.engines.docker.scenario_file import read_scenario
from policyc.engines.docker.versions import CHANGES, behaviour_of
from policyc.engines.given import Given
from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import program
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.files import read_file
from policyc.writers.ipset import ipset_restore

ROOT = Path(__file__).parents[2]
EVERYTHING = {
    "daemon": {"icc": False},
    "networks": [
        {"name": "app", "ipv6": True, "subnets": ["172.30.0.0/24", "fd00:30::/64"]},
        {"name": "closed", "ipv6": True, "internal": True, "subnets": ["172.30.1.0/24", "fd00:31::/64"]},
        {
            "name": "out", "subnets": ["172.30.2.0/24"],
            "options": {"com.docker.network.bridge.gateway_mode_ipv4": "routed", "com.docker.network.host_ipv4": "192.0.2.9"},
        },
    ],
    "containers": [
        {"name": "web", "networks": ["app", "closed"], "publish": ["8080:80", "127.0.0.1:53:53/udp", "7000-7002:7000-7002"]},
        {"name": "db", "expose": ["5432"]},
        {"name": "site", "links": ["db"], "publish": ["80"]},
        {"name": "router", "networks": ["out"], "publish": ["9:9/sctp"]},
    ],
    "post": ["iptables -I DOCKER-USER -m conntrack --ctorigdstport 8080 -j DROP", "docker restart web", "@restart"],
}  # fmt: skip


def load_and_read_back(ruleset: Ruleset, backend: Backend) -> None:
    with Namespace() as namespace:
        if sets := ipset_restore(ruleset):
            assert namespace.run([program("ipset", "ipset"), "restore"], sets).err == ""
        for family in ruleset.families:
            text = api.iptables_save(ruleset, family)
            outcome = namespace.run([backend.tool(family, "restore")], text)
            assert (outcome.code, outcome.err) == (0, "")
            assert rules(namespace.run([backend.tool(family, "save")]).out) == rules(text)


def rules(text: str) -> list[tuple[str, str]]:
    """The rules and the policies that say something, each with its table; in a chain in their order."""
    found, table = [], ""
    for line in text.splitlines():
        table = line if line.startswith("*") else table
        if line.startswith("-A") or (line.startswith(":") and " DROP " in line):
            found.append((table, line.partition(" [")[0]))
    return sorted(found, key=lambda pair: (pair[0], pair[1].split(" ")[:2]))


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("since", [since for since, _ in CHANGES])
def test_every_layout_loads(machine: None, since: str, backend: Backend) -> None:
    release = min((each for each in RELEASES if each.startswith(since)), default=RELEASES[-1])
    scenario = json.loads(json.dumps(EVERYTHING))
    if int(release.split(".")[0]) < 27:
        scenario["daemon"] |= {"ip6tables": True, "experimental": True}
    load_and_read_back(api.preview(f"docker@{release}", scenario), backend)


@pytest.mark.parametrize("release", ["20.10", "27", "28.0.0", "28", "29"])
@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "compose").glob("*.yml")), ids=lambda path: path.stem)
def test_a_compose_example_loads(machine: None, path: Path, release: str) -> None:
    newest = max((each for each in RELEASES if each.startswith(release)), key=lambda each: [*map(int, each.split("."))])
    scenario, notes = read_compose(read_file(path), "project")
    load_and_read_back(installed(play(newest, scenario, Drawn()), notes), Backend.NFT)


def test_the_nftables_backend_loads(machine: None) -> None:
    scenario, _ = read_scenario(
        Given.json({**EVERYTHING, "daemon": {"icc": False, "firewall-backend": "nftables"}, "post": ["@restart"]}),
        behaviour_of("29.7.2"),
    )
    text = nftables_of(play("29.7.2", scenario, Drawn()))
    assert text.count("dnat to") > 6
    with Namespace() as namespace:
        outcome = namespace.run([program("nft", "nftables"), "-f", "-"], text)
        assert (outcome.code, outcome.err) == (0, "")


CONTAINERS = {
    "cni": {
        "pre": "iptables -t nat -N THEIRS; ip6tables -t nat -N THEIRS",
        "operations": [
            {
                "op": "ADD", "container_id": name,
                "plugins": [
                    {"name": "net", "type": "bridge", "ipMasq": True, "ipMasqBackend": backend,
                     "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.22.0.0/24"}], [{"subnet": "fd22::/64"}]]}},
                    {"name": "net", "type": "portmap", "backend": backend, **marks, "conditionsV4": conditions,
                     "runtimeConfig": {"portMappings": [
                         {"hostPort": port + each, "containerPort": 80, "protocol": protocol, "hostIP": host}
                         for each, (protocol, host) in enumerate([("tcp", ""), ("udp", "127.0.0.1"), ("tcp", "::1"), ("sctp", "::")])
                     ]}},
                    {"name": "net", "type": "firewall", "ingressPolicy": "isolated"},
                ],
            }
            for name, port, backend, marks, conditions in [
                ("one", 8000, "iptables", {}, ["!", "-d", "192.0.2.9"]),
                ("two", 9000, "iptables", {"externalSetMarkChain": "THEIRS"}, []),
                ("three", 7000, "nftables", {}, ["ip", "daddr", "!=", "192.0.2.9"]),
                ("four", 6000, "nftables", {"masqAll": True}, []),
            ]
        ],
    },
    "netavark": {
        "operations": [
            {
                "op": "setup", "dns_port": 5353,
                "options": {
                    "container_id": name, "container_name": name,
                    "networks": {name: {"static_ips": [f"10.89.{number}.2", f"fd89:{number}::2"]}},
                    "network_info": {name: {
                        "name": name, "id": name * 4, "network_interface": f"br{number}", "options": {"isolate": isolate},
                        "subnets": [{"subnet": f"10.89.{number}.0/24", "gateway": f"10.89.{number}.1"},
                                    {"subnet": f"fd89:{number}::/64", "gateway": f"fd89:{number}::1"}],
                    }},
                    "port_mappings": [
                        {"host_port": 8000 + 10 * number, "container_port": 80, "protocol": "tcp", "range": 4},
                        {"host_port": 53, "container_port": 53, "protocol": "udp", "host_ip": "127.0.0.1"},
                        {"host_port": 9899, "container_port": 9899, "protocol": "sctp", "host_ip": "::"},
                    ],
                },
            }
            for number, (name, isolate) in enumerate([("app", "false"), ("db", "true"), ("out", "true")], 1)
        ],
    },
}  # fmt: skip


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("engine", ["cni@1.1", "cni@1.9", "netavark@1.4", "netavark@1.14", "netavark@1.17"])
def test_calls_of_plugins_and_of_netavark_load(machine: None, engine: str, backend: Backend) -> None:
    name = engine.partition("@")[0]
    scenario = json.loads(json.dumps(CONTAINERS[name]))
    if engine == "cni@1.1":
        for call in scenario["operations"]:
            call["plugins"][2]["ingressPolicy"] = "same-bridge"
            if call["container_id"] in {"three", "four"}:
                call["plugins"][1]["conditionsV4"] = []
    ruleset = api.preview(engine, scenario)
    assert ruleset.families == (4, 6)
    load_and_read_back(ruleset, backend)


@pytest.mark.parametrize("engine", ["cni", "netavark"])
def test_their_nftables_load(machine: None, engine: str) -> None:
    given = Given.json(CONTAINERS[engine])
    if engine == "cni":
        from policyc.engines.cni.engine import play as called
        from policyc.engines.cni.scenario import Drawn as Known
        from policyc.engines.cni.scenario_file import read_scenario as read_calls
        from policyc.engines.cni.versions import behaviour_of as plugins

        text = called("1.9.1", read_calls(given, plugins("1.9.1"))[0], Known({})).nft.text()
    else:
        from policyc.engines.netavark.engine import nftables_of as netavark_tables
        from policyc.engines.netavark.scenario_file import read_scenario as read_setups
        from policyc.engines.netavark.versions import behaviour_of as netavark

        text = netavark_tables(read_setups(given, Given.json(None), netavark("1.17.2"))[0])
    assert text.count("dnat") > 6
    with Namespace() as namespace:
        outcome = namespace.run([program("nft", "nftables"), "-f", "-"], text)
        assert (outcome.code, outcome.err) == (0, "")
