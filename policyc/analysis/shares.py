"""How large a set of packets is: members are counted by their real values, not by classes. Part of `policyc.analysis`."""

from __future__ import annotations

from itertools import accumulate

from policyc.analysis.classes import NumberClasses
from policyc.analysis.diagrams import EMPTY
from policyc.analysis.space import Column, Space


class Shares:
    """The sizes of sets of one space, each counted once."""

    __slots__ = ("_below", "_blocks", "_known", "space")

    def __init__(self, space: Space) -> None:
        self.space = space
        self._blocks = {column.levels[0]: column for column in space.columns.values() if column.levels}
        self._known: dict[int, float] = {}
        self._below: dict[int, list[int]] = {}

    def share(self, part: int, whole: int) -> float:
        """Return how much of a set another takes, from 0 to 1; the whole is not empty."""
        return self.of(self.space.diagrams.both(part, whole)) / self.of(whole)

    def of(self, edge: int) -> float:
        """Return the part of all packets that is in the set, from 0 to 1."""
        if edge >> 1 == 0:
            return 0.0 if edge == EMPTY else 1.0
        found = self._known.get(edge)
        if found is None:
            level, low, high = self.space.diagrams.top(edge)
            column = self._column(level)
            found = self._known[edge] = (
                (self.of(low) + self.of(high)) / 2 if column is None else self._block(edge, column)
            )
        return found

    def _column(self, level: int) -> Column | None:
        return next((column for column in self._blocks.values() if level in column.levels), None)

    def _block(self, edge: int, column: Column) -> float:
        """Return the part of a set that tests the class of a field first: every class weighs as much as it has values."""
        assert column.classes is not None
        classes = column.classes
        below = self._below.get(column.levels[0])
        if below is None:
            weights = (
                (high - low + 1 for low, high in map(classes.values, range(len(classes))))
                if isinstance(classes, NumberClasses)
                else (1 for _ in range(len(classes)))
            )
            below = self._below[column.levels[0]] = [0, *accumulate(weights)]
        total = 0.0
        waiting = [(edge, 0, 0)]
        while waiting:
            rest, depth, code = waiting.pop()
            level, low, high = self.space.diagrams.top(rest)
            left = len(column.levels) - depth
            if rest == EMPTY:
                continue
            if left == 0 or level not in column.levels[depth:]:
                first = min(code << left, len(classes))
                last = min((code + 1) << left, len(classes))
                total += self.of(rest) * (below[last] - below[first])
            elif level == column.levels[depth]:
                waiting += ((low, depth + 1, code << 1), (high, depth + 1, code << 1 | 1))
            else:
                waiting += ((rest, depth + 1, code << 1), (rest, depth + 1, code << 1 | 1))
        return total / below[-1]
