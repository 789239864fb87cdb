"""What `-m ttl` and `-m hl` share: the time to live, which IPv6 calls hop limit (net/netfilter/xt_hl.c)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.net.intervals import IntervalSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import Number
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings, lacking
from policyc.netfilter.predicate import In, Predicate, negate_if


def hop_limit_match(name: str, family: int) -> MatchExtension:
    """Return the match `ttl` or `hl` of its family."""
    equal, less, greater = f"{name}-eq", f"{name}-lt", f"{name}-gt"

    def check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
        return lacking(options, equal, less, greater)

    def meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
        (item,) = options.given
        spans = {equal: (item.value, item.value), less: (0, item.value - 1), greater: (item.value + 1, 255)}
        return negate_if(item.negated, In(fields.TTL, IntervalSet.of(spans[item.name])))

    number = Number(0, 255)
    return MatchExtension(
        name=name,
        options=(
            Option(equal, number, aliases=(name,), negatable=True, excludes=(less, greater)),
            Option(less, number, excludes=(equal, greater)),
            Option(greater, number, excludes=(equal, less)),
        ),
        families=(family,),
        check=check,
        meaning=meaning,
    )
