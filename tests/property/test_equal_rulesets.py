"""What `diff` calls equal is equal: random rulesets with one change, and packets through both in the simulator."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import pytest

from policyc import api
from policyc.simulation.replay import ruleset_of

sys.path.append(str(Path(__file__).parents[1] / "kernel"))
from random_cases import random_case  # the generators stand beside the tests that load them into a kernel

COMPARED = ("verdict", "final", "reject_with", "mark", "ctstate")


def changed(text: str, draw: random.Random) -> str:
    """The rules with one rule gone, twice, moved or with the other verdict, or with another policy."""
    lines = text.splitlines()
    rules = [at for at, line in enumerate(lines) if line.startswith("-A")]
    policies = [at for at, line in enumerate(lines) if line.startswith(":") and line.split()[1] in {"ACCEPT", "DROP"}]
    kind = draw.choice(("gone", "twice", "moved", "turned", "policy")) if rules else "policy"
    at = draw.choice(policies if kind == "policy" else rules)
    if kind == "gone":
        del lines[at]
    elif kind == "twice":
        lines.insert(at, lines[at])
    elif kind == "moved":
        chain = lines[at].split()[1]
        to = draw.choice([each for each in rules if lines[each].split()[1] == chain])
        lines.insert(to, lines.pop(at))
    else:
        one, other = ("ACCEPT", "DROP") if "ACCEPT" in lines[at] else ("DROP", "ACCEPT")
        lines[at] = lines[at].replace(one, other)
    return "\n".join((*lines, ""))


def fates(case: dict[str, Any]) -> list[tuple[Any, ...] | None]:
    """What becomes of each packet, None where nobody can know."""
    return [
        None if one["verdict"] == "UNSUPPORTED" else tuple(one.get(key) for key in COMPARED) for one in api.replay(case)
    ]


@pytest.mark.parametrize("seed", range(60))
def test_packets_agree_with_the_answer(seed: int) -> None:
    case = random_case(seed, legacy=False)
    key = f"rules_v{case['family']}"
    case[key] = case[key] or "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    other = {**case, key: changed(case[key], random.Random(seed))}
    try:
        found = api.diff(ruleset_of(case), ruleset_of(other))
    except api.InputError:  # the other verdict cannot stand there
        return
    parted = [pair for pair in zip(fates(case), fates(other), strict=True) if None not in pair and pair[0] != pair[1]]
    assert not (found.equal and parted), parted
    assert found.differs or found.doubts or not parted
    assert api.diff(ruleset_of(case), ruleset_of(case)).equal
