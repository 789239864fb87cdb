"""What engines install: recorded scenarios in `engines/*/*.recorded`, and all that were recorded where they are at hand.

A file holds the engine, the scenario, what the engine drew, and the rules that a real daemon left behind.
"""

from __future__ import annotations

import gzip
import json
import os
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
    for part in file.read_text(encoding="utf-8").split("== ")[1:]:
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


def test_a_ruleset_says_what_stands_in_for_drawn_names() -> None:
    ruleset = api.preview("docker@28", {"networks": [{"name": "app"}]})
    assert isinstance(ruleset, Ruleset)
    assert [(note.code, "br-_app_" in note.message) for note in ruleset.notes] == [("PC521", True)]
