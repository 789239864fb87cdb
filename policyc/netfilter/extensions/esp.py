"""-m esp: the security parameter index of ESP (net/netfilter/xt_esp.c, RFC 4303)."""

from __future__ import annotations

from policyc.net.intervals import IntervalSet
from policyc.net.protocols import ESP
from policyc.netfilter import fields
from policyc.netfilter.arguments import NumberRange
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.ports import has_header
from policyc.netfilter.predicate import In, Predicate, all_of, negate_if

ALL_SPIS = (0, 0xFFFFFFFF)


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return options.without("espspi", ALL_SPIS)


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    tests = [has_header(ESP)]
    if "espspi" in options:
        tests.append(negate_if(options.negated("espspi"), In(fields.SPI, IntervalSet.of(options["espspi"]))))
    return all_of(*tests)


MATCH = MatchExtension(
    name="esp",
    options=(Option("espspi", NumberRange(), negatable=True),),
    protocols=frozenset((ESP,)),
    normalise=_normalise,
    meaning=_meaning,
)
