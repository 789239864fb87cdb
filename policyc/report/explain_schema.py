"""The JSON of `explain` as pydantic models: a recorded verdict's keys on top, then the steps and all else. Beside `schemas`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from policyc.explanation.sender import Seen
from policyc.report.schema_parts import Answer, Location, Model

Verdict = Literal["LOCAL", "FORWARDED", "SENT", "DROPPED", "REJECTED", "KERNEL_DROP", "UNSUPPORTED"]
HookName = Literal["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]


class ExplainedPlace(Model):
    """A rule, or a base chain's policy, with its text and source."""

    family: Literal[4, 6]
    table: str
    chain: str
    number: int | Literal["policy"]
    text: str
    location: Location | None
    statement: str | None
    owner: str | None


class ExplainedPacket(Model):
    """A packet at one moment; what it does not have is left out. Marks, `ttl`, `tos` and `length` are numbers."""

    family: Literal[4, 6]
    proto: str
    src: str
    dst: str
    sport: int | None = None
    dport: int | None = None
    flags: str | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    icmp_id: int | None = None
    in_: Annotated[str | None, Field(alias="in")] = None
    out: str | None = None
    ctstate: str
    ctdir: Literal["original", "reply"] | None = None
    mark: int
    connmark: int | None = None
    ttl: int
    tos: int
    length: int
    mss: int | None = None


class MissedTest(Model):
    """A test that failed: as iptables writes it, its field and the packet's value of it, and both in words."""

    test: str
    field: str
    value: str
    text: str


class StepRule(ExplainedPlace):
    """A rule that the packet came to; `verdict` null where it did not match, `depth` jumps below its base chain."""

    depth: int = Field(ge=0)
    verdict: str | None
    misses: list[MissedTest]


class TableStep(Model):
    """A table at a hook; `skipped` rules name other addresses or ports and were not looked at."""

    kind: Literal["table"]
    hook: HookName
    table: str
    packet: ExplainedPacket
    rules: list[StepRule]
    skipped: int = Field(ge=0)


class ConntrackStep(Model):
    """What connection tracking took the packet for."""

    kind: Literal["conntrack"]
    hook: HookName
    state: str
    reply: bool
    known: bool


class TranslationStep(Model):
    """What NAT wrote; `changes` are the values before and after by field."""

    kind: Literal["translation"]
    hook: HookName
    before: ExplainedPacket
    after: ExplainedPacket
    changes: dict[str, tuple[str, str]]


class RoutingStep(Model):
    """What routing decided; `again`: for the second time, since OUTPUT changed the packet."""

    kind: Literal["routing"]
    decision: Literal["local", "forward", "out", "drop"]
    device: str | None
    next_hop: str | None
    route: str | None
    reason: str | None
    again: bool


class LoopbackStep(Model):
    """The packet comes in again by lo; `copy`: of a broadcast or multicast."""

    kind: Literal["loopback"]
    copy_: Annotated[bool, Field(alias="copy")]


Step = Annotated[TableStep | ConntrackStep | TranslationStep | RoutingStep | LoopbackStep, Field(discriminator="kind")]


class DecidingRule(Model):
    """The rule that decided, as recorded verdicts name it."""

    table: str
    chain: str
    rule: int | Literal["policy"]


class Outcome(Model):
    """What becomes of the packet: the keys of a recorded verdict, those that do not apply left out."""

    verdict: Verdict
    reason: str | None = None
    out_iface: str | None = None
    in_iface: str | None = None
    final: dict[str, Any] | None = None
    fields: dict[str, int] | None = None
    also_local: str | None = None
    mark: int | None = None
    ctstate: str | None = None
    ctdir: str | None = None
    deciding: DecidingRule | None = None
    reject_with: str | None = None
    kernel_replies: list[dict[str, Any]] | None = None
    reply_left_via: list[str] | None = None
    stage: str | None = None
    send_error: str | None = None
    trace: list[tuple[str, str, int | str, str]]
    decided_by: ExplainedPlace | None


class Alternative(Outcome):
    """Another outcome; `by_counters`: what was counted before leads to it."""

    assumes: list[str]
    by_counters: bool


class Near(Model):
    """A rule that one test kept from matching, and the verdict without that test where it changes."""

    hook: HookName
    rule: ExplainedPlace
    miss: MissedTest
    verdict_instead: Verdict | None


class Learnt(Model):
    """An insight: a typical cause whose facts hold. `kind` is a word for scripts; later versions know more of them."""

    kind: str = Field(pattern=r"^[a-z-]+$")
    text: str
    rules: list[ExplainedPlace]
    help: str


class SeenBySender(Model):
    """What a kind of program sees; `after_seconds` null where the program decides how long it waits."""

    kind: Seen
    errno: str
    text: str
    after_seconds: float | None
    because: str
    program: str


class Filter(Model):
    """What catches the flow at an interface, "" where nobody knows which; `translated`: it is behind NAT there."""

    interface: str
    translated: bool
    tcpdump: str
    wireshark: str


class Trace(Outcome):
    """One packet explained."""

    question: str
    packet: ExplainedPacket
    steps: list[Step]
    near_misses: list[Near]
    insights: list[Learnt]
    filters: list[Filter]
    sender: list[SeenBySender]
    assumptions: list[str]
    alternatives: list[Alternative]
    complete: bool
    verification: dict[str, Any] | None = None
    diagnosis: dict[str, Any] | None = None


class TraceAnswer(Answer, Trace):
    """The answer to one question; `logged_by` is the rule that logged the line that was asked about."""

    logged_by: ExplainedPlace | None = None


class TracesAnswer(Answer):
    """The answers to a question with several packets: both protocols, several addresses of a name."""

    traces: list[Trace]


class Turn(Trace):
    """A packet of a conversation; `reply`: the answering side sends it."""

    name: str
    reply: bool


class TurnsAnswer(Answer):
    """The answer of `--flow`."""

    turns: list[Turn]


class ExplainAnswer(RootModel[TraceAnswer | TracesAnswer | TurnsAnswer]):
    """`policyc explain --format json`."""
