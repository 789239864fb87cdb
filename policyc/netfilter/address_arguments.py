"""The argument kinds that are addresses: single ones, ranges, and networks under masks. `arguments` has all others."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.net.addresses import ALL_ONES, WIDTH, Network, format_address, parse_address, parse_network
from policyc.net.intervals import IntervalSet
from policyc.netfilter.arguments import Argument


@frozen
class Address(Argument):
    """One address of the rule's family, as an integer."""

    def parse(self, word: str, family: int) -> int:
        """Return the address; raise AddressError."""
        return parse_address(word, family)

    def write(self, value: int, family: int) -> str:
        """Return the address."""
        return format_address(value, family)


@frozen
class NetworkArgument(Argument):
    """An address with an optional mask; without one it is a single address, printed with its full length."""

    def parse(self, word: str, family: int) -> Network:
        """Return the network; raise AddressError."""
        return parse_network(word, family)

    def write(self, value: Network, family: int) -> str:  # noqa: ARG002
        """Return `ADDRESS/LENGTH`."""
        return str(value)


@frozen
class PrefixLength(Argument):
    """The length of a network prefix, or a mask without holes, as a number from 0 to 32 or 128."""

    def parse(self, word: str, family: int) -> int:
        """Return the length; raise ValueError for a number that is too large and for a mask with holes."""
        width = WIDTH[family]
        if word.isascii() and word.isdecimal():
            length: int | None = int(word)
        else:
            length = Network(family, 0, parse_address(word, family)).prefix
        if length is None or length > width:
            raise ValueError(f"`{word}` is neither a prefix length from 0 to {width} nor such a mask")
        return length


@frozen
class MaskedAddress(Argument):
    """An address under a mask as a pair; bits outside the mask are kept and printed, though the kernel ignores them.

    So do the matches that test addresses of a connection or of an IPsec tunnel. A mask with holes iptables 1.8.9 takes for a
    full one here, without a word (xtopt_parse_plenmask; measured): it is refused.
    """

    def parse(self, word: str, family: int) -> tuple[int, int]:
        """Return address and mask; raise AddressError, or ValueError for a mask with holes."""
        network = parse_network(word, family)
        if network.prefix is None:
            raise ValueError(f"`{word}` has a mask with holes, which iptables takes for a single address here")
        return parse_address(word.partition("/")[0], family), network.mask

    def write(self, value: tuple[int, int], family: int) -> str:
        """Return the address alone under a full mask, else `ADDRESS/LENGTH`."""
        address, mask = value
        text = format_address(address, family)
        if mask == ALL_ONES[family]:
            return text
        return f"{text}/{Network(family, address & mask, mask).prefix}"


@frozen
class AddressRange(Argument):
    """`LOW-HIGH` (or one address when `single`) as an IntervalSet of one span."""

    single: bool = True

    def parse(self, word: str, family: int) -> IntervalSet:
        """Return the span; raise ValueError."""
        first, mark, last = word.partition("-")
        if not mark and not self.single:
            raise ValueError(f"`{word}` is not a range of addresses, which is written LOW-HIGH")
        low = parse_address(first, family)
        high = parse_address(last, family) if mark else low
        if low > high:
            raise ValueError(f"the address range `{word}` runs backwards")
        return IntervalSet(((low, high),))

    def write(self, value: IntervalSet, family: int) -> str:
        """Return `LOW-HIGH`, or one address where both are the same and that is allowed."""
        ((low, high),) = value.spans
        if low == high and self.single:
            return format_address(low, family)
        return f"{format_address(low, family)}-{format_address(high, family)}"
