"""The rules of every example load with both backends and both families, and read back equal to what was compiled."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from policyc import api
from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import program
from policyc.writers.ipset import ipset_restore

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.pol"))


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_loads_and_reads_back_equal(machine: None, path: Path, backend: Backend) -> None:
    ruleset = api.load(path)
    assert ruleset.families == ((4,) if re.search(r"^  family ip$", path.read_text(), re.MULTILINE) else (4, 6))
    with Namespace() as namespace:
        sets = ipset_restore(ruleset)
        if sets:
            assert namespace.run([program("ipset", "ipset"), "restore"], sets).err == ""
        for family in ruleset.families:
            text = on_its_host(api.iptables_save(ruleset, family))
            outcome = namespace.run([backend.tool(family, "restore"), *["--noflush"] * ruleset.shared], text)
            assert (outcome.code, outcome.err) == (0, "")
            assert _rules(namespace.run([backend.tool(family, "save")]).out, family) == _rules(text, family)


def on_its_host(text: str) -> str:
    """The text as a host has it on which Docker runs: the chain that Docker leaves to us exists."""
    return text.replace("*filter\n", "*filter\n:DOCKER-USER - [0:0]\n", 1) if "DOCKER-USER" in text else text


def _rules(text: str, family: int) -> dict[tuple[str, str], list[str]]:
    """The rules of each chain that has some, in the kernel's order."""
    ruleset = api.load(text, family=family)
    return {(t.name, c.name): [r.text for r in c.rules] for t in ruleset.tables for c in t.chains if c.rules}
