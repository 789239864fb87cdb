"""Packets that are not the first of a connection: can an answer, or one that is related, get there? Part of `explanation`.

A connection that the rules let begin is the only one that there is. What comes back of it is its mirror: it enters as what
arrived, and arrives as what entered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from policyc.explanation.outcomes import Situation, Way
from policyc.explanation.replies import answer_to
from policyc.net.intervals import IntervalSet
from policyc.net.protocols import ICMP, ICMPV6
from policyc.netfilter import fields
from policyc.netfilter.fields import Field
from policyc.netfilter.predicate import All, Any, Ask, Bits, In, Not, Opaque, Predicate
from policyc.netfilter.tested import Side, Towards

_PAIRS: tuple[tuple[Field, Field], ...] = (
    (fields.IIF, fields.OIF), (fields.SRC, fields.DST), (fields.SPORT, fields.DPORT), (fields.SRC_TYPE, fields.DST_TYPE),
)  # fmt: skip
_MIRROR: dict[Field, Field] = dict(_PAIRS) | {other: one for one, other in _PAIRS}


class _OneSidedError(Exception):
    """What a predicate asks, a set or an unknown condition, names a side in its own words."""


def mirrored(towards: Towards) -> Towards | None:
    """Return which first packets these are answers to, None where that cannot be said (sets are asked by side)."""
    parts = (towards.source.where, towards.target.where, towards.entering, towards.arriving)
    try:
        source, target, entering, arriving = (_mirror(one) for one in parts)
    except _OneSidedError:
        return None
    return Towards(
        towards.family,
        Side(towards.target.here, towards.target.away, target),
        Side(towards.source.here, towards.source.away, source),
        entering=arriving,
        arriving=entering,
    )


def _mirror(predicate: Predicate) -> Predicate:
    if isinstance(predicate, In | Bits):
        return replace(predicate, field=_MIRROR.get(predicate.field, predicate.field))
    if isinstance(predicate, All | Any):
        return replace(predicate, parts=tuple(_mirror(part) for part in predicate.parts))
    if isinstance(predicate, Not):
        return replace(predicate, part=_mirror(predicate.part))
    if isinstance(predicate, Ask | Opaque):
        raise _OneSidedError
    return predicate


def answered(way: Way, fits: Callable[[Way], bool]) -> Way | None:
    """Return the way of the answer to a packet that was delivered, None where it does not get there."""
    answer = answer_to(way)
    if answer is None:
        return None
    back = Situation(way.situation.ruleset, way.situation.host, (*way.situation.before, way.sent)).walk(answer)
    return back if fits(back) else None


def errors_fit(towards: Towards) -> bool:
    """Whether an ICMP error could be one of the packets that are asked about."""
    number = ICMP if towards.family == 4 else ICMPV6
    return _may_be(towards.arriving, number)


def _may_be(predicate: Predicate, protocol: int) -> bool:
    """Whether a predicate leaves room for a protocol, as far as its tests of protocols say."""
    if isinstance(predicate, In) and predicate.field is fields.PROTO:
        return isinstance(predicate.values, IntervalSet) and protocol in predicate.values
    if isinstance(predicate, All):
        return all(_may_be(part, protocol) for part in predicate.parts)
    if isinstance(predicate, Any):
        return any(_may_be(part, protocol) for part in predicate.parts)
    return True
