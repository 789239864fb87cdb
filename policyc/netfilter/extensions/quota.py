"""-m quota: holds until so many bytes have passed (net/netfilter/xt_quota.c)."""

from __future__ import annotations

from policyc.netfilter.arguments import Number
from policyc.netfilter.counters import Quota
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import May, Predicate, negate_if


def _meaning(options: Options, around: Surroundings) -> Predicate:
    may = May(MATCH.spelled(options, around.family), Quota(options["quota"]))
    return negate_if(options.negated("quota"), may)


MATCH = MatchExtension(
    name="quota",
    options=(Option("quota", Number(high=2**64 - 1), negatable=True, required=True),),
    meaning=_meaning,
)
