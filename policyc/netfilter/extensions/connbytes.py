"""-m connbytes: how much the packet's connection has carried (net/netfilter/xt_connbytes.c).

False without a conntrack entry, negated or not. `--connbytes N` and `N:` have no upper end.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.netfilter.arguments import Argument, choice, parse_number
from policyc.netfilter.counters import ConnectionBytes
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.connection import HAS_ENTRY
from policyc.netfilter.predicate import May, Predicate, all_of, negate_if

NO_END = 2**64 - 1


@frozen
class Amounts(Argument):
    """`N`, `N:`, `:M` or `N:M` as (low, high), where an open end is NO_END."""

    def parse(self, word: str, family: int) -> tuple[int, int]:  # noqa: ARG002
        """Return both ends; raise ValueError when they are out of range or out of order."""
        first, _, last = word.partition(":")
        low = parse_number(first, 0, NO_END) if first or not word else 0
        high = parse_number(last, 0, NO_END) if last else NO_END
        if low > high:
            raise ValueError(f"the range `{word}` runs backwards")
        return low, high

    def write(self, value: tuple[int, int], family: int) -> str:  # noqa: ARG002
        """Return `N` or `N:M`; iptables-save prints 0:0 as 0, which would load as "any amount" and is written out here."""
        low, high = value
        return str(low) if high == NO_END else f"{low}:{high}"


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    low, high = options["connbytes"]
    if options.negated("connbytes") and low == high:
        rest = f"`{low + 1}:` and `:{low - 1}` in two rules" if low else "`1:`"
        yield f"iptables loads `! --connbytes {low}:{high}` without its `!`; write {rest}"


def _meaning(options: Options, around: Surroundings) -> Predicate:
    low, high = options["connbytes"]
    counter = ConnectionBytes(low, high, options["connbytes-mode"], options["connbytes-dir"])
    may = May(MATCH.spelled(options, around.family), counter)
    return all_of(HAS_ENTRY, negate_if(options.negated("connbytes"), may))


MATCH = MatchExtension(
    name="connbytes",
    options=(
        Option("connbytes", Amounts(), negatable=True, required=True),
        Option("connbytes-mode", choice("packets", "bytes", "avgpkt"), required=True),
        Option("connbytes-dir", choice("original", "reply", "both"), required=True),
    ),
    check=_check,
    meaning=_meaning,
)
