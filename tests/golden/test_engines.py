"""What engines install: recorded scenarios in `engines/*/*.recorded` (tables of nftables: `*.nft`), and all that were
recorded where they are at hand.

A file holds the engine, the scenario, what the engine drew, and the rules that a real daemon left behind.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policyc import api
from policyc.netfilter.ruleset import Ruleset

HERE = Path(__file__).parent / "engines"
SHARED = Path(os.environ.get("POLICYC_SHARED", Path(__file__).parents[3] / "shared"))
RECORDED = SHARED / "truth" / "containers"

Tables = dict[str, dict[str, tuple[str, list[str]]]]


def parts_of(file: Path) -> dict[str, str]:
    parts = {}
    for part in re.split("^== ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name, _, text = part.partition("\n")
        parts[name] = text.strip() + "\n"
    return parts


def tables(text: str) -> Tables:
    """A dump as its tables: chains with their policy and rules, the chains sorted, as the order of chains says nothing."""
    found: Tables = {}
    for line in text.splitlines():
        if line.startswith("*"):
            table = found[line[1:]] = {}
        elif line.startswith(":"):
            name, policy = line[1:].split()[:2]
            table[name] = (policy, [])
        elif line.startswith("-A "):
            _, name, rule = line.split(" ", 2)
            table[name][1].append(rule)
    return found


@pytest.mark.parametrize("file", sorted(HERE.rglob("*.recorded")), ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_the_rules_are_those_that_the_engine_left(file: Path) -> None:
    parts = parts_of(file)
    drawn = json.loads(parts["drawn"]) if "drawn" in parts else None
    ruleset = api.preview(parts["engine"].strip(), json.loads(parts["scenario"]), drawn)
    for family, name in ((4, "iptables-save"), (6, "ip6tables-save")):
        assert tables(api.iptables_save(ruleset, family)) == tables(parts[name])


def recorded(engine: str) -> Iterator[dict[str, Any]]:
    path = RECORDED / f"{engine}.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"no recorded scenarios beside this checkout: {path.name} (POLICYC_SHARED names another place)")
    with gzip.open(path, "rt") as lines:
        yield from (json.loads(line) for line in lines)


def said(tables: Tables) -> Tables:
    """Tables without the chains that say nothing: what remains of a table that was only looked at differs by backend."""
    kept = {
        name: {chain: content for chain, content in chains.items() if content[1] or content[0] == "DROP"}
        for name, chains in tables.items()
    }
    return {name: chains for name, chains in kept.items() if chains}


@pytest.mark.parametrize("resolved", [True, False], ids=["drawn", "as-the-engine-draws"])
def test_every_recorded_scenario_of_docker(resolved: bool) -> None:
    """With what the daemon drew, and again without: addresses and ports are then what the model draws."""
    seen, wrong = 0, []
    for row in recorded("docker"):
        if row["backend"] == "nftables" or (row["dynamic"] and not resolved):
            continue
        seen += 1
        release = row["version"].partition("+")[0]
        ruleset = api.preview(f"docker@{release}", row["input"], row["resolved"] if resolved else None)
        wrong += [
            f"{row['name']} IPv{family}"
            for family in (4, 6)
            if said(tables(api.iptables_save(ruleset, family))) != said(tables(row[f"expected_v{family}"] or ""))
        ]
    assert seen > 200
    assert not wrong


def test_every_recorded_scenario_of_dockers_nftables_backend() -> None:
    from policyc.engines.docker.engine import nftables_of, play
    from policyc.engines.docker.scenario_file import read_drawn, read_scenario
    from policyc.engines.docker.versions import behaviour_of
    from policyc.engines.given import Given

    seen, wrong = 0, []
    for row in recorded("docker"):
        if row["backend"] != "nftables":
            continue
        seen += 1
        release = row["version"].partition("+")[0]
        flags = {**row["input"]["daemon"], "firewall-backend": "nftables"}
        scenario, _ = read_scenario(Given.json({**row["input"], "daemon": flags}), behaviour_of(release))
        daemon = play(release, scenario, read_drawn(Given.json(row["resolved"])))
        expected = row["expected_nft"].rstrip("\n").replace("hook output priority dstnat", "hook output priority -100")
        wrong += [row["name"]] if nftables_of(daemon).rstrip("\n") != expected else []
    assert seen > 10
    assert not wrong


def test_every_recorded_scenario_of_kube_proxy() -> None:
    seen, wrong = 0, []
    for row in recorded("kubernetes"):
        seen += 1
        scenario = {**row["input"], "flags": row["flags"], "node": row["node"], "pre": row["pre"]}
        ruleset = api.preview(f"kube-proxy@{row['version'].removeprefix('v')}", scenario)
        wrong += [
            f"{row['name']} IPv{family}"
            for family in (4, 6)
            if said(tables(api.iptables_save(ruleset, family))) != said(tables(row[f"expected_v{family}"]))
        ]
    assert seen > 20
    assert not wrong


@pytest.mark.parametrize(("file", "engine", "least"), [("cni", "cni", 25), ("netavark", "netavark", 30)])
def test_every_recorded_call(file: str, engine: str, least: int) -> None:
    seen, wrong = 0, []
    for row in recorded(file):
        if row["expected_nft"] and not (row["expected_v4"] or "").strip():
            continue
        seen += 1
        calls = {"operations": row["input"], "pre": row.get("pre")}
        ruleset = api.preview(f"{engine}@{row['version']}", calls)
        wrong += [
            f"{row['name']} {row['version']} IPv{family}"
            for family in (4, 6)
            if said(tables(api.iptables_save(ruleset, family))) != said(tables(row[f"expected_v{family}"] or ""))
        ]
    assert seen > least
    assert not wrong


def nftables_after(engine: str, scenario: dict[str, Any], drawn: dict[str, Any] | None = None) -> str:
    """What the engine leaves in nftables, as older nft lists it too: `dstnat` is a name for prerouting alone there."""
    from policyc.engines.given import Given

    name, _, release = engine.partition("@")
    given, resolved = Given.json(scenario), Given.json(drawn)
    if name == "cni":
        from policyc.engines.cni.engine import play
        from policyc.engines.cni.scenario_file import read_drawn, read_scenario
        from policyc.engines.cni.versions import behaviour_of

        return play(release, read_scenario(given, behaviour_of(release))[0], read_drawn(resolved)).nft.text()
    from policyc.engines.netavark.engine import nftables_of
    from policyc.engines.netavark.scenario_file import read_scenario as read_calls
    from policyc.engines.netavark.versions import behaviour_of as netavark

    return nftables_of(read_calls(given, resolved, netavark(release))[0])


@pytest.mark.parametrize("file", sorted(HERE.rglob("*.nft")), ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_the_tables_of_nftables_are_those_that_the_engine_left(file: Path) -> None:
    parts = parts_of(file)
    assert nftables_after(parts["engine"].strip(), json.loads(parts["scenario"])).strip() == parts["nft"].strip()


@pytest.mark.parametrize("engine", ["cni", "netavark"])
def test_every_recorded_call_with_nftables(engine: str) -> None:
    """Where netavark drew the order of a container's networks, one of both orders is the recorded one."""
    seen, wrong = 0, []
    for row in recorded(engine):
        if not row["expected_nft"]:
            continue
        seen += 1
        networks = sorted(row["input"][0].get("options", {}).get("networks", {}))
        identity = row["input"][0].get("options", {}).get("container_id", "")
        orders = [{"order": {identity: names}} for names in (networks, networks[::-1])]
        expected = row["expected_nft"].strip().replace("hook output priority dstnat", "hook output priority -100")
        calls = {"operations": row["input"]}
        found = [nftables_after(f"{engine}@{row['version']}", calls, order).strip() for order in orders]
        wrong += [] if expected in found else [f"{row['name']} {row['version']}"]
    assert seen >= (20 if engine == "netavark" else 1)
    assert not wrong


def test_a_ruleset_says_what_stands_in_for_drawn_names() -> None:
    ruleset = api.preview("docker@28", {"networks": [{"name": "app"}]})
    assert isinstance(ruleset, Ruleset)
    assert [(note.code, "br-_app_" in note.message) for note in ruleset.notes] == [("PC521", True)]
