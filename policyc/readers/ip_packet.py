"""The bytes of an IP packet become Headers. Used by `pcap`, and for what an ICMP error quotes.

Sources: RFC 791, RFC 8200, RFC 9293, RFC 792, RFC 4443, RFC 4302; numbers are IANA's.
"""

from __future__ import annotations

from dataclasses import replace

from policyc.frozen import frozen
from policyc.net.headers import Headers
from policyc.net.protocols import AH, DCCP, ESP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE

_HOP, _ROUTING, _FRAGMENT, _DESTINATION, _MOBILITY, _HIP, _SHIM = 0, 43, 44, 60, 135, 139, 140
_EXTENSIONS = frozenset((_HOP, _ROUTING, _FRAGMENT, _DESTINATION, _MOBILITY, _HIP, _SHIM, AH))
_QUOTING = {ICMP: frozenset((3, 4, 5, 11, 12)), ICMPV6: frozenset((1, 2, 3, 4))}
_IDENTIFIED = {ICMP: frozenset((0, 8, *range(13, 19))), ICMPV6: frozenset((128, 129))}
_HEADERS = {TCP: 20, UDP: 8, UDPLITE: 8, SCTP: 12, DCCP: 12, ICMP: 8, ICMPV6: 8}
_NAMES = {
    TCP: "TCP",
    UDP: "UDP",
    UDPLITE: "UDP-Lite",
    SCTP: "SCTP",
    DCCP: "DCCP",
    ICMP: "ICMP",
    ICMPV6: "ICMPv6",
    ESP: "ESP",
    AH: "AH",
}


class PacketError(ValueError):
    """The bytes are no packet; the message says what is missing."""


@frozen
class _Cut:
    """The end of an IP header: what follows, and how long it is on the wire; `quoted` packets may end anywhere."""

    proto: int
    data: bytes
    length: int
    fragment: bool
    first: bool
    quoted: bool


def read_ip(data: bytes, *, quoted: bool = False) -> Headers:
    """Return the headers of an IPv4 or IPv6 packet; one that an ICMP error quotes may end behind its ports.

    Of a later fragment (`fragment`) there are no ports, of a first one neither length nor payload. Raises PacketError.
    """
    if not data:
        raise PacketError("there is nothing behind its link-layer header")
    version = data[0] >> 4
    if version == 4:
        return _ipv4(data, quoted)
    if version == 6:
        return _ipv6(data, quoted)
    raise PacketError(f"its IP header says version {version}, and must say 4 or 6")


def _ipv4(data: bytes, quoted: bool) -> Headers:
    _need(data, 20, "IPv4", 0)
    size = (data[0] & 15) * 4
    if size < 20:
        raise PacketError(f"its IPv4 header says that it is {size} bytes long, and has at least 20")
    _need(data, size, "IPv4", 0)
    total = _number(data, 2, 2) or len(data)  # 0: the card splits it later (segmentation offload)
    if total < size:
        raise PacketError(f"its IPv4 header says that the packet has {total} bytes, less than the header")
    offset, more = _number(data, 6, 2) & 0x1FFF, bool(data[6] & 0x20)
    made = Headers(4, _number(data, 12, 4), _number(data, 16, 4), data[9], ttl=data[8], tos=data[1])
    cut = _Cut(data[9], data[size:total], total - size, offset > 0, more and not offset, quoted)
    return _transport(replace(made, length=None if cut.first else total), cut)


def _ipv6(data: bytes, quoted: bool) -> Headers:
    _need(data, 40, "IPv6", 0)
    total = 40 + _number(data, 4, 2) if _number(data, 4, 2) else len(data)
    following, at = data[6], 40
    spi = None
    fragment = first = False
    while following in _EXTENSIONS and not fragment:
        if quoted and len(data) < at + 8:
            break
        _need(data, at + 8, "IPv6 extension", at)
        this, following = following, data[at]
        size = 8 if this == _FRAGMENT else (data[at + 1] + 2) * 4 if this == AH else (data[at + 1] + 1) * 8
        if this == _FRAGMENT:
            fragment, first = _number(data, at + 2, 2) > 7, bool(data[at + 3] & 1)
        elif this == AH:
            spi = _number(data, at + 4, 4)
        at += size
    first = first and not fragment
    made = Headers(
        6,
        _number(data, 8, 16),
        _number(data, 24, 16),
        following,
        ttl=data[7],
        tos=_number(data, 0, 2) >> 4 & 255,
        spi=spi,
    )
    cut = _Cut(following, data[at:total], max(total - at, 0), fragment, first, quoted)
    return _transport(replace(made, length=None if first else total), cut)


def _transport(made: Headers, cut: _Cut) -> Headers:
    """Add what the header behind IP says."""
    data, proto = cut.data, cut.proto
    if cut.fragment:
        return replace(made, fragment=True)
    enough = {ESP: 4, AH: 8}.get(proto, _HEADERS.get(proto, 0))
    whole = len(data) >= enough
    if not whole and not cut.quoted:
        raise PacketError(f"it ends within its {_NAMES[proto]} header, {len(data)} of {enough} bytes")
    size = _HEADERS.get(proto, 0)
    if proto == TCP and len(data) >= 20:
        size = (data[12] >> 4) * 4
        if size < 20:
            raise PacketError(f"its TCP header says that it is {size} bytes long, and has at least 20")
        made = replace(
            made, ack=_number(data, 8, 4), flags=data[13], window=_number(data, 14, 2), mss=_mss(data[20:size])
        )  # fmt: skip
    if proto in {TCP, UDP, UDPLITE, SCTP, DCCP} and len(data) >= 4:
        made = replace(made, sport=_number(data, 0, 2), dport=_number(data, 2, 2))
    if proto == TCP and len(data) >= 8:
        made = replace(made, seq=_number(data, 4, 4))
    if proto in _QUOTING and whole:
        made = _icmp(made, proto, data, quoted=cut.quoted)
    if proto == ESP and whole:
        made = replace(made, spi=_number(data, 0, 4))
    if proto == AH and whole:
        made = replace(made, spi=_number(data, 4, 4))
    return made if cut.first or not whole else replace(made, payload=max(cut.length - size, 0))


def _icmp(made: Headers, proto: int, data: bytes, *, quoted: bool) -> Headers:
    kind = data[0]
    made = replace(made, icmp=_number(data, 0, 2))
    if kind in _IDENTIFIED[proto]:
        return replace(made, icmp_id=_number(data, 4, 2))
    if kind in _QUOTING[proto] and not quoted:
        try:
            return replace(made, inner=read_ip(data[8:], quoted=True))
        except PacketError as error:
            raise PacketError(f"the packet that its ICMP error quotes is none: {error}") from None
    return made


def _mss(options: bytes) -> int | None:
    at = 0
    while at < len(options) and options[at]:
        if options[at] == 1:
            at += 1
            continue
        if options[at] == 2 and at + 4 <= len(options):
            return _number(options, at + 2, 2)
        if at + 1 >= len(options):
            break
        at += max(options[at + 1], 2)
    return None


def _need(data: bytes, size: int, what: str, start: int) -> None:
    if len(data) < size:
        raise PacketError(f"it ends within its {what} header, {max(len(data) - start, 0)} of {size - start} bytes")


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")
