"""What becomes of packets in one base chain, and by which rule: a function from packets to fates. Part of `policyc.analysis`.

Between `piece_tables` and `difference`. Every condition has a value here, so that each packet has one fate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from policyc.analysis.chains import TableSets
from policyc.analysis.diagrams import EMPTY
from policyc.analysis.piece_tables import PieceTable
from policyc.analysis.pieces import Piece, Rewriting, Substitution
from policyc.analysis.rules import Ending, FamilyRules, Step
from policyc.analysis.space import Space
from policyc.frozen import frozen
from policyc.netfilter.ruleset import Table


@frozen
class Decision(Ending):
    """An ending with the rule that decided it."""

    chain: str = ""
    number: int = 0


@frozen
class Fate:
    """How the packets of `region` end in a base chain, as what (`now`), and the rule that decides: 0 is the policy."""

    ending: Ending
    chain: str
    number: int
    region: int
    now: Substitution

    @property
    def outcome(self) -> tuple[Ending, Substitution]:
        """What can be compared: the ending and what the packet has become, whoever decided it."""
        return self.ending, self.now


class _NumberedSets(TableSets):
    """A table whose rules end packets each in its own name."""

    __slots__ = ("_numbered",)

    def __init__(self, rules: FamilyRules, table: Table) -> None:
        super().__init__(rules, table)
        self._numbered: dict[str, tuple[Step, ...]] = {}

    def steps(self, chain: str) -> tuple[Step, ...]:
        """Return the rules of a chain as sets, each ending with the rule's name in it."""
        found = self._numbered.get(chain)
        if found is None:
            steps = enumerate(super().steps(chain), 1)
            found = self._numbered[chain] = tuple([_numbered(step, chain, number) for number, step in steps])
        return found


def _numbered(step: Step, chain: str, number: int) -> Step:
    end = step.ending
    return step if end is None else replace(step, ending=Decision(end.kind, end.answer, end.rewrite, chain, number))


class DecidedTable(PieceTable):
    """One table, walked rule by rule with the few packets that are asked about."""

    __slots__ = ("_rules",)

    def __init__(self, rules: FamilyRules, table: Table, rewriting: Rewriting) -> None:
        super().__init__(rules, table, rewriting)
        self.sets = _NumberedSets(rules, table)

    def _is_walked(self, chain: str) -> bool:  # noqa: ARG002 - sums would not say which rule it was
        return True

    def fates(self, base: str, packets: int) -> list[Fate]:
        """Return what becomes of packets that enter a base chain."""
        found: dict[tuple[Ending, Substitution], Fate] = {}
        for ending, piece in self.run(base, Piece(packets, Substitution())):
            key = ending, piece.now
            before = found.get(key)
            region = piece.region if before is None else self.either(before.region, piece.region)
            found[key] = _fate(ending, base, region, piece.now)
        return list(found.values())

    def either(self, one: int, other: int) -> int:
        """Return the union of two sets."""
        return self.sets.rules.space.diagrams.either(one, other)


def _fate(ending: Ending, base: str, region: int, now: Substitution) -> Fate:
    plain = Ending(ending.kind, ending.answer, ending.rewrite)
    if isinstance(ending, Decision):
        return Fate(plain, ending.chain, ending.number, region, now)
    return Fate(plain, base, 0, region, now)


def by_outcome(space: Space, fates: Iterable[Fate]) -> dict[tuple[Ending, Substitution], int]:
    """Return the packets of each outcome."""
    found: dict[tuple[Ending, Substitution], int] = {}
    for fate in fates:
        found[fate.outcome] = space.diagrams.either(found.get(fate.outcome, EMPTY), fate.region)
    return found


def undecided(space: Space, outcomes: Iterable[int]) -> int:
    """Return the packets that may have several of these outcomes."""
    seen = doubtful = EMPTY
    for region in outcomes:
        doubtful = space.diagrams.either(doubtful, space.diagrams.both(seen, region))
        seen = space.diagrams.either(seen, region)
    return doubtful


def within(space: Space, fates: Iterable[Fate], packets: int) -> Iterator[Fate]:
    """Yield the fates with their packets among these, without those that have none."""
    for fate in fates:
        region = space.diagrams.both(fate.region, packets)
        if region != EMPTY:
            yield replace(fate, region=region)
