"""shadowed-rule, redundant-rule, contradicted-rule, duplicate-rule: one earlier rule of the chain takes all packets of a later.

Exact without packet sets: the earlier rule's tests are all among the later's, it decides, and no counter has a say. What
several rules take together is not asked here. A rule that changes marks, states or sets lets go of what tests these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from policyc.checks.changes import Change, Changes
from policyc.checks.conditions import Conditions
from policyc.checks.endings import Endings
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.netfilter.owners import owner_of
from policyc.netfilter.parts import Match, Target, Unknown
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Table

Key = int | tuple[int, ...]
Keys = tuple[int, ...]


class _Test(NamedTuple):
    """How a later rule's keys are looked up among the earlier rules of a shape."""

    seen: dict[Key, int]
    key: Callable[[Keys], Key]


@dataclass(slots=True)
class _Shape:
    """The rules that test the same kinds: those that decide by their keys, and where else to look for what takes them."""

    kinds: Keys
    seen: dict[Key, int] = field(default_factory=dict)
    tests: list[_Test] = field(default_factory=list)
    is_used: bool = False


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules that a single earlier rule of their chain leaves nothing to."""
    sets_change = _writes_sets(survey)
    for table in survey.tables:
        conditions = Conditions(survey.forms(table.family), sets_change=sets_change)
        changes = Changes.of(survey, table)
        for chain in table.chains:
            if len(chain.rules) > 1:
                yield from _Search(table, chain, survey.endings(table), conditions, changes).findings()


def _writes_sets(survey: Survey) -> bool:
    return any(
        isinstance(part, Target | Unknown) and part.name == "SET"
        for _, chain in survey.chains
        for part in survey.parts(chain).values()
    )


class _Search:
    """The walk down one chain."""

    def __init__(self, table: Table, chain: Chain, endings: Endings, conditions: Conditions, changes: Changes) -> None:
        self.table = table
        self.chain = chain
        self.endings = endings
        self.conditions = conditions
        self.changes = changes
        self.shapes: dict[Keys, _Shape] = {}
        self.orders: dict[Keys, tuple[Keys, Keys] | None] = {}

    def findings(self) -> Iterator[Diagnostic]:
        rules = self.chain.rules
        end = self.endings.last.get(self.chain.name, len(rules))
        foreign = bool(owner_of(self.chain.name))
        changing = self.changes.chains.get(self.chain.name, Change.ANYTHING)
        for index, rule in enumerate(rules[: end + 1]):
            kinds, keys, certain = self.tests(rule)
            shape = self.shapes.get(kinds)
            if shape is None:
                shape = self.shapes[kinds] = self.new_shape(kinds)
            taken = None
            for seen, key in shape.tests:
                found = seen.get(key(keys))
                if found is not None and (taken is None or found < taken):
                    taken = found
            if taken is not None:
                if not foreign and not rule.owner and not _acts_before_it_fails(rule, self.table.family):
                    yield self.finding(taken, index, self.is_equal(taken, kinds, keys))
            elif kinds and certain and self.endings.stops(rule):
                if not shape.is_used:
                    self.use(shape)
                shape.seen[_identity(keys)] = index
            if changing and (change := self.changes.by(rule)):
                self.forget(change)

    def tests(self, rule: Rule) -> tuple[Keys, Keys, bool]:
        """Return the rule's kinds in ascending order with their keys, and whether its answer is the same each time."""
        kinds: Keys = ()
        keys: Keys = ()
        certain = True
        seen = self.conditions.seen
        for part in rule.parts:
            try:
                own_kinds, own_keys, own_certain = seen[id(part)]
            except KeyError:
                own_kinds, own_keys, own_certain = self.conditions.tests(part)
            if own_kinds:
                kinds += own_kinds
                keys += own_keys
            if not own_certain:
                certain = False
        try:
            order = self.orders[kinds]
        except KeyError:
            order = self.orders[kinds] = _order(kinds)
        if order is None:
            pairs = sorted(self.numbered(sorted(set(zip(kinds, keys, strict=True)))))
            return tuple([kind for kind, _ in pairs]), tuple([key for _, key in pairs]), certain
        ordered, places = order
        return ordered, tuple([keys[place] for place in places]) if places else keys, certain

    def numbered(self, pairs: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Tell apart several tests of one kind in one rule."""
        before, count = -1, 0
        for kind, key in pairs:
            count = count + 1 if kind == before else 0
            before = kind
            yield (self.conditions.ordinal(kind, count) if count else kind), key

    def new_shape(self, kinds: Keys) -> _Shape:
        shape = _Shape(kinds)
        for other in self.shapes.values():
            if other.is_used and (test := self.test(other, shape)) is not None:
                shape.tests.append(test)
        return shape

    def use(self, shape: _Shape) -> None:
        """From now on rules of that shape may take packets of others."""
        shape.is_used = True
        for other in self.shapes.values():
            if (test := self.test(shape, other)) is not None:
                other.tests.append(test)

    def test(self, earlier: _Shape, later: _Shape) -> _Test | None:
        """Return how rules of a shape are found that take all packets of a later rule; None where none of them can."""
        known = self.conditions.kinds
        places: list[int] = []
        masks: list[int | None] = []
        for kind in earlier.kinds:
            if kind in later.kinds:
                places.append(later.kinds.index(kind))
                masks.append(None)
                continue
            what, mask = known[kind].what, known[kind].mask
            narrower = None if mask is None else next(
                (i for i, k in enumerate(later.kinds)
                 if known[k].what == what and (own := known[k].mask) is not None and own & mask == mask), None,
            )  # fmt: skip
            if narrower is None:
                return None
            places.append(narrower)
            masks.append(mask)
        return _Test(earlier.seen, _key(places, masks))

    def forget(self, change: Change) -> None:
        known = self.conditions.kinds
        for shape in self.shapes.values():
            if change is Change.ANYTHING or not all(known[kind].fixed for kind in shape.kinds):
                shape.seen.clear()

    def is_equal(self, taken: int, kinds: Keys, keys: Keys) -> bool:
        return self.tests(self.chain.rules[taken])[:2] == (kinds, keys)

    def finding(self, taken: int, index: int, equal: bool) -> Diagnostic:
        standing = Standing(self.table, self.chain, index + 1, self.chain.rules[index])
        earlier = Standing(self.table, self.chain, taken + 1, self.chain.rules[taken])
        same = _last_text(standing.rule) == _last_text(earlier.rule)
        if same:
            code = "duplicate-rule" if equal else "redundant-rule"
            does = "is the same" if equal else "does the same to all of its packets"
            message = f"the rule never applies: an earlier rule {does}"
            why, what = "the same rule" if equal else "does the same to more packets", "delete it"
        else:
            both = equal and standing.rule.target is not None and self.endings.stops(standing.rule)
            code = "contradicted-rule" if both else "shadowed-rule"
            tests = "tests the same and decides otherwise" if both else "takes all of its packets"
            message = f"the rule never applies: an earlier rule {tests}"
            why, what = "takes all of its packets", "put it above that rule, or delete it"
        return diagnose(code, message, standing.span, place=standing.place, related=(earlier.related(why),), help=what)


def _order(kinds: Keys) -> tuple[Keys, Keys] | None:
    """Return the kinds in ascending order and where each stands, no places where they stand so; None where one repeats."""
    places = tuple(sorted(range(len(kinds)), key=kinds.__getitem__))
    ordered = tuple([kinds[place] for place in places])
    if len(set(kinds)) < len(kinds):
        return None
    return ordered, () if ordered == kinds else places


def _identity(keys: Keys) -> Key:
    return keys[0] if len(keys) == 1 else keys


def _key(places: list[int], masks: list[int | None]) -> Callable[[Keys], Key]:
    """Return the function from a later rule's keys to the key under which a covering rule would be found."""
    if all(mask is None for mask in masks):
        return itemgetter(*places)
    pairs = [(place, -1 if mask is None else mask) for place, mask in zip(places, masks, strict=True)]
    if len(pairs) == 1:
        place, mask = pairs[0]
        return lambda keys: keys[place] & mask
    return lambda keys: tuple([keys[place] & mask for place, mask in pairs])


def _acts_before_it_fails(rule: Rule, family: int) -> bool:
    """Whether a match of the rule may do something although a later match of it fails, so that the rule is not idle."""
    return any(
        isinstance(part, Match) and part.extension.side_effects(part.options, rule.around(family))
        for part in rule.parts
    )


def _last_text(rule: Rule) -> str:
    target = rule.target
    return target.text if target is not None else ""
