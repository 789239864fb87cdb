"""What rules make of packets of any state, down to bits that no rule tests. Part of `policyc.analysis`, used by `compared`.

Tested bits have variables. The others of a mark are followed by what was written to them: packets that entered as one and saw
the same writes in the same order have the same mark.
"""

from __future__ import annotations

from collections.abc import Hashable

from policyc.analysis.pieces import Piece, Rewriting, Substitution
from policyc.analysis.space import Space
from policyc.netfilter import fields
from policyc.netfilter.effect import Assign
from policyc.netfilter.fields import Field

# Variables beside those of the space; their values are numbers of histories.
_HISTORIES = {fields.MARK: -1, fields.CT_MARK: -2, fields.TOS: -3}

_Write = tuple[int, Assign, Hashable]
"""The number of what was written before, what is written now, and what its source was then."""


def history(now: Substitution, field: Field) -> int:
    """Return the number of what was written to a field, 0 where its untested bits are as they were."""
    level = _HISTORIES.get(field)
    return 0 if level is None else now.value(level) or 0


class StateRewriting(Rewriting):
    """Substitutions for packets of any state, whose connections began with other packets; `entries` are those with one."""

    __slots__ = ("_entries", "_numbers", "_writes")

    def __init__(self, space: Space, kinds: int, entries: int) -> None:
        super().__init__(space, kinds)
        self._originals = []
        self._entries = entries
        self._writes: list[_Write] = []
        self._numbers: dict[_Write, int] = {}

    def _assigned(self, piece: Piece, effect: Assign) -> list[Piece]:
        if effect.field not in _HISTORIES or not _bits(effect) & ~self._tested(effect.field):
            return super()._assigned(piece, effect)
        with_entry, without = piece, None
        if fields.CT_MARK in {effect.field, effect.source}:
            with_entry, without = self.split(piece, self._entries)
        number = self._number(with_entry.now, effect)
        written = super()._assigned(with_entry, effect)
        found = [Piece(one.region, one.now.fixing(((_HISTORIES[effect.field], number),))) for one in written]
        return found if without is None else [*found, without]

    def _number(self, before: Substitution, effect: Assign) -> int:
        """Return the number of a history with one more write; earlier ones are forgotten where it writes the same bits."""
        earlier = history(before, effect.field)
        while earlier and not _bits(self._writes[earlier - 1][1]) & ~effect.mask:
            earlier = self._writes[earlier - 1][0]
        source: Hashable = None
        if effect.source is not None:
            column = self.space.columns.get(effect.source)
            levels = frozenset[int]() if column is None else column.all_levels
            source = history(before, effect.source), frozenset(item for item in before.fixed if item[0] in levels)
        write = earlier, effect, source
        if write not in self._numbers:
            self._writes.append(write)
            self._numbers[write] = len(self._writes)
        return self._numbers[write]

    def _tested(self, field: Field) -> int:
        column = self.space.columns.get(field)
        return 0 if column is None else sum(1 << bit for bit in column.bits)


def _bits(effect: Assign) -> int:
    """Return the bits that an assignment may change."""
    if effect.source is None:
        return effect.mask | effect.value
    shifted = effect.source_mask << effect.shift if effect.shift >= 0 else effect.source_mask >> -effect.shift
    return effect.mask | shifted & ((1 << effect.field.bits) - 1)
