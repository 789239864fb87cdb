"""The JSON of `plan` and `status` as pydantic models. Beside `schemas`, which makes the schema files of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from policyc.report.schema_parts import Answer, Model

BackendName = Literal["iptables-nft", "iptables-legacy"]


class PlannedLine(Model):
    """A rule that comes, goes or moves, a policy of a base chain, or with number null a chain.

    number is where a rule stands afterwards, or stood if it is removed; was is where one that moves stood. owner is policyc, a
    tool, or null where nobody knows.
    """

    kind: Literal["added", "removed", "moved", "policy"]
    family: Literal[4, 6]
    table: str
    chain: str
    number: int | None = Field(ge=1)
    was: int | None = Field(ge=1)
    text: str
    owner: str | None


class Required(Model):
    """Something beside rules that the policy needs; action is what the change does about it, empty for nothing."""

    kind: Literal["sysctl", "ipset", "ip rule"]
    name: str
    present: str
    action: str
    why: str


class PlanAnswer(Answer):
    """`policyc plan --format json`; dangers are reasons not to apply it unasked."""

    source: str
    where: str
    backend: BackendName
    changes: list[PlannedLine]
    requirements: list[Required]
    notes: list[str]
    dangers: list[str]


class Applied(Model):
    """The last confirmed change; loaded is false where the machine or the namespace was started again since."""

    policy: str
    source: str
    backend: BackendName
    ownership: Literal["shared", "exclusive"]
    loaded: bool


class PendingChange(Model):
    """A change that is being made or taken back, waits for its confirmation, or was left in the middle."""

    source: str | None
    state: Literal["working", "waiting", "left"]
    seconds_left: float | None
    reason: str


class StatusAnswer(Answer):
    """`policyc status --format json`; last is the last line of the audit log."""

    where: str
    applied: Applied | None
    pending: PendingChange | None
    differs: list[str]
    last: dict[str, str] | None
