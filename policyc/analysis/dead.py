"""Rules that no packet of the open world matches, and why: the first word of the model that fits. Part of `policyc.analysis`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum

from policyc.analysis.chains import TableSets
from policyc.analysis.covers import Cause, cover
from policyc.analysis.diagrams import EMPTY
from policyc.analysis.facts import HAS_ENTRY, is_state
from policyc.analysis.points import Point, lowest, usual_packets
from policyc.analysis.rules import FamilyRules
from policyc.analysis.walk import OpenWalk, OwnWalk
from policyc.frozen import frozen
from policyc.netfilter.hooks import HOOK_OF, Hook, is_base_chain
from policyc.netfilter.jumps import Jump


class Why(Enum):
    """Why a rule is dead."""

    NEVER = "its own tests exclude each other, or the kernel lets no such packet come there"
    OUT_OF_CONTEXT = "the jumps to its chain send other packets"
    SHADOWED = "earlier rules take all of its packets"
    CHANGED = "earlier rules change all of its packets"
    ABSENT = "no packet with what it tests gets to the table: nothing makes them, or an earlier table drops them"


@frozen
class Dead:
    """A dead rule (its place from 0 in its chain), what takes its packets, and a packet that it would match.

    `jumps` lead to its chain where none of them sends what it tests. `by_itself`: the table's own rules are the whole reason;
    else what earlier tables and callers let come is part of it.
    """

    table: TableSets
    chain: str
    place: int
    why: Why
    causes: tuple[Cause, ...] = ()
    jumps: tuple[Jump, ...] = ()
    witness: Point | None = None
    by_itself: bool = False


class DeadRules:
    """The dead rules of one family, after the walk."""

    __slots__ = ("_wishes", "rules", "walk")

    def __init__(self, rules: FamilyRules) -> None:
        self.rules = rules
        self.walk = OpenWalk(rules)
        self.walk.run()
        self._wishes = usual_packets(rules.space)

    def find(self, table: TableSets, is_asked: Callable[[str, int], bool]) -> Iterator[Dead]:
        """Yield the dead rules of a table among those that are asked about; those of chains that nothing enters are not."""
        for chain in table.table.chains:
            if table.arriving(chain.name) == EMPTY:
                continue
            for place in range(len(chain.rules)):
                if not table.is_reached(chain.name, place) and is_asked(chain.name, place):
                    yield self._why(table, chain.name, place)

    def idle(self, is_asked: Callable[[TableSets, str, int], bool]) -> Iterator[tuple[TableSets, str, int]]:
        """Yield the rules that are meant for connections and that no connection of these rules reaches.

        Only packets without a connection match them, or packets of connections that are older than the rules: what would
        match is translated before it comes there, or exempted from tracking.
        """
        if not self.rules.has_own_connections:
            return
        own = OwnWalk(self.rules)
        own.run()
        new, entered = self.rules.where(is_state("NEW")), self.rules.where(HAS_ENTRY)
        for name, table in self.walk.tables.items():
            for chain in table.table.chains if name not in {"nat", "raw"} else ():
                for place in range(len(chain.rules)) if chain.name not in table.flat else ():
                    if own.tables[name].is_reached_by(chain.name, place, entered):
                        continue
                    if table.is_reached_by(chain.name, place, new) and is_asked(table, chain.name, place):
                        yield table, chain.name, place

    def example(self, table: TableSets, chain: str, place: int) -> Point | None:
        """Return a packet that matches a rule, None where none does."""
        return lowest(self.rules.space, table.reaching(chain, place), self._wishes)

    def would_match(self, table: TableSets, chain: str, place: int) -> Point | None:
        """Return a packet that would match a rule if it came there, None where the kernel lets none come."""
        possible = self.rules.space.diagrams.both(table.step(chain, place).possible, self._stands(table, chain))
        return lowest(self.rules.space, possible, self._wishes)

    def _why(self, table: TableSets, chain: str, place: int) -> Dead:
        diagrams = self.rules.space.diagrams
        matching = table.step(chain, place).possible
        possible = diagrams.both(matching, self._stands(table, chain))
        if possible == EMPTY:
            return Dead(table, chain, place, Why.NEVER, by_itself=True)
        arriving = diagrams.both(matching, table.arriving(chain))
        if arriving != EMPTY:
            causes = cover(table, chain, place, possible)
            by_itself = bool(causes)
            causes = causes or cover(table, chain, place, arriving)
            witness = lowest(self.rules.space, arriving, self._wishes)
            why = Why.SHADOWED if causes or chain in table.flat else Why.CHANGED
            return Dead(table, chain, place, why, causes, witness=witness, by_itself=by_itself)
        if is_base_chain(table.table.name, chain):
            return Dead(table, chain, place, Why.ABSENT, witness=lowest(self.rules.space, possible, self._wishes))
        return self._on_the_way(table, chain, place, possible)

    def _on_the_way(self, table: TableSets, chain: str, place: int, packets: int) -> Dead:
        """Find out who takes the packets before they come to the chain."""
        diagrams = self.rules.space.diagrams
        jumps = table.graph.callers[chain]
        causes: list[Cause] = []
        seen = EMPTY
        for jump in jumps:
            step = table.step(jump.caller, jump.number - 1)
            sent = diagrams.all_of((packets, step.possible, table.arriving(jump.caller)))
            if sent != EMPTY:
                seen = diagrams.either(seen, sent)
                causes += cover(table, jump.caller, jump.number - 1, sent)
        if seen == EMPTY:
            return Dead(
                table,
                chain,
                place,
                Why.OUT_OF_CONTEXT,
                jumps=jumps,
                witness=lowest(self.rules.space, packets, self._wishes),
            )
        witness = lowest(self.rules.space, seen, self._wishes)
        once = {(cause.chain, cause.place): cause for cause in reversed(causes)}
        return Dead(table, chain, place, Why.SHADOWED, tuple(reversed(once.values())), jumps, witness)

    def _stands(self, table: TableSets, chain: str) -> int:
        """Return the packets that could come to a chain if there were no rules."""
        known = (self.rules.known_in(hook, table.table.name) for hook in hooks_of(table, chain))
        return self.rules.space.diagrams.any_of(map(self.rules.where, known))


def hooks_of(table: TableSets, chain: str) -> tuple[Hook, ...]:
    """Return the hooks from which a chain is entered, in their order."""
    if is_base_chain(table.table.name, chain):
        return (HOOK_OF[chain],)
    return tuple(hook for hook in Hook if hook in table.graph.hooks[chain])
