"""IPv4 and IPv6 addresses and masked networks as integers, read and printed as iptables does. A value of `policyc.net`.

IPv4 is read by hand because a dump of 100,000 rules has as many addresses; IPv6 goes through the standard library, which
is imported only then. Spelling follows RFC 5952 for IPv6, as inet_ntop(3) does.
"""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.net.intervals import IntervalSet

WIDTH = {4: 32, 6: 128}
ALL_ONES = {4: (1 << 32) - 1, 6: (1 << 128) - 1}
_OCTETS = {str(n): n for n in range(256)}


class AddressError(ValueError):
    """The text is no address; the message says what is wrong with it."""


def parse_address(text: str, family: int) -> int:
    """Return the address as an integer; raise AddressError for anything but a numeric address of that family."""
    if family == 4:
        try:
            a, b, c, d = text.split(".")
            return (_OCTETS[a] << 24) | (_OCTETS[b] << 16) | (_OCTETS[c] << 8) | _OCTETS[d]
        except (KeyError, ValueError):
            raise AddressError(_why_not_ipv4(text)) from None
    import ipaddress  # only IPv6 pays for it

    try:
        if "%" in text:
            raise ValueError("a scope is not part of a rule's address")
        return int(ipaddress.IPv6Address(text))
    except ValueError:
        raise AddressError(_why_not_ipv6(text)) from None


def _why_not_ipv4(text: str) -> str:
    parts = text.split(".")
    if all(part.isdecimal() for part in parts) and parts != [""]:
        if len(parts) != 4:
            return f"`{text}` has {len(parts)} of the 4 numbers of an IPv4 address"
        for part in parts:
            if int(part) > 255:
                return f"`{part}` in `{text}` is over 255, the largest number in an IPv4 address"
        return f"`{text}` has a number with leading zeros, which is not a plain IPv4 address"
    if ":" in text:
        return f"`{text}` looks like an IPv6 address where an IPv4 address is expected"
    return f"`{text}` is not an IPv4 address"


def _why_not_ipv6(text: str) -> str:
    if ":" not in text and text.count(".") == 3:
        return f"`{text}` looks like an IPv4 address where an IPv6 address is expected"
    return f"`{text}` is not an IPv6 address"


def is_host_name(text: str) -> bool:
    """Whether the text can only be a host name: letters where an address would have digits and dots or colons."""
    name = text.split("/", maxsplit=1)[0]
    return ":" not in name and any(c.isalpha() for c in name) and all(c.isalnum() or c in "-._" for c in name)


def format_address(number: int, family: int) -> str:
    """Return the address as iptables-save prints it."""
    if family == 4:
        return f"{number >> 24}.{(number >> 16) & 255}.{(number >> 8) & 255}.{number & 255}"
    import ipaddress

    if (mapped := number >> 32) == 0xFFFF or (not mapped and number > 0xFFFF):
        # inet_ntop(3) writes the dotted form for IPv4-mapped and IPv4-compatible addresses; the standard library does not.
        return ("::ffff:" if mapped else "::") + format_address(number & ALL_ONES[4], 4)
    return str(ipaddress.IPv6Address(number))


@frozen
class Network:
    """An address under a mask: the addresses a with `a & mask == address`. The mask may have holes."""

    family: int
    address: int
    mask: int

    @property
    def prefix(self) -> int | None:
        """The prefix length 0-32 or 0-128, or None where the mask has holes."""
        width = WIDTH[self.family]
        inverse = self.mask ^ ALL_ONES[self.family]
        return width - inverse.bit_length() if not inverse & (inverse + 1) else None

    @property
    def values(self) -> IntervalSet:
        """The addresses as a set; raises ValueError where the mask has holes (use bits there)."""
        if self.prefix is None:
            raise ValueError("a mask with holes is not an interval")
        return IntervalSet(((self.address, self.address | (self.mask ^ ALL_ONES[self.family])),))

    def __contains__(self, number: int) -> bool:
        return number & self.mask == self.address

    def __str__(self) -> str:
        if self.mask == ALL_ONES[self.family]:  # most of them
            return f"{format_address(self.address, self.family)}/{WIDTH[self.family]}"
        prefix = self.prefix
        mask = format_address(self.mask, self.family) if prefix is None else str(prefix)
        return f"{format_address(self.address, self.family)}/{mask}"


def parse_network(text: str, family: int) -> Network:
    """Return the network of `ADDRESS`, `ADDRESS/PREFIX` or `ADDRESS/MASK`; bits outside the mask are cleared, as iptables does.

    Raises AddressError. Use `host_bits` to tell that bits were cleared.
    """
    address, slash, length = text.partition("/")
    mask = _parse_mask(length, text, family) if slash else ALL_ONES[family]
    return Network(family, parse_address(address, family) & mask, mask)


def _parse_mask(text: str, whole: str, family: int) -> int:
    width = WIDTH[family]
    if text.isdecimal() and text.isascii():
        if int(text) > width:
            raise AddressError(f"the prefix length in `{whole}` is over {width}")
        return ALL_ONES[family] ^ (ALL_ONES[family] >> int(text))
    try:
        return parse_address(text, family)
    except AddressError:
        raise AddressError(f"`{text}` in `{whole}` is neither a prefix length from 0 to {width} nor a mask") from None


def host_bits(text: str, family: int) -> bool:
    """Whether a network text sets address bits outside its mask."""
    address, slash, _ = text.partition("/")
    return bool(slash) and parse_address(address, family) & ~parse_network(text, family).mask != 0


def range_network(low: int, high: int, family: int) -> Network | None:
    """Return the network that holds exactly the addresses from low to high, or None where there is none."""
    size = high - low + 1
    if size & (size - 1) or low & (size - 1):
        return None
    return Network(family, low, ALL_ONES[family] ^ (size - 1))
