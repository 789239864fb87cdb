"""-m connmark: the mark of the packet's connection under a mask (net/netfilter/xt_connmark.c).

A packet without a conntrack entry never matches, not even `! --mark` and `--mark 0`: measured on Linux 6.18.
"""

from __future__ import annotations

from policyc.netfilter import fields
from policyc.netfilter.arguments import MaskedNumber
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.connection import HAS_ENTRY
from policyc.netfilter.predicate import Predicate, all_of, negate_if, under_mask


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    test = under_mask(fields.CT_MARK, *options["mark"])
    return all_of(HAS_ENTRY, negate_if(options.negated("mark"), test))


MATCH = MatchExtension(
    name="connmark",
    options=(Option("mark", MaskedNumber(), negatable=True, required=True),),
    meaning=_meaning,
)
