"""-m tos: the eight bits of TOS, or of IPv6's traffic class, under a mask (net/netfilter/xt_dscp.c, tos_mt)."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument, parse_number
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import Bits, Predicate, negate_if

# RFC 1349's names; they leave the two bits alone that ECN uses.
SYMBOLS = {
    "Minimize-Delay": 0x10, "Maximize-Throughput": 0x08, "Maximize-Reliability": 0x04, "Minimize-Cost": 0x02,
    "Normal-Service": 0x00,
}  # fmt: skip


@frozen
class TosValue(Argument):
    """`VALUE[/MASK]` or a symbol as (value, mask); `symbol_mask` is the mask that a symbol stands for."""

    symbol_mask: int = 0x3F

    def parse(self, word: str, family: int) -> tuple[int, int]:  # noqa: ARG002
        """Return value and mask; raise ValueError for a number over 255 or an unknown symbol."""
        if word[:1].isdecimal():
            value, slash, mask = word.partition("/")
            return parse_number(value, 0, 255), parse_number(mask, 0, 255) if slash else 255
        for name, number in SYMBOLS.items():
            if name.lower() == word.lower():
                return number, self.symbol_mask
        raise ValueError(f"`{word}` is neither a number from 0 to 255 nor one of {', '.join(SYMBOLS)}")

    def write(self, value: tuple[int, int], family: int) -> str:  # noqa: ARG002
        """Return `0xVV/0xMM`."""
        return f"{value[0]:#04x}/{value[1]:#04x}"


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    value, mask = options["tos"]
    return negate_if(options.negated("tos"), Bits(fields.TOS, mask, value))


MATCH = MatchExtension(
    name="tos",
    options=(Option("tos", TosValue(), negatable=True, required=True),),
    meaning=_meaning,
)
