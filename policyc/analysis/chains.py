"""Sets of packets in the chains of one table: what ends where, and what reaches each rule. Part of `policyc.analysis`.

Paths are never unfolded. A chain that changes no packet has one summary for all of its callers; what comes to it is the union
of what they send. A chain that changes packets (marks, tracking) is walked with each set that comes, once for equal sets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field

from policyc.analysis.diagrams import ALL, EMPTY, Member
from policyc.analysis.flat import FlatRun
from policyc.analysis.images import changed
from policyc.analysis.rules import ACCEPT, DROP, GOTO, JUMP, QUEUE, RETURN, Ending, FamilyRules, Step
from policyc.netfilter.fields import Field
from policyc.netfilter.jumps import JumpGraph
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Table

LONG = 3000
"""Rules of a chain that are not intersected one after the other, because diagrams would grow too large."""
SPARE, SPARE_OF_CALLER, USUAL = 12_000, 300_000, 150
"""Nodes that a chain may cost at once, more if others hang on it, and for each of its rules.

One that costs more is treated as if it were long.
"""


class _TangledError(Exception):
    """The rules of a chain cut the packets into too many pieces."""


@dataclass(slots=True)
class Passage:
    """A set of packets sent through a chain: how they end, which come back to the caller, which match each rule."""

    endings: defaultdict[Ending, int] = field(default_factory=lambda: defaultdict(lambda: EMPTY))
    returned: int = EMPTY
    hits: list[int] = field(default_factory=list)
    notes: int = EMPTY


class TableSets:
    """One table of a family. `run` sends packets in at a base chain; `reaching` then says what came to a rule of a chain.

    `flat` holds the chains whose rules are not intersected: which of them earlier ones cover is known of itself, what ends
    where in them is not.
    """

    __slots__ = (
        "_arrived",
        "_changing",
        "_hits",
        "_members",
        "_passages",
        "_pushed",
        "_settled",
        "_shapes",
        "_steps",
        "_told_apart",
        "flat",
        "graph",
        "order",
        "rules",
        "table",
    )

    def __init__(self, rules: FamilyRules, table: Table) -> None:
        self.rules = rules
        self.table = table
        self.graph = JumpGraph.of(table)
        order = self.graph.order()
        if order is None:
            raise ValueError("chains jump to each other in a circle")
        self.order = order
        self._steps: dict[str, tuple[Step, ...]] = {}
        self._passages: dict[str, Passage] = {}
        self._pushed: dict[tuple[str, int], Passage] = {}
        self._arrived: defaultdict[str, int] = defaultdict(lambda: EMPTY)
        self._hits: dict[str, list[int]] = {}
        self._settled: dict[str, int] = {}
        self._members: dict[tuple[str, int], Member | None] = {}
        self._told_apart: dict[str, frozenset[Field]] = {}
        self._shapes: dict[Hashable, Member | None] = {}
        self.flat: dict[str, FlatRun] = {}
        self._changing = self._changing_chains()

    def _changing_chains(self) -> frozenset[str]:
        found: set[str] = set()
        for name in self.order:  # callees first
            outlines = map(self.rules.outline, self._rules(name))
            if any(outline.changes or outline.chain in found for outline in outlines):
                found.add(name)
        return frozenset(found)

    def _rules(self, chain: str) -> tuple[Rule, ...]:
        return (self.table.chain(chain) or Chain(chain)).rules

    def steps(self, chain: str) -> tuple[Step, ...]:
        """Return the rules of a chain as sets; a chain that is not declared has none."""
        found = self._steps.get(chain)
        if found is None:
            found = self._steps[chain] = tuple([self._step(rule) for rule in self._rules(chain)])
        return found

    def step(self, chain: str, place: int) -> Step:
        """Return one rule as sets."""
        return self._step(self._rules(chain)[place])

    def _step(self, rule: Rule) -> Step:
        """Return a rule as sets; what a chain of another tool does is not known."""
        step = self.rules.step(rule)
        called = self.table.chain(step.chain) if step.chain else None
        return step if called is None or not called.owner else Step(EMPTY, step.possible, "end", ending=Ending(QUEUE))

    def is_changing(self, chain: str) -> bool:
        """Whether the chain, or one that it calls, changes packets."""
        return chain in self._changing

    # ------------------------------------------------------------------ passage
    def run(self, base: str, packets: int) -> dict[Ending, int]:
        """Send packets through a base chain; what falls out of it meets its policy."""
        declared = self.table.chain(base)
        if declared is None or packets == EMPTY:
            return {Ending(ACCEPT): packets}
        self._settled.clear()
        self._members.clear()
        self._told_apart.clear()
        self._shapes.clear()
        both, either = self.rules.space.diagrams.both, self.rules.space.diagrams.either
        if base in self._changing:
            passage = self._push(base, packets)
            endings, returned = dict(passage.endings), passage.returned
        else:
            self._arrived[base] = either(self._arrived[base], packets)
            summary = self.summary(base)
            endings = {ending: both(packets, found) for ending, found in summary.endings.items()}
            returned = both(packets, summary.returned)
        policy = Ending(DROP if declared.policy == "DROP" else ACCEPT)
        endings[policy] = either(endings.get(policy, EMPTY), returned)
        return {ending: found for ending, found in endings.items() if found != EMPTY}

    def summary(self, chain: str) -> Passage:
        """Return the passage of all packets through a chain that changes none; what it calls is summed up before."""
        found = self._passages.get(chain)
        if found is None:
            waiting = [chain]
            while waiting:  # not by recursion: a chain may lie deep
                name = waiting[-1]
                calls = self.graph.calls.get(name, ())
                missing = [jump.callee for jump in calls if jump.callee not in self._passages]
                if missing:
                    waiting += missing
                    continue
                self._passages[waiting.pop()] = self._summed_up(name)
            found = self._passages[chain]
        return found

    def _summed_up(self, chain: str) -> Passage:
        if len(self._rules(chain)) <= LONG:
            try:
                return self._pass(chain, ALL, comes=False)
            except _TangledError:
                pass
        self.flat[chain] = FlatRun(self.rules, self._rules(chain))
        return self._anything(chain)

    def _anything(self, chain: str) -> Passage:
        """Return what may happen in a chain whose rules are not intersected: every packet may meet every ending."""
        outlines = map(self.rules.outline, self._rules(chain))
        endings = {outline.ending for outline in outlines if outline.ending is not None}
        endings.update(*(self.summary(jump.callee).endings for jump in self.graph.calls.get(chain, ())))
        found = Passage(returned=ALL, notes=ALL)
        found.endings.update(dict.fromkeys(endings, ALL))
        return found

    def hit(self, chain: str, place: int) -> int:
        """Return the packets that match a rule of a chain which changes none, if all packets come to the chain."""
        run = self.flat.get(chain)
        if run is None:
            return self.summary(chain).hits[place]
        return EMPTY if place in run.covered else self.step(chain, place).possible

    def _push(self, chain: str, packets: int) -> Passage:
        key = chain, packets
        found = self._pushed.get(key)
        if found is None:
            found = self._pushed[key] = self._pass(chain, packets, comes=True)
            either = self.rules.space.diagrams.either
            self._arrived[chain] = either(self._arrived[chain], packets)
            before = self._hits.setdefault(chain, [EMPTY] * len(found.hits))
            self._hits[chain] = [either(one, other) for one, other in zip(before, found.hits, strict=True)]
        return found

    def _pass(self, chain: str, packets: int, *, comes: bool) -> Passage:
        """Walk down a chain with a set of packets, which really come there or only might."""
        diagrams = self.rules.space.diagrams
        both, either, without = diagrams.both, diagrams.either, diagrams.without
        found = Passage()
        left = packets
        most = diagrams.size + (SPARE_OF_CALLER if self.graph.calls.get(chain) else SPARE)
        for step in self.steps(chain):
            most += USUAL
            if diagrams.size > most and not comes:
                raise _TangledError
            hit = both(left, step.possible)
            found.hits.append(hit)
            if hit == EMPTY:
                continue
            if step.notes:
                found.notes = either(found.notes, hit)
            if step.changes:
                moved = changed(self.rules.space, hit, step.changes)
                left = either(without(left, step.certain), moved) if not step.leaves else without(left, step.certain)
                hit = moved
            elif step.leaves:
                left = without(left, step.certain)
            if step.way in {JUMP, GOTO}:
                back = self._call(step.chain, hit, found, comes=comes)
                if step.way == JUMP:
                    left = either(left, back)
                else:
                    found.returned = either(found.returned, back)
            elif step.way == RETURN:
                found.returned = either(found.returned, hit)
            elif step.ending is not None:
                found.endings[step.ending] = either(found.endings[step.ending], hit)
                if step.ending.kind == QUEUE and step.certain == EMPTY:
                    left = either(left, hit)  # it may also come out as it went in, changed or not
        found.returned = either(found.returned, left)
        return found

    # ------------------------------------------------------------------ what arrives
    def is_reached(self, chain: str, place: int) -> bool:
        """Whether any packet matches a rule of a chain (its place from 0), after all runs."""
        return self.member(chain, place) is not None

    def is_reached_by(self, chain: str, place: int, packets: int) -> bool:
        """Whether any of these packets matches a rule, after all runs."""
        diagrams = self.rules.space.diagrams
        if chain in self._changing:
            return diagrams.common(self.reaching(chain, place), packets) is not None
        return diagrams.common(self.hit(chain, place), diagrams.both(self.arriving(chain), packets)) is not None

    def member(self, chain: str, place: int) -> Member | None:
        """Return a packet that matches a rule, None where none does."""
        key = chain, place
        if key not in self._members:
            if chain in self._changing:
                found = self.rules.space.diagrams.common(self.reaching(chain, place), ALL)
            elif chain in self.flat:
                found = self._member_of_run(chain, place)
            else:
                found = self.rules.space.diagrams.common(self.summary(chain).hits[place], self.arriving(chain))
            self._members[key] = found
        return self._members[key]

    def reaching(self, chain: str, place: int) -> int:
        """Return the packets that match a rule of a chain, after all runs."""
        if chain in self._changing:
            hits = self._hits.get(chain)
            return EMPTY if hits is None else hits[place]
        return self.rules.space.diagrams.both(self.hit(chain, place), self.arriving(chain))

    def _member_of_run(self, chain: str, place: int) -> Member | None:
        """Return a packet as `member` does; rules that agree in all by which the packets that come differ are asked once."""
        run, arriving = self.flat[chain], self.arriving(chain)
        if place in run.covered:
            return None
        diagrams, box = self.rules.space.diagrams, run.box(place)
        if box is None:
            return diagrams.common(self.step(chain, place).possible, arriving)
        if chain not in self._told_apart:
            levels = diagrams.support((arriving,))
            columns = self.rules.space.columns
            self._told_apart[chain] = frozenset(
                each for each in columns if not columns[each].all_levels.isdisjoint(levels)
            )
        told_apart = self._told_apart[chain]
        shape = (
            chain,
            frozenset(
                (key, literal)
                for key, literal in box.items()
                if key in told_apart or key not in self.rules.space.columns
            ),
        )
        if shape not in self._shapes:
            free = (each for each in box if each in self.rules.space.columns and each not in told_apart)
            tests = self.rules.space.release(self.step(chain, place).possible, *free)
            self._shapes[shape] = diagrams.common(tests, arriving)
        return self._shapes[shape]

    def arriving(self, chain: str) -> int:
        """Return the packets that enter a chain, after all runs."""
        if not self._settled:
            self._settled = self._settle()
        return self._settled.get(chain, EMPTY)

    def _settle(self) -> dict[str, int]:
        """Send what came to each chain on to those that it calls, callers first."""
        diagrams = self.rules.space.diagrams
        arrived = dict(self._arrived)
        for name in reversed(self.order):
            packets = arrived.get(name, EMPTY)
            if packets == EMPTY or name in self._changing:
                continue
            for jump in self.graph.calls[name]:
                sent = diagrams.both(packets, self.hit(name, jump.number - 1))
                arrived[jump.callee] = diagrams.either(arrived.get(jump.callee, EMPTY), sent)
        return arrived

    def _call(self, chain: str, packets: int, caller: Passage, *, comes: bool) -> int:
        """Send packets into a called chain; return what comes back."""
        diagrams = self.rules.space.diagrams
        if chain in self._changing:
            passage = self._push(chain, packets)
            for ending, found in passage.endings.items():
                caller.endings[ending] = diagrams.either(caller.endings[ending], found)
            caller.notes = diagrams.either(caller.notes, passage.notes)
            return passage.returned
        if comes:
            self._arrived[chain] = diagrams.either(self._arrived[chain], packets)
        summary = self.summary(chain)
        for ending, found in summary.endings.items():
            caller.endings[ending] = diagrams.either(caller.endings[ending], diagrams.both(packets, found))
        caller.notes = diagrams.either(caller.notes, diagrams.both(packets, summary.notes))
        return diagrams.both(packets, summary.returned)
