"""Random cases: rules, host and packets, in the form of recorded cases; and a case that fails made small."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from random_hosts import random_site
from random_packets import Item, Talk, opening
from random_rules import random_tables

from policyc import api

Case = dict[str, Any]
OPENINGS = 24


def random_case(seed: int, *, legacy: bool) -> Case:
    """The case of a seed: always the same."""
    draw = random.Random(seed)
    family = draw.choice((4, 4, 4, 6))
    site = random_site(family, draw)
    case: Case = {
        "family": family, "topology": site.topology, "rules_v4": None, "rules_v6": None, "ipsets": site.ipsets or None,
        f"rules_v{family}": random_tables(site, draw, legacy=legacy),
    }  # fmt: skip
    first = [opening(site, draw) for _ in range(OPENINGS)]
    # Who answers must know what arrived, which is the translation's doing.
    fates = api.replay({**case, "packets": first})
    packets: list[Item] = []
    for item, fate in zip(first, fates, strict=True):
        packets.append(item)
        if draw.random() < 0.65:
            packets += Talk(item, fate, family, draw).packets()
    return case | {"packets": [{"n": n, **item} for n, item in enumerate(packets)]}


def smaller(case: Case, fails: Callable[[Case], bool]) -> Case:
    """The case without what it does not need in order to fail: packets first, then rules."""
    for size in (8, 4, 2, 1):
        packets = case["packets"]
        for at in range(len(packets) - size, -1, -size):
            trial = case | {"packets": packets[:at] + packets[at + size :]}
            if trial["packets"] and fails(trial):
                case, packets = trial, trial["packets"]
    for key in ("rules_v4", "rules_v6"):
        lines = (case[key] or "").split("\n")
        for size in (8, 2, 1):
            for at in range(len(lines) - size, -1, -size):
                if all(line.startswith("-A") for line in lines[at : at + size]):
                    trial = case | {key: "\n".join(lines[:at] + lines[at + size :])}
                    if fails(trial):
                        case, lines = trial, trial[key].split("\n")
    return case
