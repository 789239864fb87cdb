"""What may become of packets behind a table: whether a difference there is still one at the end. Part of `policyc.analysis`.

Never too little: of translations it is only known which fields they change.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.analysis.diagrams import EMPTY
from policyc.analysis.facts import HAS_ENTRY, is_state
from policyc.analysis.piece_tables import PieceTable
from policyc.analysis.pieces import Piece, Rewriting, joined
from policyc.analysis.rules import FamilyRules
from policyc.netfilter import fields
from policyc.netfilter.fields import Field
from policyc.netfilter.hooks import TABLES, VISITS, Hook
from policyc.netfilter.ruleset import Table

_STAGES = {hook: tuple(visit.stage for visit in VISITS if visit.hook is hook) for hook in Hook}
_DESTINATION, _SOURCE = (fields.DST, fields.DPORT), (fields.SRC, fields.SPORT)
_SIDES = {Hook.PREROUTING: _DESTINATION, Hook.OUTPUT: _DESTINATION, Hook.INPUT: _SOURCE, Hook.POSTROUTING: _SOURCE}
_NEXT = {
    Hook.PREROUTING: (Hook.INPUT, Hook.FORWARD),
    Hook.FORWARD: (Hook.POSTROUTING,),
    Hook.OUTPUT: (Hook.POSTROUTING,),
}
Rewritten = tuple[Field, ...]


class Onward:
    """The rest of the way in one ruleset's tables of a family."""

    __slots__ = ("_rewriting", "_rules", "_tables")

    def __init__(self, rules: FamilyRules, tables: Iterable[Table], rewriting: Rewriting) -> None:
        self._rules = rules
        self._rewriting = rewriting
        self._tables = {table.name: PieceTable(rules, table, rewriting) for table in tables if table.name in TABLES}

    def otherwise(self, hook: Hook, table: str, piece: Piece, answer: str) -> int:
        """Return the packets, as they came to the table, that may end otherwise behind it than dropped with this answer."""
        stages = _STAGES[hook]
        place = stages.index(table) + (table != "nat")  # a translation is carried out behind the table that decides it
        return self._otherwise(hook, stages[place:], [piece], answer)

    def _otherwise(self, hook: Hook, stages: tuple[str, ...], pieces: list[Piece], answer: str) -> int:
        space, found = self._rules.space, EMPTY
        either = space.diagrams.either
        for stage in stages:
            if stage == "conntrack":
                pieces = self._freed(pieces, self._rules.where(is_state("none")), (fields.CT_STATE,))
            elif stage == "nat":
                pieces = self._freed(pieces, self._rules.where(HAS_ENTRY), _SIDES[hook])
            elif stage in self._tables:
                ended = [one for piece in pieces for one in self._tables[stage].run(hook.value, piece)]
                for ending, piece in ended:
                    if not ending.passes and ending.answer != answer:
                        found = either(found, piece.region)
                pieces = joined(space, (piece for ending, piece in ended if ending.passes))
        if hook not in _NEXT:
            return either(found, space.diagrams.any_of(piece.region for piece in pieces))
        if hook is Hook.PREROUTING:  # what is routed has an interface to leave by, any
            pieces = [Piece(piece.region, self._rewriting.freed(piece.now, fields.OIF, fields.TTL)) for piece in pieces]
        for next_hook in _NEXT[hook]:
            found = either(found, self._otherwise(next_hook, _STAGES[next_hook], pieces, answer))
        return found

    def _freed(self, pieces: list[Piece], which: int, changing: Rewritten) -> list[Piece]:
        """Let some packets have any values of these fields now."""
        found: list[Piece] = []
        for piece in pieces:
            inside, outside = self._rewriting.split(piece, which)
            found += [outside, Piece(inside.region, self._rewriting.freed(inside.now, *changing))]
        return joined(self._rules.space, found)
