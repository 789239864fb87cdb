"""A line's tests and actions become kernel rules: in place where few rules say it, else through chains of its own.

A kernel rule is a conjunction with one target. A line whose packet may fit in several ways is written out, one rule for
each way. Where that would be too many rules, or would ask a rate or write a log line twice for one packet, the line gets a
chain `edge.ID`: its rules go to the next step with `-g`, so that the first way that fits is the only one, and what does not
fit falls back into the block.

The verb `return` leaves the block, which no called chain can do. There the block itself goes on in a second chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from policyc.frozen import frozen
from policyc.lowering.assembly import ConflictError, assembled, joined
from policyc.lowering.draft import ChainDraft, Draft
from policyc.lowering.pieces import Parts, Pieces
from policyc.lowering.services import protocol_tests
from policyc.lowering.tests import Tests
from policyc.netfilter.parts import Part, Target
from policyc.netfilter.rule import Rule
from policyc.policy.values import Service
from policyc.readers.building import rule_problems
from policyc.source import Span

FEW = 16
"""So many rules may stand in place of one line before it gets chains of its own."""


@dataclass(slots=True)
class Line:
    """One line of the policy in one family and chain.

    `actions` are carried out in their order by a packet that fits, each some tests and, last, a target. `services` are
    those of the tests, for targets that need a `-p`. `note` is the comment of all rules. `once`: a packet must come to the
    actions once, however many alternatives it fits. `leaves`: the verb is `return`, and the block has more lines. `stem`
    names the line's chains, else its id does.
    """

    id: str
    span: Span
    tests: Tests
    actions: Sequence[Parts]
    note: Parts = ()
    services: Sequence[Service] = ()
    once: bool = False
    leaves: bool = False
    stem: tuple[str, ...] = ()


@frozen
class Branches:
    """Writes lines into the chains of one table and family."""

    draft: Draft
    family: int
    table: str

    def write(self, line: Line, into: ChainDraft) -> ChainDraft:
        """Write a line at the end of a chain; return the chain in which the block goes on, nearly always the same."""
        tests, actions = line.tests, line.actions
        combinations = tests.combinations if tests.choices else 1
        if tests.excluded or (combinations > 1 and not self._fits_in_place(line, combinations)):
            return self._steps(line, into)
        if len(actions) > 1 and tests.last:
            chain = self._chain(line)
            actions = [(self._go(chain, line),)]
            self._finish(line, chain)
        for choice in product(*tests.choices):
            for action in actions:
                parts = tests.common.copy()
                for part in choice:
                    parts += part
                self._rule(line, into, [*parts, *tests.last, *action[:-1], *line.note, *action[-1:]])
        return into

    def _fits_in_place(self, line: Line, combinations: int) -> bool:
        if line.once or line.tests.last:
            return False
        if len(line.tests.choices) == 1 and len(line.actions) == 1:
            return True
        return combinations * len(line.actions) <= FEW

    def _steps(self, line: Line, into: ChainDraft) -> ChainDraft:
        tests = line.tests
        after = self.draft.chain(self.family, self.table, into.span, *into.stem) if line.leaves else into
        chain = self._chain(line)
        self._rule(line, into, [*tests.common, *line.note, self._go(chain, line)])
        self._miss(line, into, after)
        missed = self._pieces.jump(after.name, goto=True) if line.leaves else self._pieces.leave
        for one in tests.excluded:
            self._rule(line, chain, [*one, *line.note, missed])
        for alternatives in tests.choices:
            following = self._chain(line)
            for one in alternatives:
                self._rule(line, chain, [*one, *line.note, self._pieces.jump(following.name, goto=True)])
            self._miss(line, chain, after)
            chain = following
        if tests.last:
            # asked once, so that neither several actions nor several protocols make several counters of it
            known = self._protocols(line, [*tests.last, *line.actions[0]])
            if len(known) == len(line.actions) == 1:
                self._rule(line, chain, [*known[0], *tests.last, *line.note, *line.actions[0]])
                self._miss(line, chain, after)
                return after
            following = self._chain(line)
            known = self._protocols(line, tests.last)
            self._rule(line, chain, [*known[0], *tests.last, *line.note, self._pieces.jump(following.name, goto=True)])
            self._miss(line, chain, after)
            chain = following
        self._finish(line, chain)
        return after

    def _finish(self, line: Line, chain: ChainDraft) -> None:
        """Write the actions, behind `-p` where a target needs it."""
        for protocol in self._protocols(line, [part for action in line.actions for part in action]):
            for action in line.actions:
                self._rule(line, chain, [*protocol, *action[:-1], *line.note, *action[-1:]])

    def _protocols(self, line: Line, parts: Iterable[Part]) -> list[Parts]:
        """Return `-p` for each protocol of the line, where one of these parts stands in no rule without it."""
        if rule_problems(tuple(parts), self.family):
            return protocol_tests(self._pieces, line.services) or [()]
        return [()]

    def _miss(self, line: Line, chain: ChainDraft, after: ChainDraft) -> None:
        """Where the line is a `return`, send what does not fit on in the block; elsewhere it falls back by itself."""
        if line.leaves:
            self._rule(line, chain, [*line.note, self._pieces.jump(after.name, goto=True)])

    def _rule(self, line: Line, chain: ChainDraft, parts: list[Part]) -> None:
        if line.tests.text:
            parts = joined(self._pieces, parts)
        try:
            chain.rules.append(Rule(assembled(self._pieces, parts), line.span))
        except ConflictError as error:
            self.draft.report("misplaced-word", str(error), line.span, help="test it once, or write two rules")

    def _go(self, chain: ChainDraft, line: Line) -> Target:
        return self._pieces.jump(chain.name, goto=line.leaves)

    def _chain(self, line: Line) -> ChainDraft:
        return self.draft.chain(self.family, self.table, line.span, *(line.stem or (line.id,)))

    @property
    def _pieces(self) -> Pieces:
        return self.draft.pieces[self.family]
