"""What rules test and do, asked once for each distinct part and protocol. Part of `policyc.analysis`.

A dump of 100,000 rules has few distinct parts. What an ipset holds is put in the place of the question where the ruleset or
its host knows the members.
"""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.netfilter.effect import Effect
from policyc.netfilter.parts import SELECTORS, Match, Part, Target, Unknown
from policyc.netfilter.predicate import NEVER, Predicate, all_of
from policyc.netfilter.rule import Rule

PROTOCOL_RANK = SELECTORS.index("-p")


@frozen
class Meaning:
    """A part in its rule: a test (ALWAYS for a target), what is done on the way to the next test, and what the target does."""

    test: Predicate
    beside: tuple[Effect, ...] = ()
    effects: tuple[Effect, ...] = ()


class Meanings:
    """The meanings of the parts of one family's rules."""

    __slots__ = ("_known", "family")

    def __init__(self, family: int) -> None:
        self.family = family
        self._known: dict[tuple[int, int | None], tuple[Part, Meaning]] = {}

    def of(self, rule: Rule) -> list[Meaning]:
        """Return the meanings of a rule's parts, in their order."""
        protocol = None
        for part in rule.parts:
            if part.rank == PROTOCOL_RANK:
                protocol = rule.protocol
                break
        found = []
        for part in rule.parts:
            key = id(part), protocol
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = part, self._of(part, rule)  # the part is kept: its identity stays its own
            found.append(known[1])
        return found

    def tests(self, rule: Rule) -> Predicate:
        """Return what a packet must be to match the rule."""
        tests = [meaning.test for meaning in self.of(rule)]
        return NEVER if NEVER in tests else all_of(*tests)

    def effects(self, rule: Rule) -> tuple[Effect, ...]:
        """Return what the rule's target does, in order."""
        return tuple(effect for meaning in self.of(rule) for effect in meaning.effects)

    def _of(self, part: Part, rule: Rule) -> Meaning:
        around = rule.around(self.family)
        if isinstance(part, Target) or (isinstance(part, Unknown) and part.is_target):
            return Meaning(all_of(), effects=part.effects(around))
        beside = part.extension.side_effects(part.options, around) if isinstance(part, Match) else ()
        return Meaning(part.meaning(around), beside)
