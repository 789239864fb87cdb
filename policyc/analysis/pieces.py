"""Packets by what they were when they entered: a piece is a region of those, and what has become of their fields since.

Part of `policyc.analysis`. A test on a field that was rewritten becomes a test on the region, or a constant. Where a rewrite
leaves a choice (a range of ports, a pool, a prefix), a test may hold for each value of it: the region that comes out is then
larger than the truth, never smaller.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from policyc.analysis.classes import NameClasses, NumberClasses, spans_of
from policyc.analysis.diagrams import ALL, EMPTY
from policyc.analysis.literals import ORIGINALS
from policyc.analysis.space import Column, Space
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.effect import Assign, Effect, Mutate, Shift, Track
from policyc.netfilter.fields import Domain, Field

TYPES: dict[Field, tuple[Field, ...]] = {
    fields.SRC: (fields.SRC_TYPE, fields.SRC_TYPE_IN, fields.SRC_TYPE_OUT),
    fields.DST: (fields.DST_TYPE, fields.DST_TYPE_IN, fields.DST_TYPE_OUT),
}
"""The kinds of address that hang on an address."""


@dataclass(frozen=True, slots=True)
class Substitution:
    """What has become of fields: `fixed` variables have a value of their own, `free` groups of them any within a set.

    All other variables are as they were when the packet entered.
    """

    fixed: frozenset[tuple[int, int]] = frozenset()
    free: frozenset[tuple[frozenset[int], int]] = frozenset()

    def without(self, levels: frozenset[int]) -> Substitution:
        """Return the substitution with these variables as they were at entry; a group goes with any of its variables."""
        if not self.fixed and not self.free:
            return self
        return Substitution(
            frozenset(item for item in self.fixed if item[0] not in levels),
            frozenset(group for group in self.free if group[0].isdisjoint(levels)),
        )

    def fixing(self, values: Iterable[tuple[int, int]]) -> Substitution:
        """Return the substitution with variables that have these values now."""
        new = frozenset(values)
        rest = self.without(frozenset(level for level, _ in new))
        return Substitution(rest.fixed | new, rest.free)

    def freeing(self, levels: frozenset[int], within: int = ALL) -> Substitution:
        """Return the substitution with variables that may have any values within a set."""
        if not levels:
            return self
        rest = self.without(levels)
        return Substitution(rest.fixed, rest.free | {(levels, within)})

    def touches(self, levels: frozenset[int]) -> bool:
        """Whether one of these variables is not what it was at entry."""
        return any(level in levels for level, _ in self.fixed) or not all(
            levels.isdisjoint(each) for each, _ in self.free
        )

    def value(self, level: int) -> int | None:
        """Return the value of a fixed variable, None for any other."""
        return next((value for each, value in self.fixed if each == level), None)


_MOST_PARTS = 16
"""Pieces that one mark may be cut into for the bits that nobody knows; the bits that are left are then any."""


class Piece(NamedTuple):
    """Packets that entered as `region` says and are now as `now` says."""

    region: int
    now: Substitution


class Rewriting:
    """Substitutions in one space. `kinds` says which kinds an address may have: a set over addresses and their types."""

    __slots__ = ("_known", "_originals", "_pulled", "kinds", "space")

    def __init__(self, space: Space, kinds: int = ALL) -> None:
        self.space = space
        self.kinds = kinds
        self._pulled: dict[tuple[Substitution, int], int] = {}
        self._known: dict[int, int] = {}
        self._originals = [
            (space.columns[original], space.columns[now], now)
            for original, now in ORIGINALS.items()
            if original in space.columns and now in space.columns
        ]

    # ------------------------------------------------------------------ tests
    def possible(self, now: Substitution, edge: int) -> int:
        """Return which packets, as they entered, may be in a set as they are now."""
        if edge in {ALL, EMPTY}:
            return edge
        key = now, edge
        found = self._pulled.get(key)
        if found is None:
            diagrams = self.space.diagrams
            found = diagrams.with_values(edge, dict(now.fixed))
            for levels, within in now.free:
                found = diagrams.project(diagrams.both(found, within), levels)
            found = self._pulled[key] = self._of_originals(found)
        return found

    def _of_originals(self, edge: int) -> int:
        """Return a set with questions about the connection's first packet asked of the packet as it entered."""
        if not self._originals:
            return edge
        found = self._known.get(edge)
        if found is None:
            diagrams = self.space.diagrams
            tested = diagrams.support((edge,))
            found = edge
            for original, now, field in self._originals:
                if not tested.isdisjoint(original.levels):
                    found = self._exchanged(found, original, now, field)
            self._known[edge] = found
        return found

    def _exchanged(self, edge: int, original: Column, now: Column, field: Field) -> int:
        diagrams, classes = self.space.diagrams, original.classes
        assert isinstance(classes, NumberClasses)
        assert isinstance(now.classes, NumberClasses)
        parts = []
        for place in range(len(classes)):
            values = IntervalSet.of(classes.values(place))
            same = diagrams.with_values(edge, dict(_codes(original.levels, place)))
            parts.append(diagrams.both(same, self.space.values(field, values)))
        return diagrams.any_of(parts)

    # ------------------------------------------------------------------ rewrites
    def becoming(self, now: Substitution, field: Field, values: IntervalSet | NameSet) -> Substitution:
        """Return the substitution after a field got one of these values; what is derived from it is derived again."""
        known = field in self.space.columns
        return self._derived(
            self.holding(now, field, values), field, self.space.values(field, values) if known else ALL
        )

    def holding(self, now: Substitution, field: Field, values: IntervalSet | NameSet) -> Substitution:
        """Return the substitution after it is known, or written down, that a field has one of these values."""
        column = self.space.columns.get(field)
        if column is None:
            return now
        place = _only_class(column, values)
        if place is None:
            return now.freeing(column.all_levels, self.space.values(field, values))
        return now.fixing(_codes(column.levels, place))

    def lacking(self, now: Substitution, *missing: Field) -> Substitution:
        """Return the substitution after the packet lost these fields."""
        for field in missing:
            column = self.space.columns.get(field)
            if column is None:
                continue
            if column.exists is not None:
                now = now.fixing(((column.exists, 0),))
            elif isinstance(column.classes, NameClasses):
                now = now.fixing(_codes(column.levels, column.classes.place(None)))
        return now

    def freed(self, now: Substitution, *changing: Field) -> Substitution:
        """Return the substitution after these fields got values that nobody here knows."""
        for field in changing:
            if (column := self.space.columns.get(field)) is not None:
                singly = column.all_levels if column.bits else ()
                for group in [frozenset((level,)) for level in sorted(singly)] or [column.all_levels]:
                    now = now.freeing(group)
            now = self._derived(now, field, ALL)
        return now

    def _derived(self, now: Substitution, field: Field, within: int) -> Substitution:
        """Make anew what hangs on a field: the kinds of an address, the conditions that read it."""
        space = self.space
        kinds = TYPES.get(field, ())
        if kinds and kinds[0] in space.columns:
            levels = space.columns[kinds[0]].all_levels
            others = space.diagrams.support((self.kinds, within)) - levels
            known = space.diagrams.project(space.diagrams.both(self.kinds, within), frozenset(others))
            now = now.freeing(levels, known)
        for kind in kinds[1:]:
            if kind in space.columns:
                now = now.freeing(space.columns[kind].all_levels)
        own = frozenset(
            level for each in (field, *kinds) if each in space.columns for level in space.columns[each].all_levels
        )
        for level in space.levels(field, *kinds) - own:
            now = now.freeing(frozenset((level,)))
        return now

    # ------------------------------------------------------------------ effects
    def changed(self, piece: Piece, effects: tuple[Effect, ...]) -> list[Piece]:
        """Return what a piece becomes by what a rule does beside its verdict."""
        pieces = [piece]
        for effect in effects:
            if isinstance(effect, Assign):
                pieces = [new for each in pieces for new in self._assigned(each, effect)]
            elif isinstance(effect, Track) and not effect.entry:
                pieces = [new for each in pieces for new in self._untracked(each)]
            elif isinstance(effect, Shift):
                pieces = [Piece(each.region, self.freed(each.now, fields.TTL)) for each in pieces]
            elif isinstance(effect, Mutate):
                pieces = [Piece(each.region, self.freed(each.now, *effect.fields)) for each in pieces]
        return pieces

    def split(self, piece: Piece, edge: int) -> tuple[Piece, Piece]:
        """Return the part of a piece that may be in a set as it is now, and the part that may be outside."""
        both = self.space.diagrams.both
        inside, outside = self.possible(piece.now, edge), self.possible(piece.now, edge ^ 1)
        return Piece(both(piece.region, inside), piece.now), Piece(both(piece.region, outside), piece.now)

    def _untracked(self, piece: Piece) -> list[Piece]:
        """Exempt from tracking what has no entry yet."""
        none = self.space.name(fields.CT_STATE, "none")
        unseen, entered = self.split(piece, none)
        exempted = Piece(unseen.region, self.holding(unseen.now, fields.CT_STATE, NameSet.of("UNTRACKED")))
        return [each for each in (exempted, entered) if each.region != EMPTY]

    def _assigned(self, piece: Piece, effect: Assign) -> list[Piece]:
        """Carry out `field = (field & ~mask) ^ value`; a connection's marks exist where it has an entry."""
        column = self.space.columns.get(effect.field)
        if column is None:
            return [piece]
        others: list[Piece] = []
        if fields.CT_MARK in {effect.field, effect.source} or effect.field is fields.CT_LABEL:
            piece, without = self.split(piece, self.space.name(fields.CT_STATE, "NEW", "ESTABLISHED", "RELATED"))
            others = [without]
        if effect.field.domain is not Domain.BITS:
            pieces = [Piece(piece.region, self.freed(piece.now, effect.field))]
        else:
            pieces = self._written(piece, column, effect)
        return [each for each in (*pieces, *others) if each.region != EMPTY]

    def _written(self, piece: Piece, column: Column, effect: Assign) -> list[Piece]:
        sources = self.space.columns[effect.source].bits if effect.source in self.space.columns else {}
        pieces = [(piece, piece.now)]  # the second is what values are read from: a mark may be shifted onto itself
        for bit, level in column.bits.items():
            masked = bool(effect.mask >> bit & 1)
            place = bit - effect.shift
            if effect.source is not None:
                copied = place >= 0 and effect.source_mask >> place & 1 and place in sources
                asked = [sources[place]] if copied else []
                flips = False
            else:
                asked, flips = [], bool(effect.value >> bit & 1)
            if not masked:
                asked.append(level)
            if asked == [level] and not flips:
                continue  # the bit stays as it is
            done = []
            for one, before in pieces:
                if len(pieces) > _MOST_PARTS and any(before.value(each) is None for each in asked):
                    done.append((Piece(one.region, one.now.freeing(frozenset((level,)))), before))
                    continue
                for part, values in self._by_values(one, before, asked):
                    done.append((Piece(part.region, part.now.fixing(((level, sum(values) + flips & 1),))), before))
            pieces = done
        return [each for each, _ in pieces]

    def _by_values(self, piece: Piece, before: Substitution, asked: list[int]) -> list[tuple[Piece, list[int]]]:
        """Return a piece cut by the values that bits had before."""
        found = [(piece, list[int]())]
        for level in asked:
            parts = []
            for each, values in found:
                known = before.value(level)
                for value in (0, 1) if known is None else (known,):
                    region = each.region
                    if known is None:
                        variable = self.space.diagrams.variable(level) ^ (value ^ 1)
                        region = self.space.diagrams.both(region, self.possible(before, variable))
                    if region != EMPTY:
                        parts.append((Piece(region, each.now), [*values, value]))
            found = parts
        return found


def _only_class(column: Column, values: IntervalSet | NameSet) -> int | None:
    """Return the class of a column that is the whole of a set, None where there are several or it is not coded so."""
    if not column.levels or column.exists is not None:
        return None
    assert column.classes is not None
    spans = spans_of(column.classes, values)
    return spans[0][0] if len(spans) == 1 and spans[0][0] == spans[0][1] else None


def _codes(levels: tuple[int, ...], place: int) -> list[tuple[int, int]]:
    """Return the values of the variables that code a class, the highest bit first."""
    return [(level, place >> shift & 1) for shift, level in enumerate(reversed(levels))]


def joined(space: Space, pieces: Iterable[Piece]) -> list[Piece]:
    """Return pieces with those of the same substitution made one, in the order in which substitutions first come."""
    found: dict[Substitution, int] = {}
    for piece in pieces:
        if piece.region != EMPTY:
            found[piece.now] = space.diagrams.either(found.get(piece.now, EMPTY), piece.region)
    return [Piece(region, now) for now, region in found.items()]
