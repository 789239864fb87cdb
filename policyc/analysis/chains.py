"""Sets of packets in the chains of one table: what ends where, and what reaches each rule. Part of `policyc.analysis`.

Paths are never unfolded. A chain that changes no packet has one summary for all of its callers; what comes to it is the union
of what they send. A chain that changes packets (marks, tracking) is walked with each set that comes, once for equal sets.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from policyc.analysis.diagrams import ALL, EMPTY, Member
from policyc.analysis.images import changed
from policyc.analysis.rules import ACCEPT, DROP, GOTO, JUMP, QUEUE, RETURN, Ending, FamilyRules, Step
from policyc.netfilter.jumps import JumpGraph
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Table


@dataclass(slots=True)
class Passage:
    """A set of packets sent through a chain: how they end, which come back to the caller, which match each rule."""

    endings: defaultdict[Ending, int] = field(default_factory=lambda: defaultdict(lambda: EMPTY))
    returned: int = EMPTY
    hits: list[int] = field(default_factory=list)
    notes: int = EMPTY


class TableSets:
    """One table of a family. `run` sends packets in at a base chain; `reaching` then says what came to a rule of a chain."""

    __slots__ = (
        "_arrived",
        "_changing",
        "_hits",
        "_members",
        "_passages",
        "_pushed",
        "_settled",
        "_steps",
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
        self._changing = self._changing_chains()

    def _changing_chains(self) -> frozenset[str]:
        found: set[str] = set()
        for name in self.order:  # callees first
            if any(step.changes or step.chain in found for step in self.steps(name)):
                found.add(name)
        return frozenset(found)

    def steps(self, chain: str) -> tuple[Step, ...]:
        """Return the rules of a chain as sets; a chain that is not declared has none."""
        found = self._steps.get(chain)
        if found is None:
            known = self.table.chain(chain) or Chain(chain)
            found = self._steps[chain] = tuple([self._step(rule) for rule in known.rules])
        return found

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
                missing = [step.chain for step in self.steps(name) if step.chain and step.chain not in self._passages]
                if missing:
                    waiting += missing
                    continue
                self._passages[waiting.pop()] = self._pass(name, ALL, comes=False)
            found = self._passages[chain]
        return found

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
        for step in self.steps(chain):
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

    def member(self, chain: str, place: int) -> Member | None:
        """Return a packet that matches a rule, None where none does."""
        key = chain, place
        if key not in self._members:
            if chain in self._changing:
                found = self.rules.space.diagrams.common(self.reaching(chain, place), ALL)
            else:
                found = self.rules.space.diagrams.common(self.summary(chain).hits[place], self.arriving(chain))
            self._members[key] = found
        return self._members[key]

    def reaching(self, chain: str, place: int) -> int:
        """Return the packets that match a rule of a chain, after all runs."""
        if chain in self._changing:
            hits = self._hits.get(chain)
            return EMPTY if hits is None else hits[place]
        return self.rules.space.diagrams.both(self.summary(chain).hits[place], self.arriving(chain))

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
            for step, hit in zip(self.steps(name), self.summary(name).hits, strict=True):
                if step.chain:
                    sent = diagrams.both(packets, hit)
                    arrived[step.chain] = diagrams.either(arrived.get(step.chain, EMPTY), sent)
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
