"""Random packets through random rules on random hosts: the real kernel and `api.replay` must say the same of each.

A run has new seeds. A failure names its seed; POLICYC_SEED=N repeats that case alone.
"""

from __future__ import annotations

import os
import random
from typing import Any

from random_cases import Case, random_case, smaller

from policyc import api
from policyc.explanation.verification import Difference, compare
from policyc.kernel.loading import Backend
from policyc.kernel.replica import observe
from policyc.kernel.replica.machine import NotCarriedOut
from policyc.readers.topology import host_of_topology

AT_LEAST = 2000  # packets of a run that both sides decide
ENOUGH_UNKNOWN = 0.05
LEGACY_EVERY = 4

Differing = tuple[dict[str, Any], dict[str, Any], dict[str, Any], tuple[Difference, ...]]


def backend_of(seed: int) -> Backend:
    return Backend.LEGACY if seed % LEGACY_EVERY == 0 else Backend.NFT


def asked(case: Case, backend: Backend) -> tuple[list[Differing], int]:
    """Packets about which the two differ, and how many nobody could know."""
    host = host_of_topology(case["topology"], case["ipsets"], case["family"])
    texts = {family: text for family in (4, 6) if (text := case[f"rules_v{family}"])}
    kernel = observe(texts, host, case["ipsets"] or "", case["packets"], backend=backend)
    differing, unknown = [], 0
    for packet, ours, real in zip(case["packets"], api.replay(case), kernel, strict=True):
        if ours["verdict"] == "UNSUPPORTED":
            unknown += 1
        elif differences := compare(ours, real):
            differing.append((packet, ours, real, differences))
    return differing, unknown


def test_random_packets(machine: None) -> None:
    given = os.environ.get("POLICYC_SEED")
    decided = unknown = 0
    while decided < AT_LEAST:
        seed = int(given or random.randrange(2**32))
        backend = backend_of(seed)
        case = random_case(seed, legacy=backend is Backend.LEGACY)
        differing, lost = asked(case, backend)
        assert not differing, report(seed, case, backend)
        decided, unknown = decided + len(case["packets"]) - lost, unknown + lost
        if given:
            return
    assert unknown <= ENOUGH_UNKNOWN * decided


def report(seed: int, case: Case, backend: Backend) -> str:
    """The smallest case that still fails, as somebody has to see it."""

    def fails(trial: Case) -> bool:
        try:
            return bool(asked(trial, backend)[0])
        except NotCarriedOut:  # without a rule it may not load
            return False

    small = smaller(case, fails)
    lines = [f"POLICYC_SEED={seed} iptables-{backend.value}", small["rules_v4"] or "", small["rules_v6"] or ""]
    lines += [small["ipsets"] or "", str(small["topology"]), *(f"sent {packet}" for packet in small["packets"])]
    for packet, ours, real, differences in asked(small, backend)[0]:
        lines += [f"packet {packet['n']}: {differences}", f"  simulator {ours}", f"  kernel    {real}"]
    return "\n".join(lines)
