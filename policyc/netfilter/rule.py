"""A rule: its parts in canonical order, its counters, and the place in the source that made it.

Rules are the one value that is not a dataclass: a dump has 100,000 of them, and most of their cost would be construction.
Treat them as immutable. Everything typed is in the shared parts; what is derived is computed when asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from policyc.netfilter.extension import Surroundings
from policyc.netfilter.parts import Match, Part, Selector, Target, Unknown, meaning
from policyc.netfilter.predicate import Predicate
from policyc.source import Span


class Counters(NamedTuple):
    """Packets and bytes that matched."""

    packets: int
    bytes: int


class Rule:
    """`parts` in canonical order (selectors, matches as written, target); `span` the source statement that made it.

    `owner` names the tool that a foreign rule belongs to ("docker"), "" for our own and for dumps.
    """

    __slots__ = ("counters", "owner", "parts", "span")

    def __init__(
        self, parts: tuple[Part, ...], span: Span | None = None, counters: Counters | None = None, owner: str = ""
    ) -> None:
        self.parts = parts
        self.span = span
        self.counters = counters
        self.owner = owner

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rule) and self.text == other.text and self.owner == other.owner

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Rule({self.text!r})"

    @property
    def text(self) -> str:
        """The rule as iptables-save prints it, without `-A CHAIN`."""
        return " ".join([part.text for part in self.parts])

    @property
    def selectors(self) -> Iterator[Selector]:
        """The tests `-s -d -i -o -p -f` it has."""
        return (part for part in self.parts if isinstance(part, Selector))

    def selector(self, option: str) -> Selector | None:
        """Return the selector with that option (`-s` …)."""
        return next((part for part in self.selectors if part.option == option), None)

    @property
    def matches(self) -> Iterator[Match]:
        """The matches it has, in the order in which the kernel evaluates them."""
        return (part for part in self.parts if isinstance(part, Match))

    def match(self, name: str) -> Match | None:
        """Return the first match of that extension."""
        return next((part for part in self.matches if part.name == name), None)

    @property
    def target(self) -> Target | None:
        """The target; None where the rule only counts, or its target is unknown."""
        last = self.parts[-1] if self.parts else None
        return last if isinstance(last, Target) else None

    @property
    def unknown(self) -> Iterator[Unknown]:
        """The parts that no extension describes."""
        return (part for part in self.parts if isinstance(part, Unknown))

    @property
    def comment(self) -> str:
        """The text of its first comment match, "" where there is none."""
        found = self.match("comment")
        return str(found.options["comment"]) if found else ""

    @property
    def protocol(self) -> int | None:
        """The protocol of a positive `-p`, None where nothing is known of it."""
        found = self.selector("-p")
        return found.value if found and not found.negated and isinstance(found.value, int) and found.value else None

    def around(self, family: int) -> Surroundings:
        """Return what its extensions may look at."""
        return Surroundings(family, self.protocol, tuple((m.name, m.options) for m in self.matches))

    def predicate(self, family: int) -> Predicate:
        """Return what a packet must be to match."""
        return meaning(self.parts, self.around(family))

    @property
    def is_unconditional(self) -> bool:
        """Whether it tests nothing that could fail: no selectors, and no match but comments."""
        return all(isinstance(part, Target) or part.text.startswith("-m comment ") for part in self.parts)
