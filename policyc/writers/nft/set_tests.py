"""Tests for ipsets: `-m set` as a lookup in the named set that stands for the ipset here.

Used by `predicates`; `set_text` writes the sets. What a rule asks decides how the set is kept: a part that is a port comes
with its protocol, as ipset keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping

from policyc.frozen import frozen
from policyc.host.set_kinds import Part
from policyc.host.set_values import MemberSet
from policyc.net.addresses import format_address
from policyc.net.intervals import IntervalSet
from policyc.net.protocols import TCP, UDP
from policyc.netfilter import fields
from policyc.writers.nft.conditions import NEVER, Either, Known, NoForm, Tests, Word
from policyc.writers.nft.declared import Declared
from policyc.writers.nft.packet_fields import in_packet
from policyc.writers.nft.set_text import SetWriter
from policyc.writers.nft.spelling import identifier


@frozen
class Sets:
    """The ipsets that rules of a family may ask, by name; `written` are the names that rules fill as well."""

    members: Mapping[str, MemberSet]
    filled: frozenset[str]
    declared: Declared

    def test(self, name: str, directions: str, *more: str, known: Known) -> Tests:
        """Return the test of membership. Raises NoForm."""
        if more:
            raise NoForm("`-m set --return-nomatch`")
        one = self._known(name)
        ways = directions.split(",")
        if one.kind == "list:set":
            asked = [str(key[0]) for key in one.entries]
            found = [self.test(each, directions, known=known.copy()) for each in asked]
            found = [tests for tests in found if tests is not NEVER]
            return found[0] if len(found) == 1 else (Either(tuple(found)),)
        if len(ways) < one.shape.dimension or (one.family and one.family != self.declared.family):
            return NEVER
        return (*self._before(one, ways, known), Word(f"{self.key(one, ways)} {self.reference(one)}"))

    def _known(self, name: str) -> MemberSet:
        one = self.members.get(name)
        if one is None:
            raise NoForm(f"the set `{name}`; nft cannot ask an ipset, and the members are not known here")
        return one

    def reference(self, one: MemberSet) -> str:
        """Return `@NAME`, the set declared."""
        writer = SetWriter(one, self.declared, filled=one.name in self.filled)
        return self.declared.filled(identifier("set", one.name), writer.lines())

    def _before(self, one: MemberSet, ways: list[str], known: Known) -> Tests:
        """Return what must hold for the key to be read as ipset reads it."""
        tests: Tests = ()
        if Part.PORT_ALONE in one.shape.parts:
            tests += in_packet(fields.PROTO, IntervalSet.of(TCP, UDP), known, self.declared, negated=False)
        for part, way in zip(one.shape.parts, ways, strict=False):
            if part is Part.MAC and way == "dst":
                raise NoForm(f"the destination's MAC address of the set `{one.name}`")
        return tests

    def key(self, one: MemberSet, ways: list[str]) -> str:
        """Return the concatenation that is looked up."""
        return " . ".join(self._part(one, part, way) for part, way in zip(one.shape.parts, ways, strict=False))

    def _part(self, one: MemberSet, part: Part, way: str) -> str:
        match part:
            case Part.IP | Part.NET:
                left = f"{self.declared.ip} {way[0]}addr"
                return left if one.mask is None else f"{left} & {_mask(one)}"
            case Part.PORT:
                return f"meta l4proto . th {way[0]}port"
            case Part.PORT_ALONE:
                return f"th {way[0]}port"
            case Part.MAC:
                return "ether saddr"
            case Part.MARK:
                return "meta mark" if one.markmask == 0xFFFFFFFF else f"meta mark & {one.markmask:#x}"
            case Part.IFACE:
                return "iifname" if way == "src" else "oifname"
        raise NoForm(f"the set `{one.name}` of the kind {one.kind}")

    def changed(self, name: str, directions: str, *, verb: str, timeout: str = "") -> str:
        """Return the statement that adds a packet's key to a set or takes it out. Raises NoForm."""
        one = self._known(name)
        if one.kind == "list:set" or Part.NET in one.shape.parts or one.mask is not None:
            raise NoForm(
                f"a change of the set `{name}` of the kind {one.kind}; rules of nft fill sets of single addresses"
            )
        if Part.PORT in one.shape.parts or Part.PORT_ALONE in one.shape.parts:
            raise NoForm(f"a change of the set `{name}`, whose members have ports")
        return f"{verb} {self.reference(one)} {{ {self.key(one, directions.split(','))}{timeout} }}"


def _mask(one: MemberSet) -> str:
    assert one.mask is not None
    return format_address(one.mask, one.family)
