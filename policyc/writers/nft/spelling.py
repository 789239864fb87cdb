"""Names, texts and numbers as nft(8) reads them: the quoting of this format, in one place.

An identifier of nft begins with a letter and goes on with letters, digits, slashes, dots, dashes and underscores; keywords
are none. Ours begin with a word and `_`, which no keyword does. A quoted text ends at the next double quote: there is no escape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from policyc.net.addresses import format_address, range_network
from policyc.net.intervals import IntervalSet
from policyc.net.protocols import DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE
from policyc.writers.nft.conditions import NoForm

_ODD = re.compile(rb"[^A-Za-z0-9_.-]")
LONGEST_COMMENT = 127  # bytes, NFTNL_UDATA_COMMENT_MAXLEN with its NUL
PROTOCOLS = {
    TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMPV6: "ipv6-icmp", SCTP: "sctp", DCCP: "dccp", UDPLITE: "udplite",
    50: "esp", 51: "ah",
}  # fmt: skip


def identifier(kind: str, name: str) -> str:
    """Return `kind_name`, every character that nft does not take written as `/xHH`, so that names stay different."""
    escaped = _ODD.sub(lambda found: f"/x{found[0][0]:02x}".encode(), name.encode(errors="surrogateescape"))
    return f"{kind}_{escaped.decode('ascii')}"


def quoted(text: str, what: str) -> str:
    """Return a text in double quotes. Raises NoForm where it has one itself."""
    if '"' in text:
        raise NoForm(f"the {what} {text!r}; nft knows no way to write a double quote in a text")
    return f'"{text}"'


def interface(pattern: str) -> str:
    """Return the name of an interface, or with a trailing `*` the beginning of names; a star of its own is escaped."""
    return quoted(pattern, "interface name")


def protocol(number: int) -> str:
    """Return a protocol as nft lists it, where its name is the same everywhere, else the number."""
    return PROTOCOLS.get(number, str(number))


def addresses(values: IntervalSet, family: int) -> Iterable[str]:
    """Yield each span of addresses: a network where it is one, else a range."""
    for low, high in values:
        if low == high:
            yield format_address(low, family)
        elif (network := range_network(low, high, family)) is not None:
            yield str(network)
        else:
            yield f"{format_address(low, family)}-{format_address(high, family)}"


def numbers(values: IntervalSet, form: str = "d") -> Iterable[str]:
    """Yield each span of numbers."""
    for low, high in values:
        yield f"{low:{form}}" if low == high else f"{low:{form}}-{high:{form}}"


def macs(values: IntervalSet) -> Iterable[str]:
    """Yield each span of MAC addresses."""
    for low, high in values:
        first, last = low.to_bytes(6).hex(":"), high.to_bytes(6).hex(":")
        yield first if low == high else f"{first}-{last}"


def comment(text: str) -> str | None:
    """Return a comment as a rule can have it, None where it is too long or has a double quote."""
    return f'comment "{text}"' if '"' not in text and len(text.encode()) <= LONGEST_COMMENT else None
