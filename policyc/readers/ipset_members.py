"""The words of `ipset add` become keys of members, ranges and networks written out as the kernel does it.

Second step of reading an ipset dump. Sources: ipset(8), lib/parse.c of ipset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from policyc.host.set_kinds import Part
from policyc.host.set_values import Key, MemberSet, prefix_mask, whole
from policyc.net.addresses import ALL_ONES, format_address, parse_address
from policyc.net.protocols import ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE, parse_protocol
from policyc.net.services import port_of
from policyc.netfilter.extensions import icmp, icmp6
from policyc.netfilter.extensions.icmp_types import named_by

_MAC = re.compile(r"[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2}){5}")
_WITHOUT_ZERO_PREFIX = frozenset(("hash:net", "hash:net,port", "hash:ip,port,net"))
_PORT_NAMES = {TCP: "tcp", UDP: "udp", SCTP: "sctp", UDPLITE: "udp"}
_MOST_PARTS = 1 << 20


def members_of(one: MemberSet, text: str) -> tuple[list[Key], int | None]:
    """Return the keys that an element's text adds, and the MAC of a member of `bitmap:ip,mac`. Raises ValueError."""
    parts = one.shape.parts
    words = text.split(",")
    mac = None
    if one.kind == "bitmap:ip,mac":
        if len(words) == 2:
            mac = parse_mac(words.pop())
        parts = parts[:1]
    if len(words) != len(parts):
        raise ValueError(f"`{text}` has {len(words)} parts; a member of {one.kind} has {len(parts)}")
    choices = [list(_values(one, part, word)) for part, word in zip(parts, words, strict=True)]
    total = 1
    for values in choices:
        total *= len(values)
    if total > one.size:
        raise ValueError(f"`{text}` stands for {total} members; the set takes {one.size}")
    return list(dict.fromkeys(product(*choices))), mac


def parse_mac(text: str) -> int:
    """Return a MAC address as a number of 48 bits; raise ValueError."""
    if not _MAC.fullmatch(text):
        raise ValueError(f"`{text}` is not a MAC address like 02:00:00:00:00:01")
    return sum(int(byte, 16) << (40 - 8 * n) for n, byte in enumerate(text.split(":")))


def parse_range(text: str, family: int) -> tuple[int, int]:
    """Return first and last address of `A`, `A/PREFIX` or `A-B`; raise ValueError."""
    first, dash, last = text.partition("-")
    if dash:
        low, high = parse_address(first, family), parse_address(last, family)
        return min(low, high), max(low, high)
    address, prefix = parse_prefixed(text, family)
    mask = prefix_mask(family, prefix)
    return (address & mask, address | (mask ^ ALL_ONES[family])) if prefix < whole(family) else (address, address)


def parse_prefixed(text: str, family: int) -> tuple[int, int]:
    """Return the address, host bits kept, and the prefix length of `A` or `A/PREFIX`; raise ValueError."""
    address, slash, length = text.partition("/")
    if slash and not (length.isdecimal() and length.isascii() and int(length) <= whole(family)):
        raise ValueError(f"`{length}` in `{text}` is not a prefix length from 0 to {whole(family)}")
    return parse_address(address, family), int(length) if slash else whole(family)


def _values(one: MemberSet, part: Part, word: str) -> Iterator[object]:
    if part is Part.IP:
        low, high = parse_range(word, one.family)
        if high - low >= _MOST_PARTS:
            raise ValueError(f"`{word}` stands for {high - low + 1} members; the set takes {one.size}")
        if one.kind.startswith("bitmap:") and not one.low <= low <= high <= one.high:
            bounds = f"{format_address(one.low, 4)}-{format_address(one.high, 4)}"
            raise ValueError(f"`{word}` is outside the set's range {bounds}")
        yield from dict.fromkeys(one.masked(address) for address in range(low, high + 1))
    elif part is Part.NET:
        yield from _networks(one, word)
    elif part is Part.PORT:
        yield from _ports(word)
    elif part is Part.PORT_ALONE:
        low, high = _port_range(word.partition(":")[2] or word, "tcp")
        if not one.low <= low <= high <= one.high:
            raise ValueError(f"`{word}` is outside the set's range {one.low}-{one.high}")
        yield from range(low, high + 1)
    elif part is Part.MAC:
        yield parse_mac(word)
    elif part is Part.MARK:
        yield parse_mark(word) & one.markmask
    elif word:
        yield word
    else:
        raise ValueError("the name is missing")


def _networks(one: MemberSet, word: str) -> Iterator[tuple[int, int]]:
    if "-" in word:
        low, high = parse_range(word, one.family)
        while low <= high:  # the largest networks that fit, from the left
            free = whole(one.family) if low == 0 else (low & -low).bit_length() - 1
            size = min(free, (high - low + 1).bit_length() - 1)
            yield low, whole(one.family) - size
            low += 1 << size
        return
    address, prefix = parse_prefixed(word, one.family)
    if prefix == 0 and one.kind in _WITHOUT_ZERO_PREFIX:
        raise ValueError(f"`{word}`: {one.kind} takes no prefix of length 0; use two of length 1")
    yield one.masked(address) & prefix_mask(one.family, prefix), prefix


def _ports(word: str) -> Iterator[tuple[int, int]]:
    name, colon, rest = word.partition(":")
    if not colon:
        name, rest = "tcp", word
    protocol = parse_protocol(name)
    if protocol in {ICMP, ICMPV6}:
        yield protocol, _icmp(protocol, rest)
        return
    if protocol not in _PORT_NAMES:
        if rest != "0":
            raise ValueError(f"`{word}`: only `{name}:0` can be said of a protocol without ports")
        yield protocol, 0
        return
    low, high = _port_range(rest, _PORT_NAMES[protocol])
    yield from ((protocol, port) for port in range(low, high + 1))


def _port_range(text: str, protocol: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if dash and first.isdecimal() and last.isdecimal():
        low, high = port_of(first), port_of(last)
        return min(low, high), max(low, high)
    port = port_of(text) if text.isdecimal() else port_of(text, protocol)
    return port, port


def _icmp(protocol: int, text: str) -> int:
    number, slash, code = text.partition("/")
    if number.isdecimal():
        values = int(number), int(code) if slash and code.isdecimal() else 0
        if max(values) > 255 or (slash and not code.isdecimal()):
            raise ValueError(f"`{text}` is no ICMP type and code, each from 0 to 255")
        return values[0] * 256 + values[1]
    names = icmp.NAMES if protocol == ICMP else icmp6.NAMES
    if text == "ping":
        text = "echo-request"
    found = named_by(text, names)
    return found.type * 256 + found.low


def parse_mark(text: str) -> int:
    """Return a mark of 32 bits, decimal, octal or with 0x; raise ValueError."""
    try:
        value = int(text, 16 if text[:2].lower() == "0x" else 8 if text[:1] == "0" and len(text) > 1 else 10)
    except ValueError:
        raise ValueError(f"`{text}` is not a number") from None
    if not 0 <= value <= 0xFFFFFFFF:
        raise ValueError(f"`{text}` does not fit in 32 bits")
    return value
