"""-m comment: a remark that every packet matches (net/netfilter/xt_comment.c)."""

from __future__ import annotations

from policyc.netfilter.arguments import Text
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import ALWAYS, Predicate


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    return ALWAYS


MATCH = MatchExtension(
    name="comment",
    options=(
        Option("comment", Text(255, "comment"), required=True),
    ),  # XT_MAX_COMMENT_LEN holds 256 bytes with the NUL
    meaning=_meaning,
)
