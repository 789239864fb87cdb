"""Ordinal classes: the values of a field that no rule tells apart, numbered in their order. Part of `policyc.analysis`.

A dump knows few cut points, so that an IPv6 address costs what an IPv4 address costs. Names are a finite set: those that
rules mention, "another name that begins with …" for each wildcard, any other name, and none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from policyc.frozen import frozen
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet

ClassSpan = tuple[int, int]
"""The first and last number of a run of classes."""


@frozen
class NumberClasses:
    """The numbers from 0 to `highest`, cut before each of `starts` (ascending, the first is 0)."""

    starts: tuple[int, ...]
    highest: int

    @classmethod
    def cut(cls, starts: Iterable[int], highest: int) -> NumberClasses:
        """Return the classes that begin at 0 and at each start within reach."""
        return cls(tuple(sorted({0, *(start for start in starts if 0 < start <= highest)})), highest)

    def __len__(self) -> int:
        return len(self.starts)

    def spans(self, values: IntervalSet) -> Iterator[ClassSpan]:
        """Yield the classes that make up a set whose ends are cut points."""
        for low, high in values.spans:
            if low <= self.highest:
                yield self.of(low), self.of(min(high, self.highest))

    def of(self, number: int) -> int:
        """Return the class of a number."""
        return bisect_right(self.starts, number) - 1

    def values(self, place: int) -> tuple[int, int]:
        """Return the lowest and the highest number of a class."""
        following = place + 1
        return self.starts[place], self.starts[following] - 1 if following < len(self.starts) else self.highest


@frozen
class NameClasses:
    """Names in alphabetical order, then a class for each prefix, any other name, and None; a `closed` set has no more names.

    `names` holds one name of each class, which stands for all of it.
    """

    names: tuple[str | None, ...]

    @classmethod
    def of(cls, members: Iterable[str], prefixes: Iterable[str] = (), *, closed: bool = False) -> NameClasses:
        """Return the classes that sets of these members and prefixes tell apart."""
        known = sorted(set(members))
        if closed:
            return cls(tuple(known))
        wild = sorted(set(prefixes) - {""})
        others = [_another(prefix, known, wild) for prefix in wild]
        return cls((*known, *others, _another("", known, wild), None))

    def __len__(self) -> int:
        return len(self.names)

    def spans(self, values: NameSet) -> Iterator[ClassSpan]:
        """Yield the classes of a set of names as runs; None is in no set."""
        start = None
        for place, name in enumerate(self.names):
            if name is not None and name in values:
                start = place if start is None else start
            elif start is not None:
                yield start, place - 1
                start = None
        if start is not None:
            yield start, len(self.names) - 1

    def place(self, name: str | None) -> int:
        """Return the class of a name; raises ValueError for one that only stands for itself elsewhere."""
        return self.names.index(name)


def _another(prefix: str, known: list[str], prefixes: list[str]) -> str:
    """Return a name with the prefix that is not known and has no longer prefix of those given."""
    longer = tuple(other for other in prefixes if len(other) > len(prefix))
    letters = "0123456789abcdefghijklmnopqrstuvwxyz"
    stem = prefix or "other"
    return next(
        name
        for length in range(len(known) + len(prefixes) + 1)
        for letter in letters
        if (name := stem + letter * (length + 1)) not in known and not name.startswith(longer or "\0")
    )


def spans_of(classes: NumberClasses | NameClasses, values: IntervalSet | NameSet) -> list[ClassSpan]:
    """Return the classes that make up a set of the same domain."""
    if isinstance(classes, NumberClasses):
        assert isinstance(values, IntervalSet)
        return list(classes.spans(values))
    assert isinstance(values, NameSet)
    return list(classes.spans(values))
