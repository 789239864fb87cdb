"""What the models of all JSON answers have in common. Used by `schemas` and the files beside it, which alone load pydantic."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


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


class Answer(Model):
    """Every answer begins with its version."""

    format_version: str = Field(pattern=r"^1\.[0-9]+$")
