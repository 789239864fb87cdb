"""Long runs of rules: which of them earlier ones of the run cover, found on bitmaps of rules. Part of `policyc.analysis`.

A rule is a box: for each field a set of values, its *literal*. A value of a literal is *free* where no other literal that has
it leaves a part of this one out: the rules with that value are then just those whose literal contains this one, the fewest
that any value has. Where every field of a rule has a free value, the rule is covered if and only if one earlier rule contains
it; only fields that narrower literals tile between them have to be searched. Conditions that are no set of values of a field
count as fields of their own with two values, so that what is called covered is, while a cover that hangs on what two such
conditions have to do with each other is not found.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from policyc.analysis.classes import ClassSpan, spans_of
from policyc.analysis.diagrams import OverBudgetError
from policyc.analysis.rules import JUMP, FamilyRules
from policyc.analysis.space import MANY_VALUED, Space
from policyc.netfilter.fields import Domain, Field
from policyc.netfilter.predicate import All, Always, In, May, Never, Not, Predicate, nodes
from policyc.netfilter.rule import Rule

Key = Hashable
Literal = tuple[ClassSpan, ...]
Box = dict[Key, Literal]
MOST_LISTED = 8
MOST_STEPS = 20_000_000  # of the sweeps and searches of one run


def box_of(space: Space, test: Predicate) -> Box | None:
    """Return a test as a box, {} where it always holds; None where it is no box. What may hold is taken to hold."""
    box: Box = {}
    for atom in test.parts if isinstance(test, All) else (test,):
        if isinstance(atom, Always | May):
            continue
        pair = _pair(space, atom)
        if pair is None:
            return None
        key, literal = pair
        box[key] = literal if key not in box else _meet(box[key], literal)
    return box


def _pair(space: Space, atom: Predicate) -> tuple[Key, Literal] | None:
    negated = isinstance(atom, Not)
    inner = atom.part if isinstance(atom, Not) else atom
    if isinstance(inner, Never) or any(isinstance(node, May) for node in nodes(inner)):
        return None
    if isinstance(inner, In) and inner.field.domain is not Domain.BITS and inner.field not in MANY_VALUED:
        column = space.columns[inner.field]
        if column.levels or not column.bits:
            assert column.classes is not None
            literal = _merged(spans_of(column.classes, inner.values))
            return inner.field, _complement(literal, _last(space, inner.field)) if negated else literal
    return inner, ((0, 0),) if negated else ((1, 1),)


def _last(space: Space, key: Key) -> int:
    """Return the last class of a key; a field that a packet may lack has one more."""
    if not isinstance(key, Field):
        return 1
    column = space.columns[key]
    assert column.classes is not None
    return len(column.classes) - (column.exists is None)


def _merged(spans: Sequence[ClassSpan]) -> Literal:
    found: list[ClassSpan] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(high, found[-1][1])
        else:
            found.append((low, high))
    return tuple(found)


def _complement(literal: Literal, last: int) -> Literal:
    found, start = [], 0
    for low, high in literal:
        if low > start:
            found.append((start, low - 1))
        start = high + 1
    if start <= last:
        found.append((start, last))
    return tuple(found)


def _meet(one: Literal, other: Literal) -> Literal:
    return _merged([(max(a, c), min(b, d)) for a, b in one for c, d in other if max(a, c) <= min(b, d)])


def _contains(outer: Literal, inner: Literal) -> bool:
    return all(any(low >= a and high <= b for a, b in outer) for low, high in inner)


@dataclass(slots=True)
class _Axis:
    """One field of a run: its literals by number, 0 being all values, and for each the sets of literals to look at.

    `choices` of a literal holds, for its free value, the literals that have it; without one, the smallest sets of literals
    that some value of it has. The earlier rules that take packets and have a literal are a list in `few`, or a
    bitmap in `many`.
    """

    literals: list[Literal]
    numbers: dict[Literal, int] = field(default_factory=dict)
    choices: list[tuple[tuple[int, ...], ...]] = field(default_factory=list)
    few: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    many: dict[int, int] = field(default_factory=dict)

    def number(self, literal: Literal) -> int:
        found = self.numbers.get(literal)
        if found is None:
            found = self.numbers[literal] = len(self.literals)
            self.literals.append(literal)
        return found

    def bitmap(self, having: tuple[int, ...]) -> int:
        """Return the earlier rules with one of these literals."""
        found = 0
        for number in having:
            if number in self.many:
                found |= self.many[number]
            elif number in self.few:
                for place in self.few[number]:
                    found |= 1 << place
        return found

    def add(self, number: int, place: int) -> None:
        """Note a rule with a literal; a bitmap is as long as its last rule's place, so that short lists are kept as lists."""
        if number in self.many:
            self.many[number] |= 1 << place
            return
        places = self.few[number]
        places.append(place)
        if len(places) > MOST_LISTED:
            self.many[number] = self.bitmap((number,))
            del self.few[number]


