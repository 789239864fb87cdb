"""-m cpu: the processor that handles the packet (net/netfilter/xt_cpu.c)."""

from __future__ import annotations

from policyc.net.intervals import IntervalSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import Number
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import In, Predicate, negate_if


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    return negate_if(options.negated("cpu"), In(fields.CPU, IntervalSet.of(options["cpu"])))


MATCH = MatchExtension(
    name="cpu",
    options=(Option("cpu", Number(), negatable=True, required=True),),
    meaning=_meaning,
)
