"""What is known of the conditions of a ruleset: whether a test's answer is exact, a counter's, the host's, or nobody's.

Which nodes a meaning is made of depends on the options given, not on their values, so that `--dport` is asked about once
for all ports of a dump.
"""

from __future__ import annotations

from enum import IntEnum

from policyc.netfilter.extension import Surroundings
from policyc.netfilter.fields import Field
from policyc.netfilter.ipset import IpSet
from policyc.netfilter.parts import Match, Part, Unknown
from policyc.netfilter.predicate import Ask, Bits, In, May, Opaque, nodes


class Nature(IntEnum):
    """What is known of a condition, the least last."""

    EXACT = 0
    COUNTED = 1  # may or may not hold, new at every packet
    ASKED = 2  # the host could answer
    OPAQUE = 3


Signature = tuple[str, tuple[tuple[str, bool], ...]]
"""A match without its values: the extension's name, its options and whether each is negated."""


def signature(part: Match) -> Signature:
    """Return the match without its values."""
    return part.extension.name, tuple([(item.name, item.negated) for item in part.options.given])


class Natures:
    """The natures of the matches of one family, remembered by signature; `sets` are those that the ruleset declares."""

    def __init__(self, family: int, sets: tuple[IpSet, ...]) -> None:
        self.around = Surroundings(family)
        self.sets = {item.name: item for item in sets if item.family == family}
        self._seen: dict[Signature, Nature] = {}

    def of(self, part: Part) -> Nature:
        """Return what is known of a part's condition; targets and selectors are exact."""
        if isinstance(part, Unknown):
            return Nature.OPAQUE
        if not isinstance(part, Match):
            return Nature.EXACT
        key = signature(part)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = self._of(part)
        return found if found is not Nature.ASKED else self._answered(part)

    def _of(self, part: Match) -> Nature:
        found = Nature.EXACT
        for node in nodes(part.meaning(self.around)):
            if isinstance(node, Opaque):
                found = Nature.OPAQUE
            elif isinstance(node, Ask):
                found = max(found, Nature.ASKED)
            elif isinstance(node, May):
                found = max(found, Nature.COUNTED)
        return found

    def _answered(self, part: Match) -> Nature:
        """Return what is known of questions to the host: sets that the ruleset fills are exact, unless entries time out."""
        found = Nature.EXACT
        for node in nodes(part.meaning(self.around)):
            if isinstance(node, Ask):
                known = self.sets.get(node.subject[0]) if node.kind == "set" and node.subject else None
                if known is None or known.owner:
                    return Nature.ASKED
                if known.timeout is not None:
                    found = Nature.COUNTED
        return found


def fields_read(part: Match, around: Surroundings) -> frozenset[Field] | None:
    """Return the fields that decide a match, None where that is not known."""
    found = set()
    for node in nodes(part.meaning(around)):
        if isinstance(node, In | Bits):
            found.add(node.field)
        elif isinstance(node, Opaque | Ask | May):
            return None
    return frozenset(found)
