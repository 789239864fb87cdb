"""Dataclasses of which a large input makes hundreds of thousands: frozen to the type checker, cheap to make at run time.

A dataclass that is frozen at run time sets every field through `object.__setattr__`, which costs three times as much.
Beside the pipeline; small values that are made a few times are plain frozen dataclasses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make a slotted dataclass with the equality and hash of a frozen one; mypy reports whoever assigns to a field."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
