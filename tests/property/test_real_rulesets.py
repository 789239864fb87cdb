"""Real rulesets, walked with all packets: every answer is checked another way, and against what a kernel was seen to do."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policyc import api
from policyc.analysis.certificate import Checker, UnprovedError
from policyc.analysis.chains import TableSets
from policyc.analysis.dead import DeadRules, Why, hooks_of
from policyc.analysis.diagrams import EMPTY
from policyc.analysis.replayed import Replay
from policyc.analysis.rules import FamilyRules
from policyc.netfilter.predicate import Ask, May, nodes
from policyc.netfilter.ruleset import Ruleset

SHARED = Path(os.environ.get("POLICYC_SHARED", Path(__file__).parents[3] / "shared"))
DUMPS = sorted((SHARED / "corpus").glob("*.rules"))
RECORDED = sorted((SHARED / "truth" / "kernel" / "cases").glob("*.json.gz"))

dumps = pytest.mark.parametrize("file", DUMPS, ids=lambda file: file.stem[-40:])


def walked(ruleset: Ruleset) -> Iterator[DeadRules]:
    """Yield the walk of each family; those with chains in a circle have none."""
    for family in ruleset.families:
        try:
            yield DeadRules(FamilyRules(ruleset, family))
        except ValueError:
            continue


def read(file: Path) -> Ruleset:
    try:
        return api.load(file)
    except api.InputError:
        pytest.skip("iptables-restore does not take the file either")


@pytest.mark.skipif(not DUMPS, reason="no real dumps beside the checkout (POLICYC_SHARED)")
@dumps
def test_dead_rules_are_proved_dead_again_by_their_covers(file: Path) -> None:
    for walk in walked(read(file)):
        for table in walk.walk.tables.values():
            checker = Checker(table.table, walk.rules.meanings)
            for number, found in enumerate(walk.find(table, lambda chain, place: True)):
                if not found.by_itself or (len(table.order) > 100 and number % 20):
                    continue
                takers = {(cause.chain, cause.place) for cause in found.causes} if found.why is Why.SHADOWED else None
                for hook in hooks_of(table, found.chain):
                    given = walk.rules.known_in(hook, table.table.name)
                    try:
                        assert checker.is_dead(hook.value, (found.chain, found.place), given, takers), found
                    except UnprovedError:
                        continue


def is_certain(walk: DeadRules, table: TableSets) -> bool:
    """Whether a counter, chance or a host that is not known here has no say in the table."""
    rules = (rule for chain in table.table.chains for rule in chain.rules)
    tests = (node for rule in rules for node in nodes(walk.rules.meanings.tests(rule)))
    return not any(isinstance(node, May | Ask) or getattr(getattr(node, "field", None), "name", "").startswith("ipsec") for node in tests)  # fmt: skip


@pytest.mark.skipif(not DUMPS, reason="no real dumps beside the checkout (POLICYC_SHARED)")
@dumps
def test_the_witness_of_a_live_rule_matches_it_in_the_simulator(file: Path) -> None:
    for walk in walked(read(file)):
        for table in walk.walk.tables.values():
            if not is_certain(walk, table):
                continue
            replay = Replay(table.table)
            for chain in table.table.chains:
                for place in range(0, len(chain.rules), 1 + len(walk.rules.ruleset.tables[0].chains) // 20):
                    point = None if table.is_changing(chain.name) else walk.example(table, chain.name, place)
                    if point is not None and not any(" & 0x" in key for key in point.conditions):
                        ways = [replay.steps(hook, point) or () for hook in hooks_of(table, chain.name)]
                        met = {(step.chain, step.rule) for way in ways for step in way}
                        assert (chain.name, place + 1) in met, (chain.name, place + 1, point)


def cases(file: Path) -> Iterator[tuple[dict[str, Any], Ruleset]]:
    for case in json.loads(gzip.decompress(file.read_bytes()))["cases"]:
        family = case["family"]
        yield case, api.load(case[f"rules_v{family}"] + "\n", family=family, name=case["id"])


@pytest.mark.skipif(not RECORDED, reason="no recorded packets beside the checkout (POLICYC_SHARED)")
@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.name.removesuffix(".json.gz"))
def test_no_rule_that_a_kernel_saw_matching_is_called_dead(file: Path) -> None:
    asked = 0
    for case, ruleset in cases(file):
        met = {tuple(step[:3]) for verdict in case["expect"] for step in verdict.get("trace", ())}
        for walk in walked(ruleset):
            for table in walk.walk.tables.values():
                name = table.table.name
                dead = {(name, chain.name, place + 1) for chain in table.table.chains for place in range(len(chain.rules)) if table.reaching(chain.name, place) == EMPTY}  # fmt: skip
                asked += len(dead)
                assert not dead & met, case["id"]
    assert asked


@pytest.mark.skipif(not DUMPS, reason="no real dumps beside the checkout (POLICYC_SHARED)")
@dumps
def test_no_real_ruleset_is_too_large_to_be_walked_whole(file: Path) -> None:
    assert not api.check(read(file), select=["undecided"]).diagnostics
