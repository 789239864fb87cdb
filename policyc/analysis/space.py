"""The space of packets of one family: which variables stand for which field, and sets of values as diagrams.

Part of `policyc.analysis`. The order of fields decides how large diagrams get; addresses come before ports, and what
correlates stands together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from policyc.analysis.classes import NameClasses, NumberClasses, spans_of
from policyc.analysis.diagrams import ALL, EMPTY, Diagrams, OverBudgetError
from policyc.analysis.literals import PARTNERS, Literals, under_holes, width_of
from policyc.frozen import frozen
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.fields import FIELDS, Domain, Field

MOST_VARIABLES = 600  # diagrams are as deep as there are variables, and operations go down by calls
# Every space has these, whatever its rules test.
BASIC = (fields.IIF, fields.OIF, fields.CT_STATE, fields.DST, fields.PROTO, fields.DPORT, fields.SRC, fields.SPORT)
_FIRST = (
    fields.IIF, fields.OIF, fields.CT_STATE, fields.DST_TYPE, fields.DST, fields.PROTO, fields.FRAG, fields.TCP_FLAGS,
    fields.ICMP, fields.DPORT, fields.SRC_TYPE, fields.SRC, fields.MAC_SRC, fields.SPORT,
)  # fmt: skip
ORDER = (*_FIRST, *(each for each in FIELDS if each not in _FIRST))

# Packets may have several values of these at once, or none.
MANY_VALUED = frozenset((fields.TCP_OPTION, fields.V6_HEADERS, fields.SCTP_CHUNKS, fields.CT_LABEL, fields.DCCP_OPTION))
_MARKS = (fields.MARK, fields.CT_MARK)
_TYPES = frozenset((
    fields.SRC_TYPE, fields.DST_TYPE, fields.SRC_TYPE_IN, fields.DST_TYPE_IN, fields.SRC_TYPE_OUT, fields.DST_TYPE_OUT,
))  # fmt: skip
# Numbers that a packet may not have although nothing else it has says so.
MAY_LACK = frozenset((
    fields.MAC_SRC, fields.UID, fields.GID, fields.CGROUP, fields.DEVGROUP_IN, fields.DEVGROUP_OUT, fields.SOCKET_MARK,
))  # fmt: skip
_CLOSED: Mapping[Field, tuple[str, ...]] = {
    fields.CT_STATE: ("ESTABLISHED", "INVALID", "NEW", "RELATED", "UNTRACKED", "none"),
    fields.CT_DIR: ("ORIGINAL", "REPLY"),
    fields.FRAG: ("first", "later", "whole"),
    fields.PKTTYPE: ("broadcast", "multicast", "otherhost", "unicast"),
}
ADDRESS_TYPES = (
    "ANYCAST", "BLACKHOLE", "BROADCAST", "LOCAL", "MULTICAST", "PROHIBIT", "THROW", "UNICAST", "UNREACHABLE", "UNSPEC",
)  # fmt: skip


@frozen
class Column:
    """The variables of a field: `levels` code the number of its class, the highest bit first.

    `exists` is the variable that says whether the packet has the field, None where the code does. `bits` are the levels of
    single bits by number. Of a many-valued field each class has a level that says whether one of its values is there.
    """

    classes: NumberClasses | NameClasses | None = None
    levels: tuple[int, ...] = ()
    exists: int | None = None
    bits: Mapping[int, int] = field(default_factory=dict)

    @property
    def all_levels(self) -> frozenset[int]:
        """Every variable of the field."""
        return frozenset((*self.levels, *self.bits.values(), *(() if self.exists is None else (self.exists,))))


class Space:
    """The columns of a family's fields. Sets of values are remembered; conditions get their variables when they come up."""

    __slots__ = ("_conditions", "_known", "_next", "columns", "diagrams", "family")

    def __init__(self, literals: Literals, diagrams: Diagrams) -> None:
        self.family = literals.family
        self.diagrams = diagrams
        self.columns: dict[Field, Column] = {}
        self._conditions: dict[str, tuple[int, tuple[Field, ...] | None]] = {}
        self._known: dict[tuple[Field, IntervalSet | NameSet], int] = {}
        self._next = 0
        tested = literals.fields | {*BASIC} | {each for each, bits in literals.bits.items() if bits}
        for each in ORDER:
            if each in tested and each not in self.columns:
                self.columns |= self._marks(literals) if each in _MARKS else {each: self._column(each, literals)}

    def _marks(self, literals: Literals) -> dict[Field, Column]:
        """Return the columns of both marks, bit by bit side by side: one is copied to the other."""
        bits: dict[Field, dict[int, int]] = {each: {} for each in _MARKS if literals.bits[each]}
        for bit in range(32):
            for each, levels in bits.items():
                if literals.bits[each] >> bit & 1:
                    levels[bit] = self._take(1)[0]
        return {each: Column(bits=levels) for each, levels in bits.items()}

    def _column(self, each: Field, literals: Literals) -> Column:
        exists = self._take(1)[0] if each in MAY_LACK else None
        if each.domain is Domain.BITS:
            bits = [bit for bit in range(each.bits) if literals.bits[each] >> bit & 1]
            return Column(bits=dict(zip(bits, self._take(len(bits)), strict=True)), exists=exists)
        key = PARTNERS.get(each, each)
        classes: NumberClasses | NameClasses
        if each.domain is Domain.INTERVALS:
            classes = NumberClasses.cut(literals.starts[key], (1 << width_of(each, self.family)) - 1)
        else:
            known = ADDRESS_TYPES if each in _TYPES else literals.closed.get(each) or _CLOSED.get(each)
            classes = NameClasses.of(known or literals.names[key], literals.prefixes[key], closed=known is not None)
        is_set = each in MANY_VALUED or (each in _TYPES and self.family == 6)
        count = len(classes) if is_set else (len(classes) - 1).bit_length()
        if is_set:
            return Column(classes, bits=dict(enumerate(self._take(count))))
        return Column(classes, self._take(count), exists)

    def _take(self, count: int) -> tuple[int, ...]:
        self._next += count
        if self._next > MOST_VARIABLES:
            raise OverBudgetError
        return tuple(range(self._next - count, self._next))

    # ------------------------------------------------------------------ sets
    def values(self, each: Field, values: IntervalSet | NameSet) -> int:
        """Return the packets whose field has a value in a set, whose ends must be among the literals."""
        key = each, values
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._values(each, values)
        return found

    def _values(self, each: Field, values: IntervalSet | NameSet) -> int:
        column = self.columns[each]
        assert column.classes is not None
        spans = spans_of(column.classes, values)
        if not column.levels and column.bits:
            members = (place for low, high in spans for place in range(low, high + 1))
            return self.diagrams.any_of(self.diagrams.variable(column.bits[place]) for place in members)
        return self._existing(column, self.diagrams.any_of(self._run(column, *span) for span in spans))

    def _existing(self, column: Column, found: int) -> int:
        return found if column.exists is None else self.diagrams.both(found, self.diagrams.variable(column.exists))

    def _run(self, column: Column, low: int, high: int) -> int:
        """Return the packets whose class is in a run of classes; codes that no class has belong to the last."""
        assert column.classes is not None
        found = ALL if low == 0 else self._at_least(column.levels, low)
        return (
            found
            if high + 1 >= len(column.classes)
            else self.diagrams.without(found, self._at_least(column.levels, high + 1))
        )

    def _at_least(self, levels: tuple[int, ...], number: int) -> int:
        found = ALL
        for place, level in enumerate(reversed(levels)):
            found = (
                self.diagrams.node(level, EMPTY, found)
                if number >> place & 1
                else self.diagrams.node(level, found, ALL)
            )
        return found

    def bits(self, each: Field, mask: int, value: int) -> int:
        """Return the packets with `field & mask == value`."""
        column = self.columns[each]
        if each.domain is not Domain.BITS:
            spans = under_holes(mask, value, width_of(each, self.family))
            return (
                self.condition(f"{each!r} & {mask:#x} == {value:#x}", (each,))
                if spans is None
                else self.values(each, spans)
            )
        found = ALL
        for bit, level in sorted(column.bits.items(), key=lambda item: -item[1]):
            if mask >> bit & 1:
                found = (
                    self.diagrams.node(level, EMPTY, found)
                    if value >> bit & 1
                    else self.diagrams.node(level, found, EMPTY)
                )
        return self._existing(column, found)

    def name(self, each: Field, *names: str) -> int:
        """Return the packets whose field has one of these names."""
        return self.values(each, NameSet.of(*names))

    def lacking(self, each: Field) -> int:
        """Return the packets that do not have the field."""
        column = self.columns[each]
        if column.exists is not None:
            return self.diagrams.variable(column.exists) ^ 1
        assert isinstance(column.classes, NameClasses)
        place = column.classes.place(None)
        return self._run(column, place, place)

    def condition(self, key: str, reads: tuple[Field, ...] | None) -> int:
        """Return the packets for which a condition holds that nobody here can evaluate; `reads` None: it reads all fields."""
        if key not in self._conditions:
            self._conditions[key] = self._take(1)[0], reads
        return self.diagrams.variable(self._conditions[key][0])

    # ------------------------------------------------------------------ variables
    def levels(self, *of: Field) -> frozenset[int]:
        """Return the variables of fields, and of the conditions that read one of them: what a rewrite of these makes new."""
        own = [level for each in of if each in self.columns for level in self.columns[each].all_levels]
        read = [level for level, reads in self._conditions.values() if reads is None or not set(reads).isdisjoint(of)]
        return frozenset((*own, *read))

    def release(self, edge: int, *of: Field) -> int:
        """Return the packets with any values of these fields."""
        return self.diagrams.project(edge, self.levels(*of))

    @property
    def all_conditions(self) -> Mapping[str, int]:
        """The variables of the conditions known so far."""
        return {key: level for key, (level, _) in self._conditions.items()}
