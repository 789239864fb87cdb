"""Conditions between a predicate and the text of nft(8): words that stand in one rule, and what takes several rules.

A rule of nft is a conjunction, evaluated from left to right as iptables evaluates its matches. `predicates` makes
conditions, `layout` writes them as rules and auxiliary chains.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from policyc.frozen import frozen


class NoForm(Exception):  # noqa: N818 - it says what is so
    """Something of a rule cannot be said to nft; the message names it and, behind a semicolon, the reason."""


@frozen
class Word:
    """A test that nft can say. `counts`: it has a memory, so that it must be evaluated as often as iptables does.

    `reads` is the protocol whose header it reads: nft tests for that protocol by itself. `says` is the protocol that it
    tests for. `needs_header` marks a test with no text of its own: the packet is no later fragment.
    """

    text: str
    counts: bool = False
    reads: int | None = None
    says: int | None = None
    needs_header: bool = False
    of_transport: bool = False


@frozen
class Either:
    """One of the ways holds; without ways, never."""

    ways: tuple[Tests, ...]


@frozen
class Neither:
    """None of the ways holds, for want of a field too."""

    ways: tuple[Tests, ...]


Test = Word | Either | Neither
Tests = tuple[Test, ...]

NEVER: Tests = (Either(()),)


@dataclass(slots=True)
class Known:
    """What the tests before say of the packet: the protocols it can have, that its header is there, that it has an entry.

    `negated_port`: there is a `!=` for a port already.
    """

    family: int
    protocols: frozenset[int] | None = None
    whole: bool = False
    entry: bool = False
    negated_port: bool = False

    def copy(self) -> Known:
        """Return what is known for a way of its own."""
        return Known(self.family, self.protocols, self.whole, self.entry, self.negated_port)

    @property
    def protocol(self) -> int | None:
        """The only protocol that the packet can have."""
        if self.protocols is not None and len(self.protocols) == 1:
            return next(iter(self.protocols))
        return None

    def has(self, protocols: Iterable[int]) -> bool:
        """Whether the header of one of these protocols is certainly there."""
        return self.whole and self.protocols is not None and self.protocols <= frozenset(protocols)


def counts(tests: Iterable[Test]) -> bool:
    """Whether a test among these has a memory."""
    return any(
        test.counts if isinstance(test, Word) else any(counts(way) for way in test.ways) for test in tests
    )  # fmt: skip


def never(tests: Iterable[Test]) -> bool:
    """Whether no packet passes these tests."""
    return any(isinstance(test, Either) and all(never(way) for way in test.ways) for test in tests)
