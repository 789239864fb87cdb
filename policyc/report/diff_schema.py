"""The JSON of `diff` as pydantic models. Beside `schemas`, which makes the schema file of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from policyc.report.schema_parts import Answer, Location, Model, RulePlace, Witness

Fate = Literal["ACCEPT", "DROP", "REJECT", "QUEUE"]


class OtherValue(Model):
    """What something is in a and in b, null where there is none."""

    from_: str | None = Field(alias="from")
    to: str | None


class DecidingRule(RulePlace):
    """The rule that decides; text is null for the policy, whose number is 0."""

    text: str | None
    location: Location | None


class DecidingRules(Model):
    """The rule that decides in a, and the one in b."""

    a: DecidingRule
    b: DecidingRule


class ChangedFate(Model):
    """Packets that meet another fate; becomes names what else differs: reject_with, translation, mark, connmark, tos, tracking.

    The witness is a packet as it comes to the table in that hook.
    """

    from_: Fate = Field(alias="from")
    to: Fate
    becomes: dict[str, OtherValue]
    family: Literal[4, 6]
    hook: Literal["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]
    table: str
    witness: Witness
    rules: DecidingRules


class UncomparedRule(Model):
    """A rule that stands on one side only, or elsewhere, and does something that is not compared."""

    side: Literal["a", "b"]
    rule: DecidingRule


class DiffAnswer(Answer):
    """`policyc diff --format json`; more changes are counted and not shown, because says what is not known.

    scope is ours where only the chains of a shared policy were compared. conditions are those that nobody can decide.
    """

    equal: bool
    exact: bool
    because: list[str]
    scope: Literal["all", "ours"]
    changes: list[ChangedFate]
    more: int = Field(ge=0)
    conditions: list[str]
    beside: list[UncomparedRule]
