"""The JSON answers as pydantic models, and the schema files of `docs/schema/` that are generated from them.

The answers themselves are made without pydantic, because a `check` must start fast; a test holds both together. The schema
of a snapshot is generated here too. `python -m policyc.report.schemas docs/schema` writes the files.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from policyc.readers.snapshot_model import Snapshot
from policyc.report.apply_schema import PlanAnswer, StatusAnswer
from policyc.report.diff_schema import DiffAnswer
from policyc.report.explain_schema import ExplainAnswer
from policyc.report.live_schema import CountersAnswer, DoctorAnswer, TraceAnswer
from policyc.report.preview_schema import DifferenceAnswer, PathsAnswer
from policyc.report.schema_parts import Answer, Finding, Location, Model, RulePlace, SeverityName

Family = Literal[4, 6]


class ExactnessCounts(Model):
    """How many rules are known exactly, are opaque, or match by chance."""

    rules: int = Field(ge=0)
    exact: int = Field(ge=0)
    opaque: int = Field(ge=0)
    nondeterministic: int = Field(ge=0)


class Summary(Model):
    """How many findings there are of each severity."""

    error: int = Field(ge=0)
    warning: int = Field(ge=0)
    info: int = Field(ge=0)


class CheckAnswer(Answer):
    """`policyc check --format json`."""

    diagnostics: list[Finding]
    exactness: ExactnessCounts
    summary: Summary


class RulePage(Model):
    """A code of the catalogue with its page in Markdown."""

    code: str
    name: str
    severity: SeverityName
    summary: str
    url: str
    page: str


class RuleAnswer(Answer):
    """`policyc rule --format json`."""

    rules: list[RulePage]


class KernelRule(RulePlace):
    """A rule with its text as iptables-save prints it, without the chain."""

    text: str


class ShownStatement(Model):
    """A statement of a policy, or a line of a dump, with the rules that it made."""

    id: str | None
    name: str
    description: str
    location: Location | None
    text: str
    rules: list[KernelRule]


class ShownChain(Model):
    """A chain; policy is null where it has none."""

    family: Family
    table: str
    chain: str
    policy: str | None
    rules: int = Field(ge=0)


class ShownSet(Model):
    """An ipset; timeout in seconds, family null for a kind that knows none."""

    name: str
    kind: str
    family: Family | None
    timeout: int | None


class ShownSysctl(Model):
    """A kernel setting that the policy needs."""

    name: str
    value: str
    why: str


class ShowAnswer(Answer):
    """`policyc show --format json`."""

    statements: list[ShownStatement]
    chains: list[ShownChain]
    sets: list[ShownSet]
    sysctls: list[ShownSysctl]


class Setting(Model):
    """A value of the configuration and the line that says so."""

    value: Any
    origin: str


class ConfigAnswer(Answer):
    """`policyc config --format json`."""

    file: str | None
    settings: dict[str, Setting]


class TestExpected(Model):
    """What a test says: a verdict, and the deciding rule where it names one."""

    verdict: Literal["accept", "drop", "reject"]
    by: str | None


class TestRule(Model):
    """A rule, or the policy of a base chain, with its text and where it comes from."""

    family: Family
    table: str
    chain: str
    number: int | Literal["policy"]
    text: str
    location: Location | None
    statement: str | None
    owner: str | None


class TestCourse(Model):
    """One way that the packet may take; `assumes` is empty for the first, `faults` are what of the test does not hold."""

    verdict: Literal["accept", "drop", "reject", "unknown"]
    outcome: str
    interface: str | None
    final: dict[str, Any]
    decided_by: TestRule | None
    reason: str | None
    assumes: list[str]
    faults: list[str]


class TestedPacket(Model):
    """A packet of a test; complete is false where there are more unknown conditions than were tried."""

    block: str
    text: str
    location: Location
    state: Literal["passed", "failed", "undecided"]
    expected: TestExpected
    packet: dict[str, Any]
    courses: list[TestCourse]
    assumptions: list[str]
    complete: bool


class ShownPacket(Model):
    """A packet that was seen to do what an answer says; `sentence` is what `explain` takes, `beside` what it cannot say."""

    sentence: str
    beside: list[str]
    packet: dict[str, Any]
    verdict: str
    interface: str | None
    final: dict[str, Any]
    assumes: list[str]


class TestedProof(Model):
    """A statement about all packets; a refuted one has the packet that shows it."""

    block: str
    text: str
    location: Location
    state: Literal["proved", "refuted", "undecided"]
    reason: str
    counterexample: ShownPacket | None


class PathRule(Model):
    """A rule, or the policy of a base chain, that a packet met."""

    table: str
    chain: str
    number: int | Literal["policy"]


class ReachAnswer(Answer):
    """`policyc reach --format json`. Not exact: a condition that nobody knows stands in between, or no packet was found."""

    reachable: bool
    exact: bool
    because: list[str]
    witness: ShownPacket | None
    path: list[PathRule]
    assumptions: list[str]


class Counted(Model):
    """How many there are, and how many of them a test exercises."""

    total: int = Field(ge=0)
    exercised: int = Field(ge=0)


class UnexercisedStatement(Model):
    """A statement that no test exercises, with how many kernel rules it made."""

    id: str
    name: str
    location: Location
    rules: int = Field(ge=1)


class TestCoverage(Model):
    """What the tests exercise of the statements and their kernel rules."""

    statements: Counted
    rules: Counted
    unexercised: list[UnexercisedStatement]


class TestSummary(Model):
    """How many packets passed, failed or are undecided, and the same of proofs."""

    passed: int = Field(ge=0)
    failed: int = Field(ge=0)
    undecided: int = Field(ge=0)
    proofs_proved: int = Field(ge=0)
    proofs_refuted: int = Field(ge=0)
    proofs_undecided: int = Field(ge=0)


class TestAnswer(Answer):
    """`policyc test --format json`."""

    tests: list[TestedPacket]
    proofs: list[TestedProof]
    coverage: TestCoverage
    summary: TestSummary


ANSWERS: dict[str, type[BaseModel]] = {
    "check": CheckAnswer,
    "config": ConfigAnswer,
    "diff": DiffAnswer,
    "explain": ExplainAnswer,
    "preview-diff": DifferenceAnswer,
    "preview-explain": PathsAnswer,
    "reach": ReachAnswer,
    "rule": RuleAnswer,
    "show": ShowAnswer,
    "test": TestAnswer,
}
"""The model of each command's JSON answer."""

LIVE: dict[str, type[BaseModel]] = {"counters": CountersAnswer, "doctor": DoctorAnswer, "trace": TraceAnswer}
"""The model of each JSON answer about a running kernel, which only root can ask for."""

CHANGING: dict[str, type[BaseModel]] = {"plan": PlanAnswer, "status": StatusAnswer}
"""The model of each JSON answer about changing a running kernel."""

FILES: dict[str, type[BaseModel]] = {"snapshot": Snapshot}
"""The model of each JSON file that policyc writes and reads again."""


def schema_text(name: str) -> str:
    """Return the JSON schema of a command's answer, or of a file, as its file in docs/schema has it."""
    answers = ANSWERS | LIVE | CHANGING
    schema = FILES[name].model_json_schema() if name in FILES else answers[name].model_json_schema(mode="serialization")
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def write_schemas(folder: Path) -> None:
    """Write all schema files into a folder."""
    for name in (*ANSWERS, *LIVE, *CHANGING, *FILES):
        (folder / f"{name}.schema.json").write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
