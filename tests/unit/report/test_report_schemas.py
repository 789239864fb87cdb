"""The JSON answers keep the schemas of docs/schema, and the files there are what the models say today."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from policyc.cli.main import program
from policyc.report.schemas import ANSWERS, CHANGING, FILES, LIVE, schema_text

ROOT = Path(__file__).parents[3]
CHAINS = str(ROOT / "tests" / "golden" / "report" / "chains.rules")
COMPOSE = ["compose", str(ROOT / "examples" / "compose" / "development.yml")]
PACKET = "tcp 203.0.113.9 -> 198.51.100.1:443 in eth0"
QUESTIONS = {
    "check": ["check", CHAINS, "--format", "json", "--fail-on", "never"],
    "config": ["config", "--isolated", "--format", "json"],
    "diff": [
        "diff",
        str(ROOT / "tests" / "golden" / "differences" / "before.rules"),
        str(ROOT / "tests" / "golden" / "differences" / "after.rules"),
        "--format",
        "json",
    ],
    "explain": ["explain", CHAINS, PACKET, "--format", "json"],
    "preview-diff": ["preview", *COMPOSE, "--diff", CHAINS, "--format", "json"],
    "preview-explain": ["preview", *COMPOSE, "--explain", "--format", "json"],
    "reach": [
        "reach",
        str(ROOT / "examples" / "office-router.pol"),
        "--from",
        "wan",
        "--to",
        "dmz",
        "--format",
        "json",
    ],
    "rule": ["rule", "--all", "--format", "json"],
    "show": ["show", CHAINS, "--format", "json"],
    "test": ["test", str(ROOT / "tests" / "golden" / "tested" / "other-fates.pol"), "--format", "json"],
}


def extras(model: BaseModel) -> list[str]:
    """The keys that an answer has and its model does not, anywhere below."""
    found = [f"{type(model).__name__}.{key}" for key in model.model_extra or {}]
    for value in model.__dict__.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, BaseModel):
                found += extras(item)
    return found


@pytest.mark.parametrize("command", [*ANSWERS, *LIVE, *CHANGING, *FILES])
def test_the_schema_file_is_current(command) -> None:
    written = (ROOT / "docs" / "schema" / f"{command}.schema.json").read_text()
    assert written == schema_text(command), "run: python -m policyc.report.schemas docs/schema"


@pytest.mark.parametrize("command", ANSWERS)
def test_the_answer_fits_its_schema_and_says_nothing_else(command) -> None:
    result = CliRunner().invoke(program, QUESTIONS[command], standalone_mode=False)
    answer = json.loads(result.stdout)
    assert next(iter(answer)) == "format_version"
    jsonschema.validate(answer, json.loads(schema_text(command)))
    assert extras(ANSWERS[command].model_validate(answer)) == []


def test_the_schema_refuses_an_answer_that_breaks_the_contract() -> None:
    answer = json.loads(CliRunner().invoke(program, QUESTIONS["check"], standalone_mode=False).stdout)
    assert answer["diagnostics"]
    del answer["diagnostics"][0]["rule"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(answer, json.loads(schema_text("check")))
