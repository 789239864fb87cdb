"""The kernel agrees with what `policyc test` says: each packet of the test blocks is sent for real, on the host that was assumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policyc import api
from policyc.checks.packet_tests import PacketResult
from policyc.explanation.outcomes import Way
from policyc.explanation.verification import compare
from policyc.kernel.replica import observe
from policyc.writers.set_members import members_text

ROOT = Path(__file__).parents[2]
POLICIES = [*sorted((ROOT / "examples").glob("*.pol")), ROOT / "tests" / "golden" / "tested" / "every-way.pol"]

pytestmark = pytest.mark.usefixtures("machine")


def can_be_sent(result: PacketResult) -> bool:
    """Whether a replica has what the packet needs: no connection that was there before, no mark from nowhere."""
    packet = result.placement.packet
    return packet.claimed is None and (packet.outgoing or not packet.mark) and packet.iif != "lo"


def chosen(way: Way, verdict: dict[str, Any]) -> dict[str, Any]:
    """The verdict without a source port that the kernel draws by lot."""
    if not any("at random" in text for text in way.noted) or "final" not in verdict:
        return verdict
    return {**verdict, "final": {key: value for key, value in verdict["final"].items() if key != "sport"}}


@pytest.mark.parametrize("file", POLICIES, ids=lambda file: file.stem)
def test_the_kernel_agrees(file: Path) -> None:
    ruleset = api.load(file)
    alone = replace(ruleset, shared=False)  # a shared policy brings the chains of others in which its jumps stand
    for result in filter(can_be_sent, api.test(ruleset).packets):
        ways = [course.way for course in result.courses]
        host = ways[0].situation.host
        (kernel,) = observe(alone, host, members_text(host.sets.values()), [result.placement.packet])
        differences = [
            compare(chosen(way, way.trace.to_dict(0, way.packet, way.sent)), chosen(way, kernel)) for way in ways
        ]
        assert () in differences, (result.packet_text, differences)
