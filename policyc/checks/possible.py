"""Whether a condition may hold, or must, when something is known of a packet's fields. What is not known may be either."""

from __future__ import annotations

from collections.abc import Mapping

from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter.fields import Field
from policyc.netfilter.predicate import All, Always, Any, In, Never, Not, Predicate

Known = Mapping[Field, IntervalSet | NameSet]
"""The values that fields may have; an empty set means that the packet does not have the field.

Names are a finite set, or all but a finite set.
"""
OUTSIDE = ~NameSet.of("lo")
"""The interfaces that packets of others come in by."""


def is_possible(predicate: Predicate, known: Known) -> bool:
    """Whether the predicate may hold for a packet whose fields have these values."""
    if isinstance(predicate, In):
        values = known.get(predicate.field)
        return values is None or _meet(values, predicate.values)
    if isinstance(predicate, Not):
        inner = predicate.part
        values = known.get(inner.field) if isinstance(inner, In) else None
        return values is None or not isinstance(inner, In) or not _is_within(values, inner.values)
    if isinstance(predicate, All):
        return all(is_possible(part, known) for part in predicate.parts)
    if isinstance(predicate, Any):
        return any(is_possible(part, known) for part in predicate.parts)
    return not isinstance(predicate, Never)


def is_certain(predicate: Predicate, known: Known) -> bool:
    """Whether the predicate holds for every packet whose fields have these values."""
    if isinstance(predicate, In):
        values = known.get(predicate.field)
        return values is not None and _is_within(values, predicate.values)
    if isinstance(predicate, Not):
        inner = predicate.part
        values = known.get(inner.field) if isinstance(inner, In) else None
        return values is not None and isinstance(inner, In) and not _meet(values, inner.values)
    if isinstance(predicate, All):
        return all(is_certain(part, known) for part in predicate.parts)
    if isinstance(predicate, Any):
        return any(is_certain(part, known) for part in predicate.parts)
    return isinstance(predicate, Always)


def _meet(values: IntervalSet | NameSet, tested: IntervalSet | NameSet) -> bool:
    if isinstance(values, IntervalSet) and isinstance(tested, IntervalSet):
        return bool(values & tested)
    if isinstance(values, NameSet) and isinstance(tested, NameSet):
        if values.complement:
            is_open = bool(tested.prefixes) or tested.complement
            return is_open or any(member in values for member in tested.members)
        return any(member in tested for member in values.members)
    return True


def _is_within(values: IntervalSet | NameSet, tested: IntervalSet | NameSet) -> bool:
    """Whether every known value is tested for; a field that does not exist has none that is."""
    if isinstance(values, IntervalSet) and isinstance(tested, IntervalSet):
        return bool(values) and not values - tested
    if isinstance(values, NameSet) and isinstance(tested, NameSet):
        if values.complement:
            return tested.complement and not tested.prefixes and tested.members <= values.members
        return bool(values.members) and all(member in tested for member in values.members)
    return False
