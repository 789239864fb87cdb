"""The rules of every example load with both backends and both families, and read back equal to what was compiled."""

from __future__ import annotations

from pathlib import Path

import pytest
from policyc.writers.ipset import ipset_restore

from policyc import api
from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import program

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.pol"))


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_loads_and_reads_back_equal(machine: None, path: Path, backend: Backend) -> None:
    ruleset = api.load(path)
    assert ruleset.families == (4, 6) or "family    ip" in path.read_text()
    with Namespace() as namespace:
        sets = ipset_restore(ruleset)
        if sets:
            assert namespace.run([program("ipset", "ipset"), "restore"], sets).err == ""
        for family in ruleset.families:
            text = api.iptables_save(ruleset, family)
            outcome = namespace.run([backend.tool(family, "restore"), *["--noflush"] * ruleset.shared], prepared(text))
            assert (outcome.code, outcome.err) == (0, "")
            saved = api.load(namespace.run([backend.tool(family, "save")]).out, family=family)
            assert _rules(api.iptables_save(saved, family)) == _rules(text)


def prepared(text: str) -> str:
    """The text as a host has it on which Docker runs: the chain that Docker leaves to us exists."""
    if "DOCKER-USER" not in text:
        return text
    return text.replace("*filter\n", "*filter\n:DOCKER-USER - [0:0]\n", 1) if ":DOCKER-USER" not in text else text


def _rules(text: str) -> list[str]:
    """The rules of a text, table by table, in the order in which the kernel has them."""
    found: list[str] = []
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line
        elif line.startswith("-"):
            found.append(f"{table} {line}")
    return sorted(found, key=lambda line: line.split()[:3])
