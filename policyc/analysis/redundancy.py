"""Rules that can go without changing what happens to any packet, although packets match them. Part of `policyc.analysis`.

Without the rule its packets come to the rules behind it. Where these do the same to all of them, leave no other trace and
change nothing, the rule is redundant. Asked chain by chain from the last rule back; what happens to packets that come back
from a chain is asked at every place from which it is called.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from policyc.analysis.chains import TableSets
from policyc.analysis.diagrams import ALL, EMPTY
from policyc.analysis.rules import GOTO, JUMP, QUEUE, RETURN, Ending, Step
from policyc.netfilter.hooks import is_base_chain


class Fates(NamedTuple):
    """Of the packets that come to a rule of a chain: those that end so, by ending, and those that come back to the caller.

    Only what is certain counts, without a trace left on the way, and what rules with tests do. A rule that does the same as
    the policy of the chain, or a last rule for all packets, says what is meant; one that is dead itself does nothing.
    """

    endings: dict[Ending, int]
    returned: int


class Redundancy:
    """The redundant rules of one table, after the walk."""

    __slots__ = ("_fates", "_otherwise", "table")

    def __init__(self, table: TableSets) -> None:
        self.table = table
        self._fates: dict[str, list[Fates]] = {}
        self._otherwise: dict[tuple[str, Ending], int] = {}

    def find(self, is_asked: Callable[[str, int], bool]) -> Iterator[tuple[str, int]]:
        """Yield the redundant rules among those that are asked about, as chains and places."""
        for chain in self.table.table.chains:
            name = chain.name
            if self.table.is_changing(name) or name in self.table.flat or self.table.arriving(name) == EMPTY:
                continue
            for place, step in enumerate(self.table.steps(chain.name)):
                if is_asked(chain.name, place) and self._is_redundant(chain.name, place, step):
                    yield chain.name, place

    def _is_redundant(self, chain: str, place: int, step: Step) -> bool:
        if step.notes or step.changes:
            return False
        if step.way == RETURN and not is_base_chain(self.table.table.name, chain):
            ending = None
        elif step.way == "end" and step.ending is not None and step.ending.kind != QUEUE:
            ending = step.ending
        else:
            return False
        member = self.table.member(chain, place)
        if member is None:
            return False
        diagrams = self.table.rules.space.diagrams
        behind = self.fates(chain)[place + 1]
        same = EMPTY if ending is None else behind.endings.get(ending, EMPTY)
        otherwise = EMPTY if ending is None else self.otherwise(chain, ending)
        if not diagrams.has(same, member) and (
            not diagrams.has(behind.returned, member) or diagrams.has(otherwise, member)
        ):
            return False
        packets = self.table.reaching(chain, place)
        elsewhere = diagrams.without(packets, same)
        return diagrams.is_within(elsewhere, behind.returned) and diagrams.is_within(elsewhere, otherwise ^ 1)

    # ------------------------------------------------------------------ what happens behind a rule
    def fates(self, chain: str) -> list[Fates]:
        """Return the fates of packets that come to each rule of a chain, and behind the last one."""
        found = self._fates.get(chain)
        if found is None:
            found = self._fates[chain] = self._behind(chain)
        return found

    def _behind(self, chain: str) -> list[Fates]:
        """Go from the end of a chain to its beginning; of a flat one nothing is certain."""
        if chain in self.table.flat:
            return [Fates({}, EMPTY)] * (len(self.table.flat[chain]) + 1)
        is_base = is_base_chain(self.table.table.name, chain)
        last = Fates({}, EMPTY) if is_base else Fates({}, ALL)
        found = [last]
        steps = self.table.steps(chain)
        for place in reversed(range(len(steps))):
            if self.table.is_reached(chain, place):
                last = self._before(steps[place], last, is_base=is_base)
            found.append(last)
        found.reverse()
        return found

    def _before(self, step: Step, behind: Fates, *, is_base: bool) -> Fates:
        """Return the fates of packets that come to a rule, given those of packets that come behind it."""
        diagrams = self.table.rules.space.diagrams
        both, either = diagrams.both, diagrams.either
        if not step.leaves and not step.notes and not step.changes:
            return behind
        if step.certain == ALL and step.ending is not None:
            return Fates({}, EMPTY)
        passing = step.possible ^ 1
        endings: defaultdict[Ending, int] = defaultdict(lambda: EMPTY)
        endings.update({ending: both(passing, found) for ending, found in behind.endings.items()})
        returned = both(passing, behind.returned)
        matched = EMPTY if step.notes or step.changes else step.certain
        inner = self._of_match(step)
        for ending, found in inner.endings.items():
            endings[ending] = either(endings[ending], both(matched, found))
        back = both(matched, inner.returned)
        if step.way == JUMP:
            for ending, found in behind.endings.items():
                endings[ending] = either(endings[ending], both(back, found))
            back = both(back, behind.returned)
        elif is_base:
            back = EMPTY
        return Fates(dict(endings), either(returned, back))

    def _of_match(self, step: Step) -> Fates:
        """Return the fates of packets that match a rule; those that come back from what it calls are returned."""
        if step.way in {JUMP, GOTO}:
            return Fates({}, EMPTY) if self.table.is_changing(step.chain) else self.fates(step.chain)[0]
        if step.way == RETURN:
            return Fates({}, ALL)
        return Fates({} if step.ending is None or step.ending.kind == QUEUE else {step.ending: ALL}, EMPTY)

    # ------------------------------------------------------------------ what happens behind the callers
    def otherwise(self, chain: str, ending: Ending) -> int:
        """Return the packets that, coming back from a chain, may end otherwise at one of the places that call it."""
        key = chain, ending
        found = self._otherwise.get(key)
        if found is None:
            found = self._otherwise[key] = self._behind_callers(chain, ending)
        return found

    def _behind_callers(self, chain: str, ending: Ending) -> int:
        diagrams = self.table.rules.space.diagrams
        found = EMPTY
        for jump in self.table.graph.callers[chain]:
            sent = self.table.reaching(jump.caller, jump.number - 1)
            if sent == EMPTY:
                continue
            if self.table.is_changing(jump.caller):
                return ALL
            if jump.goto:
                is_base = is_base_chain(self.table.table.name, jump.caller)
                behind = Fates({}, EMPTY) if is_base else Fates({}, ALL)
            else:
                behind = self.fates(jump.caller)[jump.number]
            elsewhere = diagrams.without(sent, behind.endings.get(ending, EMPTY))
            bad = diagrams.without(elsewhere, behind.returned)
            if elsewhere != bad:
                bad = diagrams.either(
                    bad, diagrams.both(diagrams.both(elsewhere, behind.returned), self.otherwise(jump.caller, ending))
                )
            found = diagrams.either(found, bad)
        return found
