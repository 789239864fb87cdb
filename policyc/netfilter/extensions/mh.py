"""-m mh: the message type of IPv6 mobility (net/ipv6/netfilter/ip6t_mh.c, RFC 6275; names of ip6tables -m mh -h)."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.net.intervals import IntervalSet
from policyc.net.protocols import MOBILITY
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument, parse_number
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.icmp_types import named_by
from policyc.netfilter.extensions.ports import has_header
from policyc.netfilter.predicate import In, Predicate, all_of, negate_if

ALL_TYPES = (0, 255)
NAMES = {
    "binding-refresh-request": 0, "brr": 0, "home-test-init": 1, "hoti": 1, "careof-test-init": 2, "coti": 2,
    "home-test": 3, "hot": 3, "careof-test": 4, "cot": 4, "binding-update": 5, "bu": 5, "binding-acknowledgement": 6,
    "ba": 6, "binding-error": 7, "be": 7,
}  # fmt: skip


@frozen
class MessageTypes(Argument):
    """`TYPE` or `TYPE:TYPE`, numbers from 0 to 255 or names, as (low, high)."""

    def parse(self, word: str, family: int) -> tuple[int, int]:  # noqa: ARG002
        """Return both ends; raise ValueError for an unknown name or a backward range."""
        first, colon, last = word.partition(":")
        if not colon:
            return (_type(first), _type(first))
        low, high = _type(first) if first else 0, _type(last) if last else 255
        if low > high:
            raise ValueError(f"the range `{word}` runs backwards")
        return low, high

    def write(self, value: tuple[int, int], family: int) -> str:  # noqa: ARG002
        """Return `N` or `N:M`."""
        low, high = value
        return str(low) if low == high else f"{low}:{high}"


def _type(word: str) -> int:
    return parse_number(word, 0, 255) if word[:1].isdecimal() else named_by(word, NAMES.items())


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return options.without("mh-type", ALL_TYPES)


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    tests = [has_header(MOBILITY)]
    if "mh-type" in options:
        tests.append(negate_if(options.negated("mh-type"), In(fields.MH_TYPE, IntervalSet.of(options["mh-type"]))))
    return all_of(*tests)


MATCH = MatchExtension(
    name="mh",
    options=(Option("mh-type", MessageTypes(), negatable=True),),
    families=(6,),
    protocols=frozenset((MOBILITY,)),
    normalise=_normalise,
    meaning=_meaning,
)
