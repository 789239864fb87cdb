"""An address under a mask that keeps its host bits, as `-m ipvs` and `-m srh` print it.

A mask with holes is refused: iptables 1.8.9 takes it for a full one here (xtopt_parse_plenmask; measured).
"""

from __future__ import annotations

from typing import NamedTuple

from policyc.frozen import frozen
from policyc.net.addresses import WIDTH, Network, format_address, parse_address, parse_network
from policyc.netfilter.arguments import Argument


class MaskedAddress(NamedTuple):
    """`address` as written; the kernel compares what is under the mask of `network`."""

    address: int
    network: Network


@frozen
class MaskedAddressArgument(Argument):
    """`ADDRESS[/MASK]`; `bare_host`: the length of a single address is not printed."""

    bare_host: bool

    def parse(self, word: str, family: int) -> MaskedAddress:
        """Return the address and its network; raise AddressError, or ValueError for a mask with holes."""
        network = parse_network(word, family)
        if network.prefix is None:
            raise ValueError(f"`{word}` has a mask with holes, which iptables takes for a single address here")
        return MaskedAddress(parse_address(word.partition("/")[0], family), network)

    def write(self, value: MaskedAddress, family: int) -> str:
        """Return `ADDRESS/LENGTH`."""
        address = format_address(value.address, family)
        length = value.network.prefix
        return address if length == WIDTH[family] and self.bare_host else f"{address}/{length}"
