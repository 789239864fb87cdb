"""A rule's tests as kinds and keys, so that "every packet of this rule is one of that" becomes a few look-ups.

A *kind* is what is tested and how (`-s` under a mask, `-i`, the state), a *key* the value. A rule whose kinds and keys hold
those of another tests at least as much. An address under a long mask holds one under a shorter mask. Everything is a number
here, because the table of rules seen (`policyc.checks.covered`) is asked for each of 100,000 rules.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from policyc.checks.forms import Form, Forms, Nature
from policyc.net.addresses import Network
from policyc.netfilter import fields
from policyc.netfilter.parts import Match, Part, Selector, Target, Unknown

# Fields that nothing between two rules of a chain can change, unless it rewrites addresses.
FIXED = frozenset((
    fields.IIF, fields.OIF, fields.SRC, fields.DST, fields.SPORT, fields.DPORT, fields.PROTO, fields.ICMP, fields.FRAG,
    fields.MAC_SRC, fields.PKTTYPE, fields.PHYSDEV_IN, fields.PHYSDEV_OUT, fields.IPSEC_IN, fields.IPSEC_OUT,
    fields.DEVGROUP_IN, fields.DEVGROUP_OUT, fields.SRC_TYPE, fields.DST_TYPE, fields.SRC_TYPE_IN, fields.DST_TYPE_IN,
    fields.SRC_TYPE_OUT, fields.DST_TYPE_OUT, fields.UID, fields.GID, fields.V6_HEADERS, fields.SPI,
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

    def __init__(self, forms: Forms, *, sets_change: bool) -> None:
        self.forms = forms
        self.sets_change = sets_change
        self.kinds: list[Kind] = []
        self.seen: dict[int, Tests] = {}
        self._numbers: dict[Hashable, int] = {}
        self._kinds_of: dict[Form, tuple[int, ...]] = {}

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
        form = self.forms.of(part)
        if form.says_nothing:
            return NOTHING
        certain = form.nature is not Nature.COUNTED
        if form.nature is Nature.ASKED:
            certain = not self.sets_change and self.forms.nature(part) is not Nature.COUNTED
        if not form.adds_up:
            return Tests((self._form_kinds(form, part, (None,))[0],), (self._number(part.text),), certain)
        given = part.options.given
        kinds = self._kinds_of.get(form)
        if kinds is None:
            kinds = self._form_kinds(form, part, tuple((item.name, item.negated) for item in given))
        return Tests(
            kinds, tuple([self._number((kind, item.value)) for kind, item in zip(kinds, given, strict=True)]), certain
        )

    def _form_kinds(self, form: Form, part: Match, tests: tuple[Hashable, ...]) -> tuple[int, ...]:
        fixed = form.fields is not None and form.fields <= FIXED
        kinds = tuple([self._kind(Kind((part.name, test or form), None, fixed)) for test in tests])
        self._kinds_of[form] = kinds
        return kinds

    def _kind(self, kind: Kind) -> int:
        number = self._numbers.get(kind)
        if number is None:
            number = self._numbers[kind] = len(self.kinds)
            self.kinds.append(kind)
        return number

    def _number(self, value: Hashable) -> int:
        return self._numbers.setdefault(("key", value), len(self._numbers))
