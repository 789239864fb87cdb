"""-m ah: the authentication header (net/ipv4/netfilter/ipt_ah.c, net/ipv6/netfilter/ip6t_ah.c, RFC 4302).

In IPv4 it is a protocol and the rule needs `-p ah`; in IPv6 it is an extension header, of which length and reserved field
can be tested too.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.net.intervals import IntervalSet
from policyc.net.protocols import AH
from policyc.netfilter import fields
from policyc.netfilter.arguments import Number, NumberRange
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.header_details import detail, has_extension_header
from policyc.netfilter.extensions.ports import has_header
from policyc.netfilter.predicate import In, Predicate, all_of, negate_if

ALL_SPIS = (0, 0xFFFFFFFF)


def _check(options: Options, family: int) -> Iterable[str]:
    if family == 4:
        yield from (f"`--{name}` is IPv6 only" for name in ("ahlen", "ahres") if name in options)


def _demand(options: Options, around: Surroundings) -> Iterable[str]:  # noqa: ARG001
    if around.family == 4 and around.protocol != AH:
        yield "`ah` needs `-p ah` in the same rule"


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return options.without("ahspi", ALL_SPIS).without("ahlen", 0)


def _meaning(options: Options, around: Surroundings) -> Predicate:
    tests = [has_header(AH) if around.family == 4 else has_extension_header("auth")]
    for item in options.given:
        if item.name == "ahspi":
            tests.append(negate_if(item.negated, In(fields.SPI, IntervalSet.of(item.value))))
        elif item.value != 0:  # the kernel takes length 0 for "not asked", `! --ahlen 0` too
            tests.append(detail(MATCH, item, around.family))
    return all_of(*tests)


MATCH = MatchExtension(
    name="ah",
    options=(
        Option("ahspi", NumberRange(), negatable=True),
        Option("ahlen", Number(), negatable=True),
        Option("ahres"),
    ),
    check=_check,
    demand=_demand,
    normalise=_normalise,
    meaning=_meaning,
)
