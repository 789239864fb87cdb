"""An address under a mask that keeps its host bits, as `-m ipvs` and `-m srh` print it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from policyc.net.addresses import WIDTH, Network, format_address, parse_address, parse_network
from policyc.netfilter.arguments import Argument


class MaskedAddress(NamedTuple):
    """`address` as written; the kernel compares what is under the mask of `network`."""

    address: int
    network: Network


@dataclass(frozen=True, slots=True)
class MaskedAddressArgument(Argument):
    """`ADDRESS[/MASK]`; `bare_host`: the length of a single address is not printed."""

    bare_host: bool

    def parse(self, word: str, family: int) -> MaskedAddress:
        """Return the address and its network; raise AddressError."""
        return MaskedAddress(parse_address(word.partition("/")[0], family), parse_network(word, family))

    def write(self, value: MaskedAddress, family: int) -> str:
        """Return `ADDRESS/LENGTH`, or the mask where it has holes."""
        address = format_address(value.address, family)
        length = value.network.prefix
        if length == WIDTH[family] and self.bare_host:
            return address
        return f"{address}/{format_address(value.network.mask, family) if length is None else length}"
