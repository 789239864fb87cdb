"""Which earlier rules take the packets of a rule: in order, each with its share. Part of `policyc.analysis`.

None of the rules of the chain itself can be spared: without it, the others leave some of the packets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from policyc.analysis.chains import TableSets
from policyc.analysis.diagrams import EMPTY
from policyc.analysis.images import changed
from policyc.analysis.rules import GOTO, JUMP, RETURN
from policyc.analysis.shares import share

MOST_TRIED = 64
"""Covers with more rules than this are named as they are found, without trying to do with fewer."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A rule (its place from 0 in its chain) that takes packets of another; `share` is how much of them, from 0 to 1."""

    chain: str
    place: int
    share: float


class _Taker(NamedTuple):
    chain: str
    place: int
    taken: int


def cover(table: TableSets, chain: str, place: int, packets: int) -> tuple[Cause, ...]:
    """Return the rules before a place of a chain that take packets which enter the chain, until none is left.

    Empty where some are left: what takes them does not stand in this chain.
    """
    wanted = table.steps(chain)[place].possible
    takers, left = _takers(table, chain, place, packets, frozenset())
    if table.rules.space.diagrams.both(left, wanted) != EMPTY:
        return ()
    if not table.is_changing(chain):
        spare = _spare(
            table,
            chain,
            {taker.place for taker in takers if taker.chain == chain} | _calls(table, chain, place),
            packets,
        )
        takers, _ = _takers(table, chain, place, packets, spare)
    taken: dict[tuple[str, int], int] = {}
    for taker in takers:  # a chain that is called twice takes twice
        key = taker.chain, taker.place
        taken[key] = table.rules.space.diagrams.either(taken.get(key, EMPTY), taker.taken)
    return tuple(Cause(*key, share(table.rules.space, part, packets)) for key, part in taken.items())


def _calls(table: TableSets, chain: str, end: int) -> set[int]:
    return {place for place, step in enumerate(table.steps(chain)[:end]) if step.chain}


def _spare(table: TableSets, chain: str, takers: set[int], packets: int) -> frozenset[int]:
    """Return rules of a chain without which the others still take all of the packets, those that take least first."""
    diagrams = table.rules.space.diagrams
    full: dict[int, int] = {}
    for place in sorted(takers):
        step = table.steps(chain)[place]
        back = table.summary(step.chain).returned if step.way == JUMP else EMPTY
        full[place] = diagrams.without(diagrams.both(packets, step.certain), back)
    if len(full) > MOST_TRIED:
        return frozenset()
    spare: set[int] = set()
    for place in sorted(full, key=lambda each: (share(table.rules.space, full[each], packets), -each)):
        others = diagrams.any_of(found for other, found in full.items() if other != place and other not in spare)
        if diagrams.is_within(packets, others):
            spare.add(place)
    return frozenset(spare)


def _takers(
    table: TableSets, chain: str, end: int | None, packets: int, spare: frozenset[int]
) -> tuple[list[_Taker], int]:
    """Send packets down a chain, to a place of it or to its end, past spare rules.

    Return who takes some, in order, and those that are left: for the rule at the place, or for the caller.
    """
    diagrams = table.rules.space.diagrams
    takers: list[_Taker] = []
    left, returned = packets, EMPTY
    for place, step in enumerate(table.steps(chain)[:end]):
        taken = diagrams.both(left, step.certain)
        if taken == EMPTY or place in spare:
            continue
        if not step.leaves:
            if step.changes:
                left = diagrams.either(diagrams.without(left, taken), changed(table.rules.space, taken, step.changes))
            continue
        left = diagrams.without(left, taken)
        back = EMPTY
        if step.way in {JUMP, GOTO}:
            inner, back = _takers(table, step.chain, None, taken, frozenset())
            takers += inner
        elif step.way == RETURN and end is None:
            back = taken
        else:
            takers.append(_Taker(chain, place, taken))
        if step.way == JUMP:
            left = diagrams.either(left, back)
        elif end is None:
            returned = diagrams.either(returned, back)
        elif back != EMPTY:
            takers.append(_Taker(chain, place, back))  # a goto: what comes back does not come here
    return takers, diagrams.either(left, returned)
