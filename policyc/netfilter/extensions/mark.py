"""-m mark: the packet's mark under a mask (net/netfilter/xt_mark.c)."""

from __future__ import annotations

from policyc.netfilter import fields
from policyc.netfilter.arguments import MaskedNumber
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import Predicate, negate_if, under_mask


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    return negate_if(options.negated("mark"), under_mask(fields.MARK, *options["mark"]))


MATCH = MatchExtension(
    name="mark",
    options=(Option("mark", MaskedNumber(), negatable=True, required=True),),
    meaning=_meaning,
)
