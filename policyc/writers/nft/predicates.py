"""A predicate to conditions of nft: the walk over the eight kinds of node. Leaves are in the files beside this one."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.netfilter.parts import Match, Selector, Unknown
from policyc.netfilter.predicate import All, Always, Any, Ask, Bits, In, May, Never, Not, Opaque, Predicate
from policyc.writers.nft.conditions import NEVER, Either, Known, Neither, NoForm, Tests, Word, counts
from policyc.writers.nft.counting import Shared, counted
from policyc.writers.nft.declared import Declared
from policyc.writers.nft.packet_fields import bits_in_packet, in_packet
from policyc.writers.nft.set_tests import Sets
from policyc.writers.nft.state_fields import bits_of_state, in_state


@frozen
class Conditions:
    """Makes the conditions of one family's predicates."""

    declared: Declared
    shared: Shared
    sets: Sets

    def of(
        self, predicate: Predicate, part: Selector | Match | Unknown, known: Known, *, negated: bool = False
    ) -> Tests:
        """Return the tests of a predicate, or of its negation, that a part of a rule means; `known` learns from it.

        Raises NoForm.
        """
        match predicate:
            case Always() | Never():
                return NEVER if isinstance(predicate, Never) is not negated else ()
            case Not():
                return self.of(predicate.part, part, known, negated=not negated)
            case All() if not negated:
                return tuple(test for one in predicate.parts for test in self.of(one, part, known))
            case Any() if not negated:
                return self._one_of(predicate.parts, part, known)
            case All() | Any():
                return self._not_all(predicate, part, known)
            case In():
                return self._among(predicate, known, negated=negated)
            case Bits():
                return self._bits(predicate, known, negated=negated)
        tests = self._asked(predicate, part, known)
        return (Neither((tests,)),) if negated else tests

    def _one_of(self, parts: tuple[Predicate, ...], part: Selector | Match | Unknown, known: Known) -> Tests:
        ways = tuple(way for one in parts if (way := self.of(one, part, known.copy())) is not NEVER)
        return ways[0] if len(ways) == 1 else (Either(ways),)

    def _not_all(self, predicate: All | Any, part: Selector | Match | Unknown, known: Known) -> Tests:
        positive = self.of(predicate, part, known.copy())
        if counts(positive):  # its parts must be evaluated as iptables does
            return (Neither((positive,)),)
        if isinstance(predicate, Any):
            return tuple(test for one in predicate.parts for test in self.of(one, part, known, negated=True))
        return (Either(tuple(self.of(one, part, known.copy(), negated=True) for one in predicate.parts)),)

    def _among(self, leaf: In, known: Known, *, negated: bool) -> Tests:
        for of_kind in (in_packet, in_state):
            try:
                return of_kind(leaf.field, leaf.values, known, self.declared, negated=negated)
            except KeyError:
                continue
        raise NoForm(f"the test of {leaf.field.name}")

    def _bits(self, leaf: Bits, known: Known, *, negated: bool) -> Tests:
        try:
            return bits_in_packet(leaf.field, leaf.mask, leaf.value, known, self.declared, negated=negated)
        except KeyError:
            return bits_of_state(leaf.field, leaf.mask, leaf.value, known, negated=negated)

    def _asked(self, predicate: Predicate, part: Selector | Match | Unknown, known: Known) -> Tests:
        match predicate:
            case May() if isinstance(part, Match):
                return counted(predicate, part, known, self.declared, self.shared)
            case Ask(kind="set"):
                return self.sets.test(*predicate.subject, known=known)
            case Ask(kind="rpfilter"):
                return _reverse_path(predicate.subject, known.family)
            case Ask(kind="socket"):
                return _socket(predicate.subject)
            case Opaque():
                raise NoForm(f"`{_named(part)}`")
        raise NoForm(f"`{_named(part)}`")


def _named(part: Selector | Match | Unknown) -> str:
    """Return a match with its first option, as far as it says what it is."""
    words = part.text.split()
    return " ".join(words[:2])


def _reverse_path(options: tuple[str, ...], family: int) -> Tests:
    """Return the test of the way back.

    nft finds one to the broadcast address of a subnet, too. Source 0.0.0.0, of which both let pass what asks for an address,
    counts as a broadcast address there.
    """
    if "accept-local" in options:
        raise NoForm("`-m rpfilter --accept-local`")
    mark = " . mark" if "validmark" in options else ""
    found = Word(f"fib saddr{mark}{'' if 'loose' in options else ' . iif'} oif exists")
    if family == 6:
        return (found,)
    return found, Either(((Word("ip saddr 0.0.0.0/8"),), (Word("fib saddr type != broadcast"),)))


def _socket(options: tuple[str, ...]) -> Tests:
    found = Word("socket wildcard 0-1" if "nowildcard" in options else "socket wildcard 0")
    return (found, Word("socket transparent 1")) if "transparent" in options else (found,)
