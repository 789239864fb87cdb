"""Two lists of rules, one after the other in time, laid beside each other: which rules go, come, stay and move.

Rules are texts here; what a change of them means for packets `policyc.analysis` answers. Below `ruleset_changes` and
`saved_changes`, which ask it for each chain.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence

from policyc.frozen import frozen


@frozen
class Alignment:
    """Places count from 0. `origin` has, for each rule of afterwards, the place where it stood, None for one that comes.

    `gone` are the places of rules that go, `moved` places of afterwards: as few rules as can be are said to have moved
    past others.
    """

    origin: tuple[int | None, ...]
    gone: tuple[int, ...]
    moved: frozenset[int]


def aligned(before: Sequence[str], after: Sequence[str]) -> Alignment:
    """Return what becomes of the rules of a chain; of equal texts the first is the first, beginning and end aside."""
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    places: dict[str, list[int]] = defaultdict(list)
    for place in range(len(before) - end - 1, start - 1, -1):
        places[before[place]].append(place)
    middle = [places[text].pop() if places[text] else None for text in after[start : len(after) - end]]
    origin = (*range(start), *middle, *range(len(before) - end, len(before)))
    come = [place for place, source in enumerate(origin) if source is not None]
    stay = _longest_rising([source for source in origin if source is not None])
    return Alignment(
        origin,
        tuple(sorted(place for left in places.values() for place in left)),
        frozenset(place for number, place in enumerate(come) if number not in stay),
    )


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many texts both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """Return the places of the most numbers that stand in rising order: the rules that need not be said to have moved."""
    ends: list[int] = []
    at: list[int] = []
    previous: list[int] = []
    for index, number in enumerate(numbers):
        place = bisect_left(ends, number)
        previous.append(at[place - 1] if place else -1)
        if place == len(ends):
            ends.append(number)
            at.append(index)
        else:
            ends[place], at[place] = number, index
    found: set[int] = set()
    index = at[-1] if at else -1
    while index >= 0:
        found.add(index)
        index = previous[index]
    return found
