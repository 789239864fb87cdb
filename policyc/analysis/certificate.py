"""A second opinion: a dead rule is proved dead again, by walking with boxes of packets. Part of `policyc.analysis`.

Nothing here knows diagrams, classes or summaries: a box holds a range of values for each field, and is cut in two where a
test holds for a part of it only. Slow where many rules meet, and independent of how the answer was found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from policyc.analysis.classes import NameClasses
from policyc.analysis.literals import width_of
from policyc.analysis.meanings import Meanings
from policyc.analysis.space import MANY_VALUED, MAY_LACK
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter.effect import Effect, Note, Reject, Rewrite, Verdict
from policyc.netfilter.fields import Domain, Field
from policyc.netfilter.predicate import All, Always, Any, Ask, Bits, In, May, Never, Not, Opaque, Predicate, nodes
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Table

Place = tuple[str, int]
"""A chain and the place of a rule in it, from 0."""
Key = Field | str
Value = IntervalSet | AbstractSet[str | None] | tuple[int, int] | bool
"""What a box knows of a field: numbers; names; bits as (known, value); of a condition, whether it holds."""
Box = Mapping[Key, Value]


class UnprovedError(Exception):
    """The proof needs more boxes than it may have, or the rules change packets on the way."""


@dataclass(slots=True)
class Checker:
    """Proofs about the rules of one table. `most` is how often one proof may look at a rule with a box."""

    table: Table
    meanings: Meanings
    most: int = 100_000
    _names: dict[Field, frozenset[str | None]] = field(default_factory=dict)
    _tests: dict[int, Predicate] = field(default_factory=dict)
    _splits: dict[tuple[NameSet | IntervalSet, Value], tuple[Value, Value]] = field(default_factory=dict)

    def is_dead(self, base: str, target: Place, given: Predicate, takers: Collection[Place] | None = None) -> bool:
        """Whether no packet that enters at a base chain and meets `given` matches a rule.

        With `takers`, only these rules take packets; every other verdict is passed over. Raises UnprovedError.
        """
        return _Proof(self, base, target, takers).holds(given)

    def test(self, rule: Rule) -> Predicate:
        """Return what a packet must be to match a rule of the table."""
        found = self._tests.get(id(rule))
        if found is None:
            found = self._tests[id(rule)] = self.meanings.tests(rule)
        return found

    @property
    def names(self) -> Mapping[Field, frozenset[str | None]]:
        """A name for each class of names that the table tells apart."""
        if not self._names:
            members: dict[Field, set[str]] = {}
            prefixes: dict[Field, set[str]] = {}
            for chain in self.table.chains:
                for node in (node for rule in chain.rules for node in nodes(self.test(rule))):
                    if isinstance(node, In) and isinstance(node.values, NameSet):
                        members.setdefault(node.field, set()).update(node.values.members)
                        prefixes.setdefault(node.field, set()).update(node.values.prefixes)
            for each, found in members.items():
                self._names[each] = frozenset(NameClasses.of(found, prefixes[each]).names)
        return self._names


class _Proof:
    """One question to the checker."""

    def __init__(self, checker: Checker, base: str, target: Place, takers: Collection[Place] | None) -> None:
        self.table = checker.table
        self.checker = checker
        self.base = base
        self.target = target
        self.takers = takers
        self.left = checker.most

    def holds(self, given: Predicate) -> bool:
        rule = self._rules(self.target[0])[self.target[1]]
        wanted = All((given, self.checker.test(rule)))
        return all(self._walk(box, [(self.base, 0)]) for box in self._within(wanted, {}))

    def _rules(self, chain: str) -> tuple[Rule, ...]:
        return (self.table.chain(chain) or Chain(chain)).rules

    def _within(self, wanted: Predicate, box: Box) -> Iterator[Box]:
        """Yield the parts of a box where a predicate may hold."""
        waiting = [box]
        while waiting:
            part = waiting.pop()
            self._count()
            verdict = self._value(wanted, part)
            if verdict is None:
                waiting += self._cut(wanted, part)
            elif verdict:
                yield part

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise UnprovedError

    # ------------------------------------------------------------------ the walk
    def _walk(self, box: Box, stack: list[Place]) -> bool:
        """Walk on with a box from the top of the stack; return whether it never comes to the target."""
        stack = list(stack)
        while stack:
            chain, place = stack.pop()
            rules = self._rules(chain)
            if place >= len(rules):
                continue
            if (chain, place) == self.target:
                return False  # the box was made of packets that match it
            wanted = self.checker.test(rules[place])
            self._count()
            verdict = self._value(wanted, box)
            if verdict is None:
                return all(self._walk(part, [*stack, (chain, place)]) for part in self._cut(wanted, box))
            if verdict == "may":
                if not self._walk(box, [*stack, (chain, place + 1)]):
                    return False
                verdict = True
            if not verdict:
                stack.append((chain, place + 1))
            elif not self._matched(chain, place, rules[place], stack):
                return True
        return True

    def _matched(self, chain: str, place: int, rule: Rule, stack: list[Place]) -> bool:
        """Carry on behind a rule that matches; return False where the packet ends there."""
        for effect in self.checker.meanings.effects(rule):
            if isinstance(effect, Verdict):
                if effect.kind == "jump":
                    stack += ((chain, place + 1), (effect.chain, 0))
                elif effect.kind == "goto":
                    stack.append((effect.chain, 0))
                elif effect.kind != "return":
                    return self._ended(chain, place, stack)
                return True
            if isinstance(effect, Reject):
                return self._ended(chain, place, stack)
            if not _is_idle(effect):
                raise UnprovedError
        stack.append((chain, place + 1))
        return True

    def _ended(self, chain: str, place: int, stack: list[Place]) -> bool:
        if self.takers is not None and (chain, place) not in self.takers:
            stack.append((chain, place + 1))
            return True
        return False

    # ------------------------------------------------------------------ boxes
    def _value(self, test: Predicate, box: Box) -> bool | str | None:
        """Return whether a test holds for all packets of a box: None where for some, `may` where nobody knows."""
        if isinstance(test, Always | Never):
            return isinstance(test, Always)
        if isinstance(test, May):
            return "may"
        if isinstance(test, Not):
            inner = self._value(test.part, box)
            return inner if inner is None or inner == "may" else not inner
        if isinstance(test, All | Any):
            deciding = isinstance(test, Any)
            found: bool | str | None = not deciding
            for part in test.parts:
                each = self._value(part, box)
                if each is deciding:
                    return deciding
                if each is None or (each == "may" and found is not None):
                    found = each
            return found
        return self._of_atom(test, box)

    def _of_atom(self, test: In | Bits | Opaque | Ask, box: Box) -> bool | None:
        key = _key(test)
        if isinstance(key, str):
            known = box.get(key)
            return known if isinstance(known, bool) else None
        if isinstance(test, Bits):
            mask, value = self._bits(key, box)
            if (value ^ test.value) & mask & test.mask:
                return False
            return True if test.mask & ~mask == 0 else None
        assert isinstance(test, In)
        inside, outside = self._parts(test, box)
        return None if inside and outside else bool(inside)

    def _parts(self, test: In, box: Box) -> tuple[Value, Value]:
        """Return the values of a field inside and outside of a set."""
        value = box.get(test.field)
        if value is None:
            value = self._whole(test)
        key = test.values, value
        known = self.checker._splits.get(key)  # noqa: SLF001 - proofs of one table ask the same again and again
        if known is None:
            known = self.checker._splits[key] = _split(test.values, value)  # noqa: SLF001
        return known

    def _whole(self, test: In) -> Value:
        if isinstance(test.values, NameSet):
            return self.checker.names.get(test.field, frozenset((None,)))
        return IntervalSet(((0, (1 << width_of(test.field, self.checker.meanings.family)) - 1),))

    def _bits(self, key: Field, box: Box) -> tuple[int, int]:
        known = box.get(key, (0, 0))
        assert isinstance(known, tuple)
        return known

    def _cut(self, test: Predicate, box: Box) -> list[Box]:
        """Return two halves of a box, cut where the first undecided part of a test holds and where it does not."""
        atom = next(
            node
            for node in nodes(test)
            if isinstance(node, In | Bits | Opaque | Ask) and self._of_atom(node, box) is None
        )
        key = _key(atom)
        if isinstance(key, str):
            return [{**box, key: True}, {**box, key: False}]
        if isinstance(atom, Bits):
            mask, value = self._bits(key, box)
            unknown = atom.mask & ~mask
            bit = unknown & -unknown
            return [{**box, key: (mask | bit, value | bit)}, {**box, key: (mask | bit, value & ~bit)}]
        assert isinstance(atom, In)
        inside, outside = self._parts(atom, box)
        return [{**box, key: inside}, {**box, key: outside}]


def _split(values: NameSet | IntervalSet, value: Value) -> tuple[Value, Value]:
    if isinstance(values, NameSet):
        assert isinstance(value, AbstractSet)
        inside = frozenset(name for name in value if name is not None and name in values)
        return inside, frozenset(value) - inside
    assert isinstance(value, IntervalSet)
    return value & values, value - values


def _key(test: In | Bits | Opaque | Ask) -> Key:
    """Return what a test reads: a field, or a condition by its text where ranges of the field do not say it."""
    if isinstance(test, In):
        return repr(test) if test.field in MANY_VALUED or test.field in MAY_LACK else test.field
    if isinstance(test, Bits):
        return test.field if test.field.domain is Domain.BITS and test.field not in MAY_LACK else repr(test)
    return test.key if isinstance(test, Opaque) else " ".join((test.kind, *test.subject))


def _is_idle(effect: Effect) -> bool:
    """Whether the effect leaves everything that later rules test; behind a translation there are none."""
    return isinstance(effect, Rewrite) or (isinstance(effect, Note) and effect.kind != "unknown")
