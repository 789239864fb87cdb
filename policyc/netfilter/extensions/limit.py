"""-m limit: matches while tokens of the rule's bucket last; the bucket begins full (net/netfilter/xt_limit.c)."""

from __future__ import annotations

from policyc.netfilter.arguments import Number
from policyc.netfilter.counters import TokenBucket
from policyc.netfilter.extension import Given, MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.rates import Rate
from policyc.netfilter.predicate import May, Predicate

SCALE = 10_000  # XT_LIMIT_SCALE: periods are kept in 1/10,000 seconds
DEFAULT_PERIOD = SCALE * 3600 // 3  # 3/hour
DEFAULT_BURST = 5


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    """Put in the rate and leave out the default burst."""
    given = options.without("limit-burst", DEFAULT_BURST).given
    return Options(given if "limit" in options else (Given("limit", DEFAULT_PERIOD), *given))


def _meaning(options: Options, around: Surroundings) -> Predicate:
    microseconds = options["limit"] * 1_000_000 // SCALE
    bucket = TokenBucket(1, microseconds, options.get("limit-burst", DEFAULT_BURST))
    return May(MATCH.spelled(options, around.family), bucket)


MATCH = MatchExtension(
    name="limit",
    options=(Option("limit", Rate(SCALE)), Option("limit-burst", Number(1, 10_000))),
    normalise=_normalise,
    meaning=_meaning,
)
