"""A table's chains, ready to run: each rule is compiled when a packet first comes to it. Part of `policyc.simulation`.

Matches run left to right and stop at the first that fails; their side effects happen on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from policyc.netfilter.counters import Counter
from policyc.netfilter.effect import Record
from policyc.netfilter.fields import FIELDS, Field
from policyc.netfilter.parts import Match, Target, Unknown
from policyc.netfilter.predicate import Ask, May, Opaque, Predicate, nodes
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Table
from policyc.simulation.counters import Counters
from policyc.simulation.effects import ACCEPT, CONTINUE, DROP, GOTO, JUMP, RETURN, Action, Outcome, action_of, together
from policyc.simulation.evaluate import Test, compiled, has_counter, unknowns
from policyc.simulation.index import LONG, ChainIndex
from policyc.simulation.journey import Recorder
from policyc.simulation.nat import SIDES
from policyc.simulation.packet import Packet
from policyc.simulation.readings import Reader, reader_of
from policyc.simulation.sieve import sieve
from policyc.simulation.state import State, UnknowableError
from policyc.simulation.trace import Step

MOST_TOLD = 1000  # rules of a chain that an explanation looks at one by one
MOST_JUMPS = 4096  # no ruleset that the kernel takes goes round; this ends a loop in one that it would refuse
_ACCEPTED, _DROPPED = Outcome(ACCEPT), Outcome(DROP)


class Doubt(NamedTuple):
    """A test of a rule that may be unknown: `text` is the match as iptables writes it, `conditions` what it hangs on.

    `counted` says what a counter that starts empty comes to, None where no counter decides. `reads` are what the condition is
    fixed by, so that the same values have the same answer; None where it is new each time.
    """

    test: Test
    text: str
    conditions: tuple[str, ...]
    counted: Test | None
    reads: tuple[Reader, ...] | None


class CompiledRule:
    """One rule as two functions: whether a packet matches, and what then happens."""

    __slots__ = ("_doubts", "_state", "act", "tests")

    def __init__(self, rule: Rule, family: int, state: State, counters: Counters) -> None:
        around = rule.around(family)
        self._state = state
        self.tests: list[Test] = []
        self._doubts: list[Doubt] = []
        actions: list[Action] = []
        for part in rule.parts:
            if isinstance(part, Target) or (isinstance(part, Unknown) and part.is_target):
                actions += [action_of(effect, state) for effect in part.effects(around)]
                continue
            meaning = part.meaning(around)
            test = compiled(meaning, state, counters.test)
            if conditions := tuple(unknowns(meaning, state)):
                counted = None
                if state.choices is not None and has_counter(meaning):
                    counted, test = test, compiled(meaning, state, _nobody_counts)
                self._doubts.append(Doubt(test, part.text, conditions, counted, _readers(meaning, state)))
            if isinstance(part, Match):
                effects = part.extension.side_effects(part.options, around)
                for effect in effects:
                    test = _beside(test, action_of(effect, state), always=isinstance(effect, Record))
            self.tests.append(test)
        self.act: Callable[[Packet], Outcome] = together(actions)

    def matches(self, packet: Packet) -> bool:
        """Whether the packet matches; raises UnknowableError where a condition is unknown and the others hold."""
        sure = True
        for test in self.tests:
            holds = test(packet)
            if not holds:
                if holds is not None:
                    return False
                sure = False
        return sure or self._chosen(packet)

    def _chosen(self, packet: Packet) -> bool:
        """Whether the unknown conditions are taken to hold."""
        choices = self._state.choices
        if choices is None:
            conditions = dict.fromkeys(condition for doubt in self._doubts for condition in doubt.conditions)
            raise UnknowableError(f"whether {' and '.join(conditions)} holds")
        for doubt in self._doubts:
            if doubt.test(packet) is not None:
                continue
            known = None if doubt.counted is None else doubt.counted(packet)
            identity = None if doubt.reads is None else (doubt.text, *(read(packet) for read in doubt.reads))
            if not choices.decide(doubt.text, bool(known), identity=identity, counted=known is not None):
                return False
        return True


def _readers(meaning: Predicate, state: State) -> tuple[Reader, ...] | None:
    """Return the readers of what fixes a predicate's unknown conditions; None where one of them is asked anew each time."""
    read: dict[Field, None] = {}
    for node in nodes(meaning):
        if isinstance(node, May):
            return None
        if isinstance(node, Opaque):
            read |= dict.fromkeys(FIELDS if node.reads is None else node.reads)
        elif isinstance(node, Ask):
            read |= dict.fromkeys(node.reads or FIELDS)
    return tuple(reader for field in read if (reader := reader_of(field, state)) is not None)


