"""A rule's tests as kinds and keys, so that "every packet of this rule is one of that" becomes a few look-ups.

A *kind* is what is tested and how (`-s` under a mask, `-i`, the state), a *key* the value. A rule whose kinds and keys hold
those of another tests at least as much. An address under a long mask holds one under a shorter mask. Everything is a number
here, because the table of rules seen (`policyc.checks.covered`) is asked for each of 100,000 rules.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from policyc.checks.natures import Nature, Natures, Signature, fields_read, signature
from policyc.net.addresses import Network
from policyc.netfilter import fields
from policyc.netfilter.extension import Options, Surroundings
from policyc.netfilter.parts import Match, Part, Selector, Target, Unknown
from policyc.netfilter.predicate import All, Always, Ask, Predicate, nodes

# Fields that nothing between two rules of a chain can change, unless it rewrites addresses.
FIXED = frozenset((
    fields.IIF, fields.OIF, fields.SRC, fields.DST, fields.SPORT, fields.DPORT, fields.PROTO, fields.ICMP, fields.FRAG,
    fields.MAC_SRC, fields.PKTTYPE, fields.PHYSDEV_IN, fields.PHYSDEV_OUT, fields.IPSEC_IN, fields.IPSEC_OUT,
    fields.DEVGROUP_IN, fields.DEVGROUP_OUT, fields.SRC_TYPE, fields.DST_TYPE, fields.SRC_TYPE_IN, fields.DST_TYPE_IN,
    fields.SRC_TYPE_OUT, fields.DST_TYPE_OUT, fields.UID, fields.GID, fields.SOCKET, fields.V6_HEADERS, fields.SPI,
    fields.CT_PROTO, fields.CT_ORIG_SRC, fields.CT_ORIG_DST, fields.CT_ORIG_SPORT, fields.CT_ORIG_DPORT,
))  # fmt: skip


class Kind(NamedTuple):
    """What is tested and how. `mask` is that of an address test, None elsewhere; `fixed`: nothing changes the answer."""

    what: Hashable
    mask: int | None
    fixed: bool


class Tests(NamedTuple):
    """The tests of a part: numbers of kinds and keys, one each; `certain`: the same packet always gets the same answer."""

    kinds: tuple[int, ...] = ()
    keys: tuple[int, ...] = ()
    certain: bool = True


NOTHING = Tests()
UNCERTAIN = Tests(certain=False)


class Conditions:
    """The numbering of kinds and keys for the rules of one table; `seen` holds the tests of parts by identity.

    The options of a match are kinds of their own where its meaning is that all of them hold; else it is one kind and its
    text the key.
    """

    def __init__(self, family: int, natures: Natures, *, sets_change: bool) -> None:
        self.around = Surroundings(family)
        self.natures = natures
        self.sets_change = sets_change
        self.kinds: list[Kind] = []
        self.seen: dict[int, Tests] = {}
        self._numbers: dict[Hashable, int] = {}
        self._forms: dict[Signature, tuple[tuple[int, ...] | None, bool | None]] = {}

    def tests(self, part: Part) -> Tests:
        """Return the tests of a part and remember them."""
        found = self.seen[id(part)] = self._tests(part)
        return found

    def ordinal(self, kind: int, number: int) -> int:
        """Return the kind of a further test of the same kind in one rule."""
        first = self.kinds[kind]
        return self._kind(Kind((first.what, first.mask, number), None, first.fixed))

    def _tests(self, part: Part) -> Tests:
        if isinstance(part, Target):
            return NOTHING
        if isinstance(part, Selector):
            value = part.value
            if isinstance(value, Network) and not part.negated:
                return Tests((self._kind(Kind(part.option, value.mask, fixed=True)),), (value.address,))
            return Tests((self._kind(Kind((part.option, part.negated), None, fixed=True)),), (self._number(part.text),))
        return UNCERTAIN if isinstance(part, Unknown) else self._match(part)

    def _match(self, part: Match) -> Tests:
        form = signature(part)
        try:
            kinds, certain = self._forms[form]
        except KeyError:
            kinds, certain = self._forms[form] = self._form(form, part)
        if certain is None:
            certain = not self.sets_change and self.natures.of(part) is not Nature.COUNTED
        if kinds is None:
            return Tests((self._kind(Kind(form, None, self._is_fixed(part))),), (self._number(part.text),), certain)
        given = part.options.given
        return Tests(
            kinds, tuple([self._number((kind, item.value)) for kind, item in zip(kinds, given, strict=False)]), certain
        )

    def _form(self, form: Signature, part: Match) -> tuple[tuple[int, ...] | None, bool | None]:
        """Return a kind for each option, none for a match that says nothing, None where the options do not simply add up.

        With it, whether such matches are certain; None where it depends on the set that is asked.
        """
        asks = any(isinstance(node, Ask) for node in nodes(part.meaning(self.around)))
        return self._kinds(form, part), None if asks else self.natures.of(part) is not Nature.COUNTED

    def _kinds(self, form: Signature, part: Match) -> tuple[int, ...] | None:
        meaning = part.meaning(self.around)
        if isinstance(meaning, Always):
            return ()
        given = part.options.given
        if not given:
            return None
        if len(given) > 1:
            each = [atom for item in given for atom in _atoms(part.extension.meaning(Options((item,)), self.around))]
            if len(set(form[1])) < len(form[1]) or set(each) != set(_atoms(meaning)):
                return None
        fixed = self._is_fixed(part)
        return tuple([self._kind(Kind((part.name, *option), None, fixed)) for option in form[1]])

    def _is_fixed(self, part: Match) -> bool:
        found = fields_read(part, self.around)
        return found is not None and found <= FIXED

    def _kind(self, kind: Kind) -> int:
        number = self._numbers.get(kind)
        if number is None:
            number = self._numbers[kind] = len(self.kinds)
            self.kinds.append(kind)
        return number

    def _number(self, value: Hashable) -> int:
        return self._numbers.setdefault(("key", value), len(self._numbers))


def _atoms(predicate: Predicate) -> tuple[Predicate, ...]:
    return predicate.parts if isinstance(predicate, All) else (predicate,)
