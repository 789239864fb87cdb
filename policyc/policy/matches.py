"""The match words of a rule, resolved: one function for each, which returns None when it has reported why not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from policyc.frozen import frozen
from policyc.language import literals as v
from policyc.language import words as w
from policyc.policy.addresses import LIST_KINDS, Flat, item_of
from policyc.policy.defined import Limit, Log, Schedule, Schedules
from policyc.policy.definitions import Definitions, mark_of
from policyc.policy.findings import Findings
from policyc.policy.namespace import NOTHING, Parameter
from policyc.policy.values import ONE, Accounts, Addresses, Mark, Marks, Names

Scope = Mapping[str, Parameter]
ROOT = "root"
LAST_ID = 0xFFFFFFFE
"""The highest user or group id; the one above it says "nobody in particular" (user_namespaces(7), (uid_t) -1)."""


@cache
def _names(negated: bool, values: tuple[str, ...]) -> Names:
    return Names(negated, values)


@frozen
class Matches:
    """Resolves the values of match words and of the definitions that verbs and effects name."""

    definitions: Definitions
    findings: Findings

    def addresses(self, word: w.AddressMatch, scope: Scope) -> Addresses | None:
        """Resolve `from` and `to`."""
        value = word.values[0]
        if len(word.values) == 1 and not isinstance(value, v.Name):
            return Addresses(word.negated, (item_of(value),), (), ONE[value.family])
        flat = self.definitions.addresses.flatten(word.values, scope)
        return None if flat is None else Addresses(word.negated, flat.items, flat.sets, flat.families or None)

    def flat(self, value: v.AddressValue, scope: Scope, kinds: tuple[str, ...] = LIST_KINDS) -> Flat | None:
        """Resolve one value of a list."""
        return self.definitions.addresses.flatten((value,), scope, kinds)

    @staticmethod
    def interfaces(word: w.InterfaceMatch) -> Names:
        """Resolve `in` and `out`."""
        return _names(word.negated, tuple(interface.text for interface in word.values))

    @staticmethod
    def states(word: w.State) -> Names:
        """Resolve `state`."""
        return _names(word.negated, tuple(name.text for name in word.values))

    def accounts(self, word: w.OwnerMatch) -> Accounts | None:
        """Resolve `user` and `group`: numbers, and root; the kernel knows no other names."""
        found: list[tuple[int, int]] = []
        sound = True
        for value in word.values:
            match value:
                case v.Name(text) | v.String(text) if text == ROOT:
                    found.append((0, 0))
                case v.Name(text) | v.String(text):
                    message = f"`{text}` is a name of the host's user database, which is not read"
                    hint = f"write the number that `id {text}` prints"
                    self.findings.report("bad-literal", message, value.span, hint)
                    sound = False
                case v.Number(number):
                    found.append((number, number))
                case v.NumberRange(first, last):
                    found.append((first, last))
            if sound and found[-1][1] > LAST_ID:
                message = f"`{value.span.text}` is over {LAST_ID}, the last id"
                self.findings.report("bad-literal", message, value.span)
                sound = False
        return Accounts(word.negated, tuple(found)) if sound else None

    def marks(self, word: w.Marked, scope: Scope) -> Marks | None:
        """Resolve `marked`."""
        found = [self._marks(value, scope) for value in word.values]
        if None in found:
            return None
        return Marks(word.negated, tuple(mark for marks in found if marks for mark in marks))

    def _marks(self, value: v.Name | v.MarkValue, scope: Scope) -> tuple[Mark, ...] | None:
        if isinstance(value, v.MarkValue):
            return (mark_of(value),)
        meaning = self.definitions.names.find(value, scope, ("mark",))
        if isinstance(meaning, Parameter):
            found = [self._marks(one, NOTHING) for one in meaning.values if isinstance(one, v.Name | v.MarkValue)]
            return None if None in found else tuple(mark for marks in found if marks for mark in marks)
        mark = self.definitions.marks.get(value.text) if meaning else None
        return (mark,) if mark else None

    def mark(self, value: v.Name | v.MarkValue, scope: Scope) -> Mark | None:
        """Resolve the one mark of a verb or a word."""
        found = self._marks(value, scope)
        return found[0] if found and self._single(value, found, "mark") else None

    def during(self, word: w.During, scope: Scope) -> Schedules | None:
        """Resolve `during`."""
        found: list[Schedule] = []
        sound = True
        for name in word.values:
            for text in self._defined(name, scope, "schedule"):
                if schedule := self.definitions.schedules.get(text):
                    found.append(schedule)
                else:
                    sound = False
        return Schedules(word.negated, tuple(found)) if sound and found else None

    def limit(self, word: w.Limit | w.Over, scope: Scope) -> Limit | None:
        """Resolve `limit` and `over`."""
        return self.definitions.limits.get(self._one(word.limit, scope, "limit"))

    def log(self, name: v.Name, scope: Scope) -> Log | None:
        """Resolve the log of a verb or a word."""
        return self.definitions.logs.get(self._one(name, scope, "log"))

    def _defined(self, name: v.Name, scope: Scope, kind: str) -> tuple[str, ...]:
        """Return the names of definitions that a name stands for; none after a report."""
        meaning = self.definitions.names.find(name, scope, (kind,))
        if isinstance(meaning, Parameter):
            return tuple(value.text for value in meaning.values if isinstance(value, v.Name))
        return (name.text,) if meaning else ()

    def _one(self, name: v.Name, scope: Scope, kind: str) -> str:
        found = self._defined(name, scope, kind)
        return found[0] if found and self._single(name, found, kind) else ""

    def _single(self, value: v.Name | v.MarkValue, found: tuple[object, ...], kind: str) -> bool:
        if len(found) == 1:
            return True
        message = f"`{value.span.text}` stands for {len(found)} values, and here stands one {kind}"
        self.findings.report("bad-call", message, value.span)
        return False
