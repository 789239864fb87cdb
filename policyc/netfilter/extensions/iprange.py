"""-m iprange: source or destination in an arbitrary range of addresses (net/netfilter/xt_iprange.c)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.net.addresses import format_address, parse_address
from policyc.net.intervals import IntervalSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings, lacking
from policyc.netfilter.predicate import In, Predicate, all_of, negate_if

_FIELDS = {"src-range": fields.SRC, "dst-range": fields.DST}


@frozen
class Ends(Argument):
    """`FROM[-TO]` as both ends; a backward range is taken, as iptables takes it, and holds no address."""

    def parse(self, word: str, family: int) -> tuple[int, int]:
        """Return the first and last address; raise AddressError."""
        first, dash, last = word.partition("-")
        low = parse_address(first, family)
        return low, parse_address(last, family) if dash else low

    def write(self, value: tuple[int, int], family: int) -> str:
        """Return `FROM-TO`, both also where they are the same."""
        return f"{format_address(value[0], family)}-{format_address(value[1], family)}"


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, *_FIELDS)


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    return all_of(
        *(negate_if(item.negated, In(_FIELDS[item.name], IntervalSet.of(item.value))) for item in options.given)
    )


MATCH = MatchExtension(
    name="iprange",
    options=(Option("src-range", Ends(), negatable=True), Option("dst-range", Ends(), negatable=True)),
    check=_check,
    meaning=_meaning,
)
