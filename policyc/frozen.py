"""Dataclasses that cost little: frozen to the type checker, slotted, quick to declare and quick to make. Beside the pipeline.

The standard library writes and compiles six functions for each frozen dataclass, 0.36 ms of start-up; three hundred of them
were a third of a small `check`. Here only `__init__` is written; comparing, hashing and showing are the same few functions for
all. That no field is assigned to is what mypy checks: a check at run time would make every value three times as costly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make a slotted dataclass with the equality, hash and repr of a frozen one; mypy reports whoever assigns to a field."""
    own = cls.__dict__
    made: Any = dataclass(slots=True, eq=False, repr=False)(cls)
    if "__eq__" not in own:
        compared = _values([each.name for each in fields(made) if each.compare])
        made.__eq__ = _equality(compared)
        if "__hash__" not in own:
            made.__hash__ = _hash(compared)
    if "__repr__" not in own:
        made.__repr__ = _representation([each.name for each in fields(made) if each.repr])
    return made  # type: ignore[no-any-return]


def _values(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda _: ()


def _equality(compared: Callable[[Any], Any]) -> Callable[[Any, object], Any]:
    def equals(self: Any, other: object) -> Any:
        if self is other:
            return True
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    return equals


def _hash(compared: Callable[[Any], Any]) -> Callable[[Any], int]:
    def hashed(self: Any) -> int:
        return hash(compared(self))

    return hashed


def _representation(names: list[str]) -> Callable[[Any], str]:
    def representation(self: Any) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({shown})"

    return representation
