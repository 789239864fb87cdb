"""The JSON of `counters`, `doctor` and `trace` as pydantic models. Beside `schemas`, which makes the schema files of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from policyc.report.schema_parts import Answer, Location, Model, SeverityName


class Place(Model):
    """A rule in the kernel or in the source, or the policy of a base chain; location is null for what is only in the kernel."""

    family: Literal[4, 6]
    table: str
    chain: str
    number: int | Literal["policy"]
    text: str
    location: Location | None
    statement: str | None
    owner: str | None


class CountedPlace(Place):
    """A rule with what it counted; counts is whether it is one of those that decide, whose counts are the line's."""

    packets: int = Field(ge=0)
    bytes: int = Field(ge=0)
    counts: bool


class CountedLine(Model):
    """A statement of a policy, or a line of a dump, with its rules in the kernel and those of its rules that are not there."""

    id: str | None
    name: str | None
    location: Location | None
    text: str
    packets: int = Field(ge=0)
    bytes: int = Field(ge=0)
    never_hit: bool
    rules: list[CountedPlace]
    not_in_kernel: list[Place]


class CountersSummary(Model):
    """How many lines, lines that never matched, rules in both, and rules on one side only."""

    lines: int = Field(ge=0)
    never_hit: int = Field(ge=0)
    rules: int = Field(ge=0)
    not_in_kernel: int = Field(ge=0)
    not_in_source: int = Field(ge=0)


class CountersAnswer(Answer):
    """`policyc counters --format json`; backend is null where the kernel has no rules of iptables.

    remarks are what could not be counted.
    """

    backend: Literal["nft", "legacy"] | None
    lines: list[CountedLine]
    policies: list[CountedPlace]
    not_in_source: list[CountedPlace]
    rules_of_other_backend: int = Field(ge=0)
    remarks: list[str]
    summary: CountersSummary


class Step(Model):
    """A rule that matched, or a policy; number is null for a rule newer than the trace.

    rule is in the kernel, null for tables of other tools; source is what it came from; becomes is the packet behind it, where
    it was changed.
    """

    hook: str
    table: str
    chain: str
    number: int | Literal["policy"] | None
    verdict: str
    rule: Place | None
    source: Place | None
    becomes: dict[str, str] | None


class Traced(Model):
    """A packet as it began and as it was last seen, as names and values, with its steps."""

    packet: dict[str, str]
    outcome: Literal["dropped", "rejected", "delivered", "forwarded", "sent", "queued", "gone"]
    last_hook: str | None
    decided_by: Step | None
    final: dict[str, str]
    steps: list[Step]


class TraceAnswer(Answer):
    """`policyc trace --format json`; remarks are what the trace could not see."""

    packets: list[Traced]
    remarks: list[str]


class FoundSymptom(Model):
    """What is wrong, what it means and what to do; grown is null where nothing was compared."""

    check: str
    level: SeverityName
    title: str
    subject: str | None
    counter: str | None
    value: int | None
    grown: int | None
    means: str
    advice: str


class DoctorAnswer(Answer):
    """`policyc doctor --format json`; seconds is the time between two measurements, null where there is one."""

    seconds: float | None
    symptoms: list[FoundSymptom]
    checks: int = Field(ge=1)
    namespaces: int = Field(ge=0)
    counters: dict[str, int]