class FlatRun:
    """The rules of one chain. `covered` holds, by place, the earlier rules that take all packets of a covered one."""

    __slots__ = ("_axes", "_boxes", "_steps", "_takers", "_taking", "covered")

    def __init__(self, rules: FamilyRules, run: Sequence[Rule]) -> None:
        self._steps = self._takers = 0
        self._axes: dict[Key, _Axis] = {}
        self._boxes: list[dict[Key, int] | None] = []
        self._taking: list[bool] = []
        self.covered: dict[int, tuple[int, ...]] = {}
        self._read(rules, run)
        for axis in self._axes.values():
            self._sweep(axis)
        for place, box in enumerate(self._boxes):
            if box is None:
                continue
            if found := self._search(box):
                self.covered[place] = found
            elif self._taking[place]:
                self._takers |= 1 << place
                for key, axis in self._axes.items():
                    axis.add(box.get(key, 0), place)

    def _read(self, rules: FamilyRules, run: Sequence[Rule]) -> None:
        """Turn rules into boxes, the literals of each field by number."""
        known: dict[int, tuple[Box | None, bool]] = {}
        for rule in run:
            box: Box | None = {}
            certain = True
            for meaning in rules.meanings.of(rule):
                found = known.get(id(meaning))
                if found is None:
                    is_certain = not any(isinstance(node, May) for node in nodes(meaning.test))
                    found = known[id(meaning)] = box_of(rules.space, meaning.test), is_certain
                part, is_certain = found
                certain = certain and is_certain
                if part is None or box is None:
                    box = None
                elif part:
                    for name, literal in part.items():
                        box[name] = literal if name not in box else _meet(box[name], literal)
            outline = rules.outline(rule)
            self._taking.append(certain and outline.leaves and outline.way != JUMP and outline.is_decided)
            self._boxes.append(self._numbered(rules.space, box) if box is not None and all(box.values()) else None)

    def _numbered(self, space: Space, box: Box) -> dict[Key, int]:
        found = {}
        for name, literal in box.items():
            axis = self._axes.get(name)
            if axis is None:
                whole = ((0, _last(space, name)),)
                axis = self._axes[name] = _Axis([whole], {whole: 0})
            found[name] = axis.number(literal)
        return found

    def _count(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MOST_STEPS:
            raise OverBudgetError

    def __len__(self) -> int:
        return len(self._boxes)

    def box(self, place: int) -> Mapping[Key, int] | None:
        """Return the literals of a rule by field, None where it is no box."""
        return self._boxes[place]

    # ------------------------------------------------------------------ free values
    def _sweep(self, axis: _Axis) -> None:
        """Go through the values of a field and find a free one for each literal that has one."""
        starts: defaultdict[int, list[int]] = defaultdict(list)
        ends: defaultdict[int, list[int]] = defaultdict(list)
        sizes = []
        for number, literal in enumerate(axis.literals):
            sizes.append(sum(high - low + 1 for low, high in literal))
            for low, high in literal:
                starts[low].append(number)
                ends[high + 1].append(number)
        free: dict[int, tuple[int, ...]] = {}
        values: list[int] = []
        having: list[tuple[int, ...]] = []
        active: set[int] = set()
        for value in sorted({*starts, *ends}):
            active.difference_update(ends[value])
            active.update(starts[value])
            if not active:
                continue
            self._count(len(active))
            own = tuple(active)
            values.append(value)
            having.append(own)
            least = min(own, key=sizes.__getitem__)
            if least not in free and all(_contains(axis.literals[other], axis.literals[least]) for other in own):
                free[least] = own
        known: dict[int, frozenset[int]] = {}
        for number, literal in enumerate(axis.literals):
            if number in free:
                axis.choices.append((free[number],))
                continue
            runs = (range(bisect_left(values, low), bisect_right(values, high)) for low, high in literal)
            places = sorted((place for run in runs for place in run), key=lambda place: len(having[place]))
            axis.choices.append(tuple(having[place] for place in self._smallest(places, having, known)))

    def _smallest(
        self, places: list[int], having: list[tuple[int, ...]], known: dict[int, frozenset[int]]
    ) -> list[int]:
        """Return the places, given with the smallest sets first, whose sets contain none of another place."""
        kept: list[int] = []
        for place in places:
            if place not in known:
                known[place] = frozenset(having[place])
            self._count(len(kept) + 1)
            if not any(known[other] <= known[place] for other in kept):
                kept.append(place)
        return kept

    # ------------------------------------------------------------------ covers
    def _search(self, box: dict[Key, int]) -> tuple[int, ...]:
        """Return earlier rules that together take every packet of a box, () where they leave some."""
        left = self._takers
        if not left:
            return ()
        tiled: list[tuple[_Axis, tuple[tuple[int, ...], ...]]] = []
        for key, axis in self._axes.items():
            choices = axis.choices[box.get(key, 0)]
            if len(choices) == 1:
                left &= axis.bitmap(choices[0])
            else:
                tiled.append((axis, choices))
            if not left:
                return ()
        tiled.sort(key=lambda each: len(each[1]))
        cover: list[int] = []
        return tuple(sorted(cover)) if self._follow(tiled, 0, left, cover) else ()

    def _follow(
        self, tiled: list[tuple[_Axis, tuple[tuple[int, ...], ...]]], depth: int, left: int, cover: list[int]
    ) -> bool:
        """Try every choice of values; note a rule for each that none noted before takes."""
        if depth == len(tiled):
            if not any(left >> place & 1 for place in cover):
                cover.append((left & -left).bit_length() - 1)
            return True
        axis, choices = tiled[depth]
        self._count(len(choices))
        for having in choices:
            rest = left & axis.bitmap(having)
            if not rest or not self._follow(tiled, depth + 1, rest, cover):
                return False
        return True
