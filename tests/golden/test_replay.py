"""What becomes of packets: hosts, rules and packets in `replay/*.case`, verdicts and traces out. And the recorded ones."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from policyc import api

CASES = sorted((Path(__file__).parent / "replay").glob("*.case"))
SHARED = Path(os.environ.get("POLICYC_SHARED", Path(__file__).parents[3] / "shared"))
RECORDED = sorted((SHARED / "truth" / "kernel" / "cases").glob("*.json.gz"))
MEASURED = ("ctstate", "ctstate_assumed", "ctdir", "conntrack")
DELIVERED = ("LOCAL", "FORWARDED", "SENT")


def case_of(file: Path) -> dict[str, Any]:
    """Parts behind lines `== NAME`: host (one JSON object a line), rules_v4, rules_v6, ipsets, packets (JSON lines)."""
    parts: dict[str, str] = {}
    for part in file.read_text(encoding="utf-8").split("== ")[1:]:
        name, _, text = part.partition("\n")
        parts[name] = text
    topology: dict[str, Any] = {"interfaces": [], "routes": [], "sysctls": {}}
    for number, line in enumerate(filter(None, parts["host"].split("\n"))):
        item = json.loads(line)
        if "addrs" in item:
            macs = {"mac": f"02:00:00:00:{number:02x}:01", "peer_mac": f"02:00:00:00:{number:02x}:02"}
            topology["interfaces"].append({**macs, **item})
        elif "ip_rule" in item:
            topology.setdefault("ip_rules", []).append(item["ip_rule"])
        elif "dst" in item:
            topology["routes"].append(item)
        else:
            topology["sysctls"] |= item
    lines = [line for line in parts["packets"].split("\n") if line and not line.startswith("#")]
    packets = [{"n": number, "length": 40, "fresh": False, **json.loads(line)} for number, line in enumerate(lines)]
    return {"topology": topology, "packets": packets, **{k: parts.get(k) for k in ("rules_v4", "rules_v6", "ipsets")}}


def said(sent: dict[str, Any], verdict: dict[str, Any]) -> str:
    text = [f"{sent['src']} -> {sent['dst']} {sent['proto']} {sent.get('dport', '')} {sent.get('flags', '')}".rstrip()]
    known = {k: v for k, v in verdict.items() if k not in ("n", "verdict", "trace")}
    text.append(f"  {verdict['verdict']} {json.dumps(known)}")
    text += [f"    {table} {chain} {rule} {what}" for table, chain, rule, what in verdict["trace"]]
    return "\n".join(text) + "\n"


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_packets(file: Path, golden: Callable[[Path, str], None]) -> None:
    case = case_of(file)
    golden(file.with_suffix(".txt"), "".join(map(said, case["packets"], api.replay(case))))


def differences(case: dict[str, Any], *, blind: bool) -> Iterator[str]:
    hidden = MEASURED if blind else ()
    packets = [{k: v for k, v in packet.items() if k not in hidden} for packet in case["packets"]]
    got = {verdict["n"]: verdict for verdict in api.replay({**case, "packets": packets})}
    for want in case["expect"]:
        mine = got[want["n"]]
        keys = ["verdict", "trace", "deciding", "reject_with"]
        if want["verdict"] in DELIVERED:
            keys += ["out_iface", "in_iface", "final", "also_local"]
        for key in keys:
            if key in want and mine.get(key) != want[key]:
                yield f"{case['id']} packet {want['n']}: {key} is {mine.get(key)}, the kernel's {want[key]}"
        if want["verdict"] in DELIVERED and not want["fields"].items() <= mine.get("fields", {}).items():
            yield f"{case['id']} packet {want['n']}: fields are {mine.get('fields')}, the kernel's {want['fields']}"
        if mine.get("mark", 0) != want.get("mark", 0):
            yield f"{case['id']} packet {want['n']}: mark is {mine.get('mark')}, the kernel's {want.get('mark')}"


@pytest.mark.skipif(not RECORDED, reason="no recorded packets beside the checkout (POLICYC_SHARED)")
@pytest.mark.parametrize("blind", [False, True], ids=["given", "blind"])
@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.name.split(".")[0])
def test_recorded_packets(file: Path, blind: bool) -> None:
    """With the measured connections in the question, and without: then they follow from the packets before."""
    with gzip.open(file, "rt") as text:
        cases = json.load(text)["cases"]
    assert not [line for case in cases for line in differences(case, blind=blind)]
