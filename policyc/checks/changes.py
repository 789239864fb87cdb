"""What a rule may change for the rules behind it in its chain: nothing, what is not fixed about a packet, or anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from policyc.checks.survey import Survey
from policyc.netfilter.effect import Assign, Mutate, Note, Rewrite, Shift, Track
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.fields import DST, SRC
from policyc.netfilter.parts import Match, Part, Selector, Unknown
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Table

# Notes after which every later test has the answer it had before.
_IDLE_NOTES = frozenset(("log", "trace", "audit", "counter", "nflog", "checksum", "copy", "timer", "led"))


class Change(IntEnum):
    """How much may be different afterwards; SOME are marks, states, TTL, sets and the like, addresses are among ANYTHING."""

    NOTHING = 0
    SOME = 1
    ANYTHING = 2


@dataclass(slots=True)
class Changes:
    """What the rules and chains of a table may change."""

    family: int
    chains: dict[str, Change] = field(default_factory=dict)
    _seen: dict[int, Change] = field(default_factory=dict)

    @classmethod
    def of(cls, survey: Survey, table: Table) -> Changes:
        """Ask about every chain, callees first; in a table with a loop every call may change anything."""
        changes = cls(table.family)
        for name in survey.graph(table).order() or ():
            chain = table.chain(name)
            if chain is not None:
                asked = [part for part in survey.parts(chain).values() if not isinstance(part, Selector)]
                changes.chains[name] = max(map(changes.of_part, asked), default=Change.NOTHING)
        return changes

    def by(self, rule: Rule) -> Change:
        """Return what a packet that passes a rule, or fails in it, may have changed."""
        found = Change.NOTHING
        for part in rule.parts:
            change = self._seen.get(id(part))
            if change is None:
                change = self.of_part(part)
            found = max(found, change)
        return found

    def of_part(self, part: Part) -> Change:
        """Return what a part may change, remembered by identity."""
        found = self._seen.get(id(part))
        if found is None:
            found = self._seen[id(part)] = self._of_part(part)
        return found

    def _of_part(self, part: Part) -> Change:
        if isinstance(part, Selector):
            return Change.NOTHING
        if isinstance(part, Unknown):
            return Change.ANYTHING
        around = Surroundings(self.family)
        if isinstance(part, Match):
            effects = part.extension.side_effects(part.options, around)
        elif part.chain:
            return self.chains.get(part.chain, Change.ANYTHING)
        elif part.terminal:
            return Change.NOTHING  # nobody is behind it
        else:
            effects = part.effects(around)
        found = Change.NOTHING
        for effect in effects:
            if isinstance(effect, Rewrite) or (isinstance(effect, Note) and effect.kind == "unknown"):
                return Change.ANYTHING
            if isinstance(effect, Mutate) and not {SRC, DST}.isdisjoint(effect.fields):
                return Change.ANYTHING  # NPT
            if isinstance(effect, Assign | Shift | Track | Mutate) or (
                isinstance(effect, Note) and effect.kind not in _IDLE_NOTES
            ):
                found = Change.SOME
        return found
