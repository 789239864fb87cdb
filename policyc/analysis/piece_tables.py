"""Pieces of packets in one table: where each of them ends. Part of `policyc.analysis`, between `pieces` and `opening`.

What a chain does with all packets is known from `chains` where it changes none and can be summed up; other chains are walked
rule by rule with the pieces that come.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.analysis.chains import LONG, TableSets
from policyc.analysis.diagrams import EMPTY
from policyc.analysis.pieces import Piece, Rewriting, joined
from policyc.analysis.rules import ACCEPT, DROP, GOTO, JUMP, QUEUE, RETURN, Ending, FamilyRules
from policyc.netfilter.ruleset import Table

Ended = tuple[Ending, Piece]


class PieceTable:
    """One table. `run` sends a piece in at a base chain."""

    __slots__ = ("_diagrams", "_rewriting", "_walked", "sets")

    def __init__(self, rules: FamilyRules, table: Table, rewriting: Rewriting) -> None:
        self.sets = TableSets(rules, table)
        self._rewriting = rewriting
        self._diagrams = rules.space.diagrams
        self._walked: dict[str, bool] = {}

    def encode(self) -> None:
        """Make the sets of all rules, so that every condition has its variable before anything is rewritten."""
        for chain in self.sets.order:
            self.sets.steps(chain)

    def run(self, base: str, piece: Piece) -> Iterator[Ended]:
        """Yield how a piece ends that enters a base chain; what falls out of it meets its policy."""
        declared = self.sets.table.chain(base)
        if declared is None:
            yield Ending(ACCEPT), piece
            return
        ended, returned = self._through(base, piece)
        yield from ended
        policy = Ending(DROP if declared.policy == "DROP" else ACCEPT)
        for each in joined(self.sets.rules.space, returned):
            yield policy, each

    def _through(self, chain: str, piece: Piece) -> tuple[list[Ended], list[Piece]]:
        """Return how a piece ends in a chain, and what comes back to its caller."""
        if self._is_walked(chain):
            return self._walk(chain, piece)
        summary, pull, both = self.sets.summary(chain), self._rewriting.possible, self._diagrams.both
        ended = [
            (ending, Piece(region, piece.now))
            for ending, found in summary.endings.items()
            if (region := both(piece.region, pull(piece.now, found))) != EMPTY
        ]
        back = both(piece.region, pull(piece.now, summary.returned))
        return ended, [] if back == EMPTY else [Piece(back, piece.now)]

    def _is_walked(self, chain: str) -> bool:
        """Whether a chain changes packets, or is too long to be summed up, or calls such a chain."""
        found = self._walked.get(chain)
        if found is None:
            found = self.sets.is_changing(chain) or len(self.sets.steps(chain)) > LONG
            calls = {jump.callee for jump in self.sets.graph.calls.get(chain, ())}
            found = found or any(self._is_walked(callee) for callee in sorted(calls))
            if not found:
                self.sets.summary(chain)
                found = chain in self.sets.flat
            self._walked[chain] = found
        return found

    def _walk(self, chain: str, piece: Piece) -> tuple[list[Ended], list[Piece]]:
        both, rewriting = self._diagrams.both, self._rewriting
        ended: list[Ended] = []
        back: list[Piece] = []
        left = [piece]
        for step in self.sets.steps(chain):
            rest: list[Piece] = []
            for each in left:
                hit = both(each.region, rewriting.possible(each.now, step.possible))
                if hit == EMPTY:
                    rest.append(each)
                    continue
                missed = both(each.region, rewriting.possible(each.now, step.certain ^ 1))
                if missed != EMPTY:
                    rest.append(Piece(missed, each.now))
                pieces = (
                    rewriting.changed(Piece(hit, each.now), step.changes) if step.changes else [Piece(hit, each.now)]
                )
                if step.way in {JUMP, GOTO}:
                    for moved in pieces:
                        more, returned = self._through(step.chain, moved)
                        ended += more
                        (rest if step.way == JUMP else back).extend(returned)
                elif step.way == RETURN:
                    back += pieces
                elif step.ending is not None:
                    ended += [(step.ending, moved) for moved in pieces]
                    if step.ending.kind == QUEUE and step.certain == EMPTY:
                        rest += pieces  # it may also come out as it went in
                else:
                    rest += pieces
            left = joined(self.sets.rules.space, rest)
            if not left:
                break
        return ended, [*back, *left]
