"""What nobody can know is chosen, one condition after the other, so that every outcome can be seen. Part of `policyc.simulation`.

A replay chooses nothing: there an unknown condition ends the walk. An explanation walks with `Choices`, then again with some of
them the other way.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import NamedTuple


class Choice(NamedTuple):
    """A condition in words and what was taken for its value; `counted`: a counter that starts empty says so by default."""

    text: str
    value: bool
    counted: bool = False
    is_default: bool = True


class Choices:
    """The choices of one walk. `forced` are values by place in the order of asking; elsewhere the default is taken.

    A condition with an identity keeps its value for the walk; one without is new each time.
    """

    __slots__ = ("_forced", "_kept", "made", "noted")

    def __init__(self, forced: Mapping[int, bool] | None = None) -> None:
        self._forced = dict(forced or {})
        self._kept: dict[Hashable, bool] = {}
        self.made: list[Choice] = []
        self.noted: list[str] = []

    def decide(self, text: str, default: bool, *, identity: Hashable = None, counted: bool = False) -> bool:
        """Return what is taken for a condition."""
        if identity is not None and identity in self._kept:
            return self._kept[identity]
        value = self._forced.get(len(self.made), default)
        self.made.append(Choice(text, value, counted, value == default))
        if identity is not None:
            self._kept[identity] = value
        return value

    def note(self, text: str) -> None:
        """Remember something that was taken for granted and has no other outcome worth a walk."""
        if text not in self.noted:
            self.noted.append(text)
