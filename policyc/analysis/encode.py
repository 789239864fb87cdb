"""A predicate becomes two sets of packets: for which it certainly holds, and for which it may. Part of `policyc.analysis`.

The two differ only through `May`, which nothing here decides: rules take away what is certain and see what is possible.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import NamedTuple

from policyc.analysis.diagrams import ALL, EMPTY
from policyc.analysis.space import Space
from policyc.netfilter.counters import ConnectionCount, TokenBucket
from policyc.netfilter.predicate import All, Any, Ask, Bits, In, May, Never, Not, Opaque, Predicate


class Holds(NamedTuple):
    """Where a predicate holds: `certain` is part of `possible`."""

    certain: int
    possible: int


ALWAYS, NEVER, MAYBE = Holds(ALL, ALL), Holds(EMPTY, EMPTY), Holds(EMPTY, ALL)


class Encoder:
    """The sets of predicates in one space, each asked once; `volatile` ipsets have other members at any time.

    `unlimited`: of every rate and number of connections something is left.
    """

    __slots__ = ("_known", "_unlimited", "_volatile", "space")

    def __init__(self, space: Space, volatile: AbstractSet[str] = frozenset(), *, unlimited: bool = False) -> None:
        self.space = space
        self._unlimited = unlimited
        self._volatile = volatile
        self._known: dict[Predicate, Holds] = {}

    def holds(self, predicate: Predicate) -> Holds:
        """Return where a predicate holds."""
        found = self._known.get(predicate)
        if found is None:
            found = self._known[predicate] = self._encode(predicate)
        return found

    def _encode(self, predicate: Predicate) -> Holds:
        space, diagrams = self.space, self.space.diagrams
        if isinstance(predicate, In):
            return _sure(space.values(predicate.field, predicate.values))
        if isinstance(predicate, Bits):
            return _sure(space.bits(predicate.field, predicate.mask, predicate.value))
        if isinstance(predicate, All | Any):
            parts = [self.holds(part) for part in predicate.parts]
            together = diagrams.all_of if isinstance(predicate, All) else diagrams.any_of
            return Holds(together(part.certain for part in parts), together(part.possible for part in parts))
        if isinstance(predicate, Not):
            inner = self.holds(predicate.part)
            return Holds(inner.possible ^ 1, inner.certain ^ 1)
        if isinstance(predicate, May):
            if self._unlimited and isinstance(predicate.counter, TokenBucket | ConnectionCount):
                return NEVER if predicate.counter.above else ALWAYS
            return MAYBE
        if isinstance(predicate, Opaque):
            return _sure(space.condition(predicate.key, predicate.reads))
        if isinstance(predicate, Ask):
            if predicate.kind == "set" and predicate.subject[0] in self._volatile:
                return MAYBE
            return _sure(space.condition(question_key(predicate), predicate.reads or None))
        return NEVER if isinstance(predicate, Never) else ALWAYS


def question_key(question: Ask) -> str:
    """Return the text under which a question of the host is known, the same as the simulator's."""
    return " ".join((question.kind, *question.subject))


def _sure(found: int) -> Holds:
    return Holds(found, found)
