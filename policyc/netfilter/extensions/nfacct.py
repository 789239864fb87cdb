"""-m nfacct: counts into a named object of the kernel; false while the object is under its quota (net/netfilter/xt_nfacct.c)."""

from __future__ import annotations

from policyc.netfilter.arguments import Word
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import May, Predicate


def _meaning(options: Options, around: Surroundings) -> Predicate:
    return May(MATCH.spelled(options, around.family))  # whether the object has a quota is not in the rule


MATCH = MatchExtension(
    name="nfacct",
    options=(Option("nfacct-name", Word(31, "name of the accounting object"), required=True),),  # NFACCT_NAME_MAX is 32
    meaning=_meaning,
)
