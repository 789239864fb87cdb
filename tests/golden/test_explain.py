"""What becomes of one packet, for people: host, rules and packets in `explain/*.case`, the answer about the last of them out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from test_replay import case_of

from policyc import api
from policyc.explanation.answer import Explanation
from policyc.explanation.explain import explain
from policyc.explanation.placing import Placement
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.topology import host_of_topology
from policyc.report.explain_text import concise_line, explain_text
from policyc.simulation.recorded import packet_of

CASES = sorted((Path(__file__).parent / "explain").glob("*.case"))


def explanation_of(file: Path) -> Explanation:
    """The answer about the last packet of a case, after those before it have passed; rules are called edge.v4 and edge.v6."""
    case = case_of(file)
    texts = [(family, case[f"rules_v{family}"]) for family in (4, 6) if case[f"rules_v{family}"]]
    tables = [table for family, text in texts for table in api.load(text, family=family, name=f"edge.v{family}").tables]
    host = host_of_topology(case["topology"], case["ipsets"])
    *before, asked = (packet_of(packet, host) for packet in case["packets"])
    return explain(Ruleset(tuple(tables), host=host), (Placement(asked, host),), "", tuple(before))


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_the_answer_for_people(file: Path, golden: Callable[[Path, str], None]) -> None:
    found = explanation_of(file)
    golden(file.with_suffix(".txt"), concise_line(found) + "\n\n" + explain_text(found))
