"""Releases by their numbers: which of the known ones a version means, and which is the earlier of two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

Behaviour = TypeVar("Behaviour")


def numbers(release: str) -> tuple[int, ...]:
    """Return the numbers of a release, for comparing: `28.0.1` is (28, 0, 1). Raises ValueError where it is none."""
    return tuple(int(word) for word in release.removeprefix("v").split("."))


def newest(version: str, releases: Sequence[str]) -> str | None:
    """Return the newest of some releases whose numbers begin with those of a version, None where there is none."""
    try:
        wanted = numbers(version)
    except ValueError:
        return None
    found = [each for each in releases if numbers(each)[: len(wanted)] == wanted]
    return max(found, key=numbers, default=None)


def behaviour(first: Behaviour, changes: Iterable[tuple[str, Mapping[str, Any]]], release: str) -> Behaviour:
    """Return how a release behaves: `first` is the oldest way; each change names the release that brought it."""
    found = first
    for since, changed in changes:
        if numbers(since) <= numbers(release):
            found = replace(found, **changed)  # type: ignore[type-var]  # an engine's versions.py has dataclasses
    return found
