"""One kernel line of an intent: what `notrack`, `synproxy`, `tproxy`, `netmap` and `clamp` write into a hook."""

from __future__ import annotations

from collections.abc import Sequence

from policyc.lowering.branches import Branches, Line
from policyc.lowering.conditions import Conditions
from policyc.lowering.draft import Draft
from policyc.lowering.pieces import Parts
from policyc.lowering.statement import Stated
from policyc.lowering.tests import Tests
from policyc.netfilter.hooks import Hook
from policyc.policy.values import Addresses, Service


class Writer:
    """Writes the kernel lines of one intent in one family."""

    __slots__ = ("draft", "family", "item", "note", "pieces")

    def __init__(self, draft: Draft, item: Stated, family: int) -> None:
        self.draft = draft
        self.item = item
        self.family = family
        self.pieces = draft.pieces[family]
        self.note = draft.note(item.id, item.name, family)

    def addresses(self, tests: Tests, source: Addresses | None, destination: Addresses | None) -> None:
        """Add what `from` and `to` say."""
        conditions = Conditions(self.draft, self.family)
        if source:
            conditions.address(tests, "-s", source, self.item.span)
        if destination:
            conditions.address(tests, "-d", destination, self.item.span)

    def write(
        self, table: str, hook: Hook, tests: Tests, actions: Sequence[Parts], services: Sequence[Service] = ()
    ) -> None:
        """Write a line into the chain that the hook enters; `services` are those of its tests."""
        item = self.item
        line = Line(item.id, item.span, tests, actions, self.note, services, once=len(actions) > 1)
        Branches(self.draft, self.family, table).write(line, self.draft.entry(self.family, table, hook))
