"""Which earlier rules take the packets of a rule: in order, each with its share. Part of `policyc.analysis`.

None of the rules of the chain itself can be spared: without it, the others leave some of the packets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from policyc.analysis.chains import TableSets
from policyc.analysis.diagrams import EMPTY
from policyc.analysis.images import changed
from policyc.analysis.rules import GOTO, JUMP, RETURN
from policyc.frozen import frozen

MOST_TRIED = 64
"""Covers with more rules than this are named as they are found, without trying to do with fewer."""


@frozen
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
    run = table.flat.get(chain)
    places: Sequence[int] = range(place) if run is None else run.covered.get(place, ())
    wanted = table.step(chain, place).possible
    takers, left = _takers(table, chain, places, packets)
    if table.rules.space.diagrams.both(left, wanted) != EMPTY:
        return ()
    if not table.is_changing(chain) and len(takers) > 1:
        own = {taker.place for taker in takers if taker.chain == chain}
        calling = {jump.number - 1 for jump in table.graph.calls[chain]}
        spare = _spare(table, chain, sorted((own | calling).intersection(places)), packets)
        takers, _ = _takers(table, chain, [each for each in places if each not in spare], packets)
    taken: dict[tuple[str, int], int] = {}
    for taker in takers:  # a chain that is called twice takes twice
        key = taker.chain, taker.place
        taken[key] = table.rules.space.diagrams.either(taken.get(key, EMPTY), taker.taken)
    return tuple(Cause(*key, table.rules.shares.share(part, packets)) for key, part in taken.items())


def _spare(table: TableSets, chain: str, places: list[int], packets: int) -> frozenset[int]:
    """Return rules of a chain without which the others still take all of the packets, those that take least first."""
    diagrams = table.rules.space.diagrams
    if len(places) > MOST_TRIED:
        return frozenset()
    full: dict[int, int] = {}
    for place in places:
        step = table.step(chain, place)
        back = table.summary(step.chain).returned if step.way == JUMP else EMPTY
        full[place] = diagrams.without(diagrams.both(packets, step.certain), back)
    spare: set[int] = set()
    for place in sorted(full, key=lambda each: (table.rules.shares.share(full[each], packets), -each)):
        others = diagrams.any_of(found for other, found in full.items() if other != place and other not in spare)
        if diagrams.is_within(packets, others):
            spare.add(place)
    return frozenset(spare)


def _takers(table: TableSets, chain: str, places: Sequence[int] | None, packets: int) -> tuple[list[_Taker], int]:
    """Send packets down a chain, past these places or, without, to its end.

    Return who takes some, in order, and those that are left: for the next rule, or for the caller.
    """
    diagrams = table.rules.space.diagrams
    takers: list[_Taker] = []
    left, returned = packets, EMPTY
    to_end = places is None
    for place in range(len(table.steps(chain))) if places is None else places:
        step = table.step(chain, place)
        taken = diagrams.both(left, step.certain)
        if taken == EMPTY:
            continue
        if not step.leaves:
            if step.changes:
                left = diagrams.either(diagrams.without(left, taken), changed(table.rules.space, taken, step.changes))
            continue
        left = diagrams.without(left, taken)
        back = EMPTY
        if step.way in {JUMP, GOTO}:
            inner, back = _takers(table, step.chain, None, taken)
            takers += inner
        elif step.way == RETURN and to_end:
            back = taken
        else:
            takers.append(_Taker(chain, place, taken))
        if step.way == JUMP:
            left = diagrams.either(left, back)
        elif to_end:
            returned = diagrams.either(returned, back)
        elif back != EMPTY:
            takers.append(_Taker(chain, place, back))  # a goto: what comes back does not come here
    return takers, diagrams.either(left, returned)
