"""The form of a test: the part without its values. What is known of it is asked once for all ports or addresses of a dump.

Which nodes a meaning is made of, and which fields it reads, depends on the options given, not on their values.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from policyc.netfilter import fields
from policyc.netfilter.extension import Options, Surroundings
from policyc.netfilter.fields import Field
from policyc.netfilter.ipset import IpSet
from policyc.netfilter.parts import Match, Part, Selector, Target
from policyc.netfilter.predicate import All, Always, Ask, Bits, In, May, Never, Opaque, Predicate, nodes


class Nature(IntEnum):
    """What is known of a condition, the least last."""

    EXACT = 0
    COUNTED = 1  # may or may not hold, new at every packet
    ASKED = 2  # the host could answer
    OPAQUE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A part without its values, compared by identity.

    `fields` are those that decide it, None where that is not known. `adds_up`: it means that each of its options holds.
    `says_nothing`: every packet passes. `is_never`: none does.
    """

    nature: Nature
    fields: frozenset[Field] | None = frozenset()
    adds_up: bool = False
    says_nothing: bool = False
    is_never: bool = False


TARGET = Form(Nature.EXACT, says_nothing=True)
COMMENT = Form(Nature.EXACT, says_nothing=True)
UNKNOWN = Form(Nature.OPAQUE, fields=None)
_SELECTORS = {
    option: Form(Nature.EXACT, frozenset((read,)))
    for option, read in {
        "-s": fields.SRC, "-d": fields.DST, "-i": fields.IIF, "-o": fields.OIF, "-p": fields.PROTO, "-f": fields.FRAG,
    }.items()
}  # fmt: skip


class Forms:
    """The forms of the parts of one family; `sets` are those that the ruleset declares."""

    def __init__(self, family: int, sets: tuple[IpSet, ...]) -> None:
        self.around = Surroundings(family)
        self.sets = {item.name: item for item in sets if item.serves(family)}
        self._parts: dict[int, Form] = {}
        self._matches: dict[tuple[str, tuple[tuple[str, bool], ...]], Form] = {}

    def of(self, part: Part) -> Form:
        """Return the form of a part, remembered by identity."""
        found = self._parts.get(id(part))
        if found is None:
            found = self._parts[id(part)] = self._of(part)
        return found

    def nature(self, part: Part) -> Nature:
        """Return what is known of a part's condition: sets that the ruleset fills are exact, unless entries time out."""
        found = self.of(part).nature
        if found is not Nature.ASKED or not isinstance(part, Match):
            return found
        answered = Nature.EXACT
        for node in nodes(part.meaning(self.around)):
            if isinstance(node, Ask):
                known = self.sets.get(node.subject[0]) if node.kind == "set" and node.subject else None
                if known is None or known.owner:
                    return Nature.ASKED
                if known.timeout is not None:
                    answered = Nature.COUNTED
        return answered

    def _of(self, part: Part) -> Form:
        if isinstance(part, Selector):
            return _SELECTORS[part.option]
        if isinstance(part, Target):
            return TARGET
        if not isinstance(part, Match):
            return UNKNOWN
        if part.name == "comment":
            return COMMENT
        key = part.extension.name, tuple([(item.name, item.negated) for item in part.options.given])
        found = self._matches.get(key)
        if found is None:
            alone = self._alone(part)
            found = self._match(part, alone)
            if alone and not any(isinstance(one, Always | Never) for one in alone):
                self._matches[key] = found  # no value was folded away, so that it stands for all values
        return found

    def _alone(self, part: Match) -> list[Predicate]:
        """Return the meanings of the options by themselves, none where one means nothing without another."""
        try:
            return [part.extension.meaning(Options((item,)), self.around) for item in part.options.given]
        except KeyError:
            return []

    def _match(self, part: Match, alone: list[Predicate]) -> Form:
        meaning = part.meaning(self.around)
        if isinstance(meaning, Always):
            return Form(Nature.EXACT, says_nothing=True)
        if isinstance(meaning, Never):
            return Form(Nature.EXACT, is_never=True)
        nature, known, read = Nature.EXACT, True, set()
        for node in nodes(meaning):
            if isinstance(node, In | Bits):
                read.add(node.field)
            elif isinstance(node, Opaque | Ask | May):
                known = False
                here = {Opaque: Nature.OPAQUE, Ask: Nature.ASKED, May: Nature.COUNTED}[type(node)]
                nature = max(nature, here)
        return Form(nature, frozenset(read) if known else None, _adds_up(part.options, alone, meaning))


def _adds_up(options: Options, alone: list[Predicate], meaning: Predicate) -> bool:
    if len(alone) == 1:
        return True
    if len({item.name for item in options.given}) < len(options.given) or not alone:
        return False
    return {atom for one in alone for atom in _atoms(one)} == set(_atoms(meaning))


def _atoms(predicate: Predicate) -> tuple[Predicate, ...]:
    return predicate.parts if isinstance(predicate, All) else (predicate,)
