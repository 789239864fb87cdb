"""Sets of whole numbers as sorted disjoint intervals: addresses, ports, types, lengths. A value of `policyc.net`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policyc.frozen import frozen


@frozen
class IntervalSet:
    """A set of non-negative integers; `spans` are (low, high) pairs, both ends included, sorted, not touching."""

    spans: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, *spans: tuple[int, int] | int) -> IntervalSet:
        """Return the union of single numbers and (low, high) pairs, in any order; an empty pair (high < low) adds nothing."""
        return cls.union_of((item, item) if isinstance(item, int) else item for item in spans)

    @classmethod
    def union_of(cls, spans: Iterable[tuple[int, int]]) -> IntervalSet:
        """Return the union of (low, high) pairs in any order."""
        merged: list[tuple[int, int]] = []
        for low, high in sorted(spans):
            if high < low:
                continue
            if merged and low <= merged[-1][1] + 1:
                if high > merged[-1][1]:
                    merged[-1] = (merged[-1][0], high)
            else:
                merged.append((low, high))
        return cls(tuple(merged))

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __contains__(self, number: int) -> bool:
        return any(low <= number <= high for low, high in self.spans)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self.spans)

    def __or__(self, other: IntervalSet) -> IntervalSet:
        return self.union_of((*self.spans, *other.spans))

    def __and__(self, other: IntervalSet) -> IntervalSet:
        found = []
        i = j = 0
        a, b = self.spans, other.spans
        while i < len(a) and j < len(b):
            low, high = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
            if low <= high:
                found.append((low, high))
            if a[i][1] < b[j][1]:
                i += 1
            else:
                j += 1
        return IntervalSet(tuple(found))

    def __sub__(self, other: IntervalSet) -> IntervalSet:
        if not self.spans:
            return self
        return self & other.complement(self.spans[-1][1])

    def complement(self, highest: int) -> IntervalSet:
        """Return the numbers from 0 to `highest` that are not in the set."""
        gaps = []
        start = 0
        for low, high in self.spans:
            if low > highest:
                break
            if low > start:
                gaps.append((start, low - 1))
            start = high + 1
        if start <= highest:
            gaps.append((start, highest))
        return IntervalSet(tuple(gaps))

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return sum(high - low + 1 for low, high in self.spans)
