"""Sets as binary decision diagrams: hash-consed, with complemented edges and remembered operations. Bottom of `policyc.analysis`.

A set is a number, an *edge*: twice the place of a node, plus one where the node's set is complemented. Equal sets are equal
numbers. Levels are variables, tested in ascending order; what they mean is `policyc.analysis.layout`'s business.
Another library fits behind the same operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

ALL, EMPTY = 0, 1
_BOTTOM = 1 << 30  # the level of the only leaf, below all variables
_SHIFT = 32


class OverBudgetError(Exception):
    """The question needs more nodes than it may make; its answer is "undecided"."""


def _node(levels: list[int], lows: list[int], highs: list[int], budget: int | None) -> Callable[[int, int, int], int]:
    """Return the function that makes nodes, each once: `low` where the variable of a level is 0, `high` where it is 1.

    Both test later levels only.
    """
    table: dict[int, int] = {}
    most = _BOTTOM if budget is None else budget

    def node(level: int, low: int, high: int) -> int:
        if low == high:
            return low
        flip = low & 1
        low ^= flip
        high ^= flip
        key = (level << _SHIFT | low) << _SHIFT | high
        found = table.get(key)
        if found is None:
            place = len(levels)
            if place > most:
                raise OverBudgetError
            levels.append(level)
            lows.append(low)
            highs.append(high)
            found = table[key] = place << 1
        return found | flip

    return node


def _both(
    levels: list[int], lows: list[int], highs: list[int], node: Callable[[int, int, int], int]
) -> Callable[[int, int], int]:
    """Return the function that intersects two sets."""
    known: dict[int, int] = {}

    def both(one: int, other: int) -> int:
        if one == other or other == ALL:  # noqa: PLR1714 - asked millions of times
            return one
        if one == ALL:
            return other
        if one == EMPTY or other == EMPTY or one == other ^ 1:  # noqa: PLR1714
            return EMPTY
        key = one << _SHIFT | other if one < other else other << _SHIFT | one
        found = known.get(key)
        if found is not None:
            return found
        place, flip = one >> 1, one & 1
        place2, flip2 = other >> 1, other & 1
        level, level2 = levels[place], levels[place2]
        if level == level2:
            low = both(lows[place] ^ flip, lows[place2] ^ flip2)
            high = both(highs[place] ^ flip, highs[place2] ^ flip2)
        elif level < level2:
            low, high = both(lows[place] ^ flip, other), both(highs[place] ^ flip, other)
        else:
            level = level2
            low, high = both(one, lows[place2] ^ flip2), both(one, highs[place2] ^ flip2)
        found = known[key] = low if low == high else node(level, low, high)
        return found

    return both


Member = dict[int, int]
"""A member of a set: the values of variables; those left out may be 0 or 1."""


def _search(levels: list[int], lows: list[int], highs: list[int]) -> Callable[[int, int, Member], bool]:
    """Return the function that looks for a member of two sets, notes it and says whether there is one."""
    apart: set[int] = set()

    def search(one: int, other: int, member: Member) -> bool:
        if one == EMPTY or other == EMPTY or one == other ^ 1:  # noqa: PLR1714
            return False
        if one == ALL and other == ALL:
            return True
        key = one << _SHIFT | other if one < other else other << _SHIFT | one
        if key in apart:
            return False
        place, flip = one >> 1, one & 1
        place2, flip2 = other >> 1, other & 1
        level = min(levels[place], levels[place2])
        for bit, halves in ((0, lows), (1, highs)):
            part = halves[place] ^ flip if levels[place] == level else one
            part2 = halves[place2] ^ flip2 if levels[place2] == level else other
            if search(part, part2, member):
                member[level] = bit
                return True
        apart.add(key)
        return False

    return search


class Diagrams:
    """The nodes made so far and what has been computed with them. `budget` is how many nodes may be made, None for any.

    `node` makes one, `both` intersects two sets.
    """

    __slots__ = ("_high", "_level", "_low", "_projected", "_search", "both", "node")

    def __init__(self, budget: int | None = None) -> None:
        self._level: list[int] = [_BOTTOM]
        self._low: list[int] = [ALL]
        self._high: list[int] = [ALL]
        self._projected: dict[frozenset[int], dict[int, int]] = {}
        # Half of all time goes by in these two: as closures they read no attributes.
        self.node = _node(self._level, self._low, self._high, budget)
        self.both = _both(self._level, self._low, self._high, self.node)
        self._search = _search(self._level, self._low, self._high)

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self._level)

    def variable(self, level: int) -> int:
        """Return the set where the variable is 1."""
        return self.node(level, EMPTY, ALL)

    def top(self, edge: int) -> tuple[int, int, int]:
        """Return the first level that the set tests, and what it is where that variable is 0 and 1."""
        place, flip = edge >> 1, edge & 1
        return self._level[place], self._low[place] ^ flip, self._high[place] ^ flip

    def either(self, one: int, other: int) -> int:
        """Return the union."""
        return self.both(one ^ 1, other ^ 1) ^ 1

    def without(self, one: int, other: int) -> int:
        """Return what is in the first set and not in the second."""
        return self.both(one, other ^ 1)

    def common(self, one: int, other: int) -> Member | None:
        """Return a member that two sets have in common, None where there is none; their intersection is not built."""
        member: Member = {}
        return member if self._search(one, other, member) else None

    def is_within(self, one: int, other: int) -> bool:
        """Whether the first set is part of the second."""
        return not self._search(one, other ^ 1, {})

    def has(self, edge: int, member: Member) -> bool:
        """Whether a set has the member whose variables left out are 0."""
        while edge >> 1:
            level, low, high = self.top(edge)
            edge = high if member.get(level) else low
        return edge == ALL

    def any_of(self, sets: Iterable[int]) -> int:
        """Return the union of all, pair by pair, so that no partial result is needlessly large."""
        return self._paired(list(sets), self.either, EMPTY)

    def all_of(self, sets: Iterable[int]) -> int:
        """Return the intersection of all."""
        return self._paired(list(sets), self.both, ALL)

    def _paired(self, waiting: list[int], operation: Callable[[int, int], int], nothing: int) -> int:
        while len(waiting) > 1:
            pairs = zip(waiting[::2], waiting[1::2], strict=False)
            rest = waiting[-1:] if len(waiting) % 2 else []
            waiting = [operation(one, other) for one, other in pairs] + rest
        return waiting[0] if waiting else nothing

    def project(self, edge: int, away: frozenset[int]) -> int:
        """Return the set with the variables of these levels free: all that agrees with a member elsewhere."""
        if not away:
            return edge
        return self._project(edge, away, max(away), self._projected.setdefault(away, {}))

    def _project(self, edge: int, away: frozenset[int], last: int, known: dict[int, int]) -> int:
        level, low, high = self.top(edge)
        if level > last:
            return edge
        found = known.get(edge)
        if found is None:
            low, high = self._project(low, away, last, known), self._project(high, away, last, known)
            found = known[edge] = self.either(low, high) if level in away else self.node(level, low, high)
        return found

    def flip(self, edge: int, level: int) -> int:
        """Return the set whose members have the variable the other way round."""
        variable = self.variable(level)
        away = frozenset((level,))
        ones, zeros = self.project(self.both(edge, variable), away), self.project(self.without(edge, variable), away)
        return self.either(self.both(ones, variable ^ 1), self.both(zeros, variable))

    def support(self, edges: Iterable[int]) -> set[int]:
        """Return the levels that the sets test."""
        seen: set[int] = set()
        waiting = [edge >> 1 for edge in edges]
        levels: set[int] = set()
        while waiting:
            place = waiting.pop()
            if place and place not in seen:
                seen.add(place)
                levels.add(self._level[place])
                waiting += (self._low[place] >> 1, self._high[place] >> 1)
        return levels

    def with_values(self, edge: int, values: dict[int, int]) -> int:
        """Return what the set is where variables have these values."""
        while True:
            level, low, high = self.top(edge)
            if level not in values:
                return edge if level == _BOTTOM else self._with(edge, values, {})
            edge = high if values[level] else low

    def _with(self, edge: int, values: dict[int, int], known: dict[int, int]) -> int:
        level, low, high = self.top(edge)
        if level == _BOTTOM:
            return edge
        found = known.get(edge)
        if found is None:
            if level in values:
                found = self._with(high if values[level] else low, values, known)
            else:
                found = self.node(level, self._with(low, values, known), self._with(high, values, known))
            known[edge] = found
        return found
