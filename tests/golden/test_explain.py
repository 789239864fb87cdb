"""What becomes of one packet, for people: host, rules and packets in `explain/*.case`, the answer about the last of them out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from test_replay import case_of

from policyc import api
from policyc.explanation.answer import Explanation
from policyc.explanation.explain import explain
from policyc.explanation.insights.insight import Kind
from policyc.explanation.placing import Placement
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.topology import host_of_topology
from policyc.report.explain_text import concise_line, explain_text
from policyc.report.json import json_text
from policyc.report.schemas import schema_text
from policyc.report.style import Style
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


@pytest.mark.parametrize("name", ["long-chain", "jumps-gotos-returns", "unknown-condition"])
def test_every_rule_is_shown_when_asked_for(name: str, golden: Callable[[Path, str], None]) -> None:
    file = Path(__file__).parent / "explain" / f"{name}.case"
    golden(file.with_suffix(".verbose.txt"), explain_text(explanation_of(file), verbose=True))


def test_a_terminal_without_unicode_but_with_colours(golden: Callable[[Path, str], None]) -> None:
    file = Path(__file__).parent / "explain" / "foreign-text.case"
    text = explain_text(explanation_of(file), Style(colour=True, ascii_only=True))
    assert text.isascii()
    golden(file.with_suffix(".ascii-colour.txt"), text.replace("\x1b", "<ESC>"))


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_nothing_that_a_terminal_would_obey_is_printed(file: Path) -> None:
    found = explanation_of(file)
    text = explain_text(found, verbose=True) + concise_line(found)
    assert not [character for character in text if character != "\n" and not character.isprintable()]


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_the_json_form_keeps_its_schema(file: Path) -> None:
    answer = json.loads(json_text(explanation_of(file).to_dict()))
    assert next(iter(answer)) == "format_version"
    jsonschema.validate(answer, json.loads(schema_text("explain")))
    assert [one["kind"] for one in answer["insights"]] == [one.kind.value for one in explanation_of(file).insights]


def test_each_kind_of_insight_has_a_case() -> None:
    assert {one.kind for file in CASES for one in explanation_of(file).insights} == set(Kind)
