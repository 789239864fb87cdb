"""-m tcpmss: the maximum segment size that a TCP packet announces (net/netfilter/xt_tcpmss.c).

A packet without the option is outside every range, so `! --mss` holds for it.
"""

from __future__ import annotations

from policyc.net.intervals import IntervalSet
from policyc.net.protocols import TCP
from policyc.netfilter import fields
from policyc.netfilter.arguments import NumberRange
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.ports import has_header
from policyc.netfilter.predicate import In, Predicate, all_of, negate_if


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    in_range = In(fields.TCP_MSS, IntervalSet.of(options["mss"]))
    return all_of(has_header(TCP), negate_if(options.negated("mss"), in_range))


MATCH = MatchExtension(
    name="tcpmss",
    options=(Option("mss", NumberRange(0, 0xFFFF), negatable=True, required=True),),
    protocols=frozenset((TCP,)),
    meaning=_meaning,
)