def _nobody_counts(_: Counter) -> Test:
    return lambda _: None


def _beside(test: Test, act: Action, *, always: bool) -> Test:
    def with_effect(packet: Packet) -> bool | None:
        holds = test(packet)
        if holds or always:
            act(packet)
        return holds

    return with_effect


class CompiledChain:
    """A chain with its rules in order; None where no packet has come to a rule yet."""

    __slots__ = ("_index", "name", "policy", "rules", "source")

    def __init__(self, chain: Chain) -> None:
        self.name = chain.name
        self.policy = _DROPPED if chain.policy == "DROP" else _ACCEPTED
        self.source = chain.rules
        self.rules: list[CompiledRule | None] = [None] * len(chain.rules)
        self._index: ChainIndex | None = None

    def places(self, packet: Packet, recorder: Recorder | None) -> Sequence[int]:
        """Return the places of the rules to look at, in their order; all that a recorder may want to tell of."""
        if len(self.rules) < (LONG if recorder is None else MOST_TOLD):
            return range(len(self.rules))
        if recorder is not None:
            found = sieve(self.source, packet)
            recorder.skipped(len(self.rules) - len(found))
            return found
        if self._index is None:
            self._index = ChainIndex(self.source)
        return self._index.candidates(packet)


class CompiledTable:
    """The chains of one table of one family."""

    __slots__ = ("_chains", "_counters", "_state", "family", "name")

    def __init__(self, table: Table, state: State, counters: Counters) -> None:
        self.name, self.family = table.name, table.family
        self._state, self._counters = state, counters
        self._chains = {chain.name: CompiledChain(chain) for chain in table.chains}

    def has(self, name: str) -> bool:
        """Whether the table declares the chain."""
        return name in self._chains

    def run(self, base: str, packet: Packet, steps: list[Step], recorder: Recorder | None = None) -> Outcome:
        """Send the packet through a base chain and what it calls; return accept, drop or stolen."""
        first = self._chains[base]
        packet.nat_side = SIDES[base]
        chain, places, at = first, first.places(packet, recorder), 0
        callers: list[tuple[CompiledChain, Sequence[int], int]] = []
        jumps = 0
        while True:
            if at >= len(places):
                if not callers:
                    break
                chain, places, at = callers.pop()
                continue
            place = places[at]
            rule = chain.rules[place]
            if rule is None:
                rule = chain.rules[place] = CompiledRule(chain.source[place], self.family, self._state, self._counters)
            at += 1
            if not rule.matches(packet):
                if recorder is not None:
                    recorder.missed(chain.name, place + 1, len(callers), chain.source[place])
                continue
            outcome = rule.act(packet)
            kind = outcome.kind
            steps.append(Step(self.name, chain.name, place + 1, outcome.word))
            if recorder is not None:
                recorder.matched(chain.name, place + 1, len(callers), chain.source[place], outcome.word)
            if kind == CONTINUE:
                continue
            if kind == RETURN:
                if not callers:
                    break
                chain, places, at = callers.pop()
            elif kind in {JUMP, GOTO}:
                jumps += 1
                called = self._chains.get(outcome.chain)
                if called is None or jumps > MOST_JUMPS:
                    raise UnknowableError(f"the kernel would not load the jump to `{outcome.chain}`")
                if kind == JUMP:
                    callers.append((chain, places, at))
                chain, places, at = called, called.places(packet, recorder), 0
            else:
                return outcome
        steps.append(Step(self.name, base, "policy", first.policy.kind))
        if recorder is not None:
            recorder.matched(base, "policy", 0, None, first.policy.kind)
        return first.policy
