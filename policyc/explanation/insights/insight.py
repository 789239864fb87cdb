"""An insight as a value, and the walk as the evidence that its function looks at. Bottom of `explanation.insights`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from policyc.explanation.outcomes import Way
from policyc.explanation.places import Places, RulePlace
from policyc.frozen import frozen
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import Ask, Bits, In, May, Opaque, nodes
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Table
from policyc.simulation.journey import Look, Routed, Tracked, Translated, Visit
from policyc.simulation.misses import Misses
from policyc.simulation.trace import DROPPED, REJECTED


class Kind(StrEnum):
    """The kinds of insight; scripts may rely on the words."""

    FORWARDING_OFF = "forwarding-off"
    REVERSE_PATH = "reverse-path"
    LOOPBACK_TARGET = "loopback-target"
    MARTIAN = "martian"
    NO_WAY = "no-way"
    ON_ITS_LAST_HOP = "on-its-last-hop"
    INPUT_NEVER_VISITED = "input-never-visited"
    TESTS_BEFORE_TRANSLATION = "tests-before-translation"
    TRANSLATED_NOT_ACCEPTED = "translated-not-accepted"
    ANSWERED_DIRECTLY = "answered-directly"
    OTHER_WAY_IN = "other-way-in"
    OPEN_ANOTHER_WAY = "open-another-way"
    LOOPBACK_LEFT_OUT = "loopback-left-out"
    CLIENT_HIDDEN = "client-hidden"
    OWN_TRAFFIC_UNTRANSLATED = "own-traffic-untranslated"
    SOURCE_HIDDEN = "source-hidden"
    DIVERTED_NOT_LOCAL = "diverted-not-local"
    DIVERTED_KEEPS_PORT = "diverted-keeps-port"
    REPLY_NOT_ACCEPTED = "reply-not-accepted"
    INVALID_STATE = "invalid-state"
    UNTRACKED_STATE = "untracked-state"
    LOOPBACK_BLOCKED = "loopback-blocked"
    OTHER_FAMILY_OPEN = "other-family-open"
    NEEDED_ICMP = "needed-icmp"
    OWN_PROGRAM_WAITS = "own-program-waits"
    ACCEPTED_BELOW = "accepted-below"
    POLICY_DECIDES = "policy-decides"


@frozen
class Insight:
    """One thing to learn: a sentence without a full stop, the rules that it speaks of, and what to do, "" for nothing."""

    kind: Kind
    text: str
    places: tuple[RulePlace, ...] = ()
    help: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        places = [place.to_dict() for place in self.places]
        return {"kind": self.kind.value, "text": self.text, "rules": places, "help": self.help}


@dataclass(frozen=True)
class Evidence:
    """One way with what is read off it."""

    way: Way
    places: Places

    @cached_property
    def misses(self) -> Misses:
        """Finds the failing tests of rules on this way."""
        return Misses(self.way.state)

    @property
    def family(self) -> int:
        """4 or 6."""
        return self.way.sent.family

    @property
    def is_refused(self) -> bool:
        """Whether a rule or a policy stopped the packet."""
        return self.way.trace.verdict in {DROPPED, REJECTED}

    @cached_property
    def visits(self) -> tuple[Visit, ...]:
        """The tables that were visited, in order."""
        return tuple(event for event in self.way.journey.events if isinstance(event, Visit))

    @property
    def last(self) -> Visit | None:
        """The last table that was visited: where a packet that was refused was refused."""
        return self.visits[-1] if self.visits else None

    @property
    def state(self) -> str:
        """What connection tracking last took the packet for, "" where it was not asked."""
        tracked = [event for event in self.way.journey.events if isinstance(event, Tracked)]
        return tracked[-1].state if tracked else ""

    @property
    def routed(self) -> Routed | None:
        """What routing decided first."""
        return next((event for event in self.way.journey.events if isinstance(event, Routed)), None)

    @property
    def redirected(self) -> Translated | None:
        """The translation of the packet's destination, None where there was none."""
        found = (event for event in self.way.journey.events if isinstance(event, Translated))
        return next((one for one in found if one.before.destination != one.after.destination), None)

    @property
    def masked(self) -> Translated | None:
        """The translation of the packet's source, None where there was none."""
        found = (event for event in self.way.journey.events if isinstance(event, Translated))
        return next((one for one in found if one.before.source != one.after.source), None)

    def translating(self, event: Translated) -> Look | None:
        """Return the rule that decided a translation; None where an earlier packet of the connection had it decided."""
        visit = self._nat_before(event)
        acted = () if visit is None else [look for look in visit.looks if look.matched and look.rule is not None]
        return acted[-1] if acted else None

    def translator(self, event: Translated) -> RulePlace | None:
        """Return the place of that rule."""
        visit, look = self._nat_before(event), self.translating(event)
        return None if visit is None or look is None else self.place(visit, look)

    def _nat_before(self, event: Translated) -> Visit | None:
        events = self.way.journey.events
        before = events[events.index(event) - 1]
        return before if isinstance(before, Visit) and before.table == "nat" else None

    def place(self, visit: Visit, look: Look) -> RulePlace:
        """Return the place of a rule or policy that the packet came to."""
        if look.rule is None or not isinstance(look.number, int):
            return self.places.of(self.family, visit.table, look.chain, look.number)
        return self.places.of_rule(self.family, visit.table, look.chain, look.number, look.rule)

    @property
    def deciding(self) -> RulePlace | None:
        """The rule or policy that decided."""
        step = self.way.trace.deciding
        return None if step is None else self.places.of(self.family, step.table, step.chain, step.rule)

    def missed(self, *hooks: Hook, tables: tuple[str, ...] = ("filter", "mangle")) -> Iterator[tuple[Visit, Look]]:
        """Yield the rules that did not match, of some hooks and tables."""
        for visit in self.visits:
            if visit.hook in hooks and visit.table in tables:
                yield from ((visit, look) for look in visit.looks if look.rule is not None and not look.matched)

    def failing(self, look: Look) -> tuple[str, ...]:
        """Return the fields of the tests that kept a rule from matching."""
        assert look.rule is not None
        return tuple(miss.field for miss in self.misses.of(look.rule, look.packet))

    def walked_with(self, table: Table | None, replaced: Table) -> Way:
        """Return the same packet's way with another table in the place of one, or without it."""
        ruleset = self.way.situation.ruleset
        tables = [table if one is replaced else one for one in ruleset.tables]
        other = replace(ruleset, tables=tuple(one for one in tables if one is not None))
        return replace(self.way.situation, ruleset=other).walk(self.way.sent)


def named(place: RulePlace) -> str:
    """Return a place as a sentence names it, with its source line."""
    name = f"the policy of {place.table}/{place.chain}" if place.number == "policy" else place.name
    return f"{name} ({place.line})" if place.line else name


def tests_state(rule: Rule, family: int) -> bool:
    """Whether a rule asks for a state of connection tracking."""
    found = (node for node in nodes(rule.predicate(family)) if isinstance(node, In | Bits))
    return any(node.field.name == "ct.state" for node in found)


def tested_fields(rule: Rule, family: int) -> frozenset[str]:
    """Return the names of the fields that a rule tests; `?` stands for what is no test of fields (a set, a counter)."""
    found: set[str] = set()
    for node in nodes(rule.predicate(family)):
        if isinstance(node, In | Bits):
            found.add(node.field.name)
        elif isinstance(node, Opaque | Ask | May):
            found.add("?")
    return frozenset(found)
