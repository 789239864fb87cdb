"""What the models of all JSON answers have in common. Used by `schemas` and the files beside it, which alone load pydantic."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SeverityName = Literal["error", "warning", "info"]


class Model(BaseModel):
    """Keys may be added in a minor version: readers ignore those that they do not know."""

    model_config = ConfigDict(extra="allow")


class Location(Model):
    """A place of a source: lines and columns count from 1, the end is just behind the last character."""

    file: str
    line: int = Field(ge=1)
    column: int = Field(ge=1)
    end_line: int = Field(ge=1)
    end_column: int = Field(ge=1)


class RulePlace(Model):
    """A rule in the kernel; number counts from 1 in its chain, 0 is the chain itself."""

    family: Literal[4, 6]
    table: str
    chain: str
    number: int = Field(ge=0)


class Related(Model):
    """Another place that explains a finding."""

    location: Location | None
    rule: RulePlace | None
    message: str


class Witness(Model):
    """A packet that shows a finding, what was assumed, and the packets that come before it."""

    packet: dict[str, Any]
    assumes: list[Any]
    before: list[dict[str, Any]]


class Finding(Model):
    """One finding."""

    code: str = Field(pattern=r"^PC[0-9]{3}$")
    name: str
    severity: SeverityName
    message: str
    location: Location | None
    rule: RulePlace | None
    related: list[Related]
    witness: Witness | None
    help: str
    url: str


class Answer(Model):
    """Every answer begins with its version."""

    format_version: str = Field(pattern=r"^1\.[0-9]+$")
