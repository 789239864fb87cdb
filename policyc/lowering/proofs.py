"""The proofs of a policy as questions about packets: what a rule of such a line would test, in each family.

Read by `tables` into the Intent. Nothing here becomes a kernel rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policyc.lowering.conditions import Conditions
from policyc.lowering.draft import Draft
from policyc.lowering.pieces import Parts, Pieces
from policyc.lowering.services import service_tests
from policyc.lowering.sides import NEAR_SOURCES, NEAR_TARGETS, has_family, zone_tests
from policyc.lowering.tests import Tests
from policyc.netfilter.parts import Part
from policyc.netfilter.predicate import Predicate, all_of, any_of, negate
from policyc.netfilter.rule import Rule
from policyc.netfilter.tested import Proof, Side, Towards
from policyc.policy.defined import SELF, Zone
from policyc.policy.defined import Side as Place
from policyc.policy.model import Proof as Stated
from policyc.policy.values import Marks


def proofs(draft: Draft) -> tuple[Proof, ...]:
    """Return the proofs in written order."""
    return tuple(
        Proof(one.block, one.quantifier, one.any_packet, tuple(_pairs(draft, one)), one.exceptions, one.span)
        for one in draft.policy.proofs
    )


def _pairs(draft: Draft, stated: Stated) -> Iterator[Towards]:
    for family in draft.policy.families:
        named = [one for one in (stated.source, stated.destination) if one is not None]
        if any(one.families is not None and family not in one.families for one in named):
            continue
        services = service_tests(draft.pieces[family], stated.services)
        if stated.services and not services:
            continue
        entering, arriving = _said(draft, stated, family, services)
        for source in stated.sources:
            for target in stated.targets:
                if has_family(source, family) and has_family(target, family):
                    here = _side(draft.pieces[family], source, target, incoming=True)
                    there = _side(draft.pieces[family], target, source, incoming=False)
                    yield Towards(family, here, there, entering, arriving)


def _said(draft: Draft, stated: Stated, family: int, services: list[Parts]) -> tuple[Predicate, Predicate]:
    """Return what is said of a packet as it enters and as it arrives."""
    conditions = Conditions(draft, family)
    entering, arriving = Tests(), Tests()
    if stated.source:
        conditions.address(entering, "-s", stated.source, stated.span)
    if stated.destination:
        conditions.address(arriving, "-d", stated.destination, stated.span)
    if services:
        arriving.one_of(services)
    marks = () if stated.marked is None else (_marks(draft.pieces[family], stated.marked),)
    return _whole(entering, family), all_of(_whole(arriving, family), *marks)


def _marks(pieces: Pieces, marks: Marks) -> Predicate:
    tests = (pieces.read(f"-m mark --mark {one.value:#x}/{one.mask:#x}") for one in marks.values)
    found = any_of(*(_meaning(parts, pieces.family) for parts in tests))
    return negate(found) if marks.negated else found


def _whole(tests: Tests, family: int) -> Predicate:
    choices = (any_of(*(_meaning(parts, family) for parts in alternatives)) for alternatives in tests.choices)
    excluded = (negate(_meaning(parts, family)) for parts in tests.excluded)
    return all_of(_meaning(tests.common, family), *choices, *excluded)


def _meaning(parts: Iterable[Part], family: int) -> Predicate:
    return Rule(tuple(parts)).predicate(family)


def _side(pieces: Pieces, side: Place, other: Place, *, incoming: bool) -> Side:
    if side is SELF:
        return Side(here=True, away=False)
    if not isinstance(side, Zone):
        return Side(here=False, away=True)
    address, interface, near = ("-s", "-i", NEAR_SOURCES) if incoming else ("-d", "-o", NEAR_TARGETS)
    tests = zone_tests(pieces, side, address, interface, near if other is SELF else None)
    return Side(here=False, away=True, where=any_of(*(_meaning(parts, pieces.family) for parts in tests)))
