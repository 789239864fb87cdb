"""-m length: bytes of the IP packet, its header included (net/netfilter/xt_length.c)."""

from __future__ import annotations

from policyc.net.intervals import IntervalSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import NumberRange
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import In, Predicate, negate_if


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    return negate_if(options.negated("length"), In(fields.LENGTH, IntervalSet.of(options["length"])))


MATCH = MatchExtension(
    name="length",
    options=(Option("length", NumberRange(0, 0xFFFF), negatable=True, required=True),),
    meaning=_meaning,
)
