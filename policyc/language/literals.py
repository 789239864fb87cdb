"""The leaves of the syntax tree: names and literals, each with its place. Literals are valid; no name is resolved.

Equality ignores places, so that two trees are equal when they say the same. Addresses are integers with their family
(4 or 6).
"""

from __future__ import annotations

from dataclasses import field

from policyc.frozen import frozen
from policyc.source import Span

SELF = "self"
ANY = "any"


@frozen
class Name:
    """A name of the policy, a built-in name or a foreign word (chain, user, owner); `self` and `any` where they fit."""

    text: str
    span: Span = field(compare=False, repr=False)


@frozen
class String:
    """A quoted text without its quotes: no line end, no escapes, no control character."""

    text: str
    span: Span = field(compare=False, repr=False)


@frozen
class Number:
    """A decimal number, 0 or more; its place in the grammar says the unit."""

    value: int
    span: Span = field(compare=False, repr=False)


@frozen
class NumberRange:
    """`1000-1999`: user or group ids, first <= last, both included."""

    first: int
    last: int
    span: Span = field(compare=False, repr=False)


@frozen
class Address:
    """One address without a prefix length."""

    family: int
    value: int
    span: Span = field(compare=False, repr=False)


@frozen
class Network:
    """`10.0.0.0/24`, `fd00:10::/64`: no host bits are set."""

    family: int
    value: int
    prefix: int
    span: Span = field(compare=False, repr=False)


@frozen
class AddressRange:
    """`10.0.0.5-10.0.0.9`: first <= last of one family, both included."""

    family: int
    first: int
    last: int
    span: Span = field(compare=False, repr=False)


@frozen
class InterfaceAddress:
    """`192.0.2.1/24` after `address` in a zone: an address of this host, with the prefix length of its network.

    Without a prefix length in the text it is the address alone: /32 or /128.
    """

    family: int
    value: int
    prefix: int
    span: Span = field(compare=False, repr=False)


@frozen
class Interface:
    """An interface as iptables spells it, at most 15 characters; `+` at the end stands for any rest, alone for all."""

    text: str
    span: Span = field(compare=False, repr=False)


@frozen
class Ports:
    """One port (first == last) or a range, 0 to 65535, first <= last. Its place is that of the value that it is part of."""

    first: int
    last: int


@frozen
class PortService:
    """`tcp`, `tcp/80`, `udp/8080-8083`: a protocol with ports; `ports` is None where every port is meant.

    `protocol` is one of tcp, udp, udplite, sctp, dccp.
    """

    protocol: str
    ports: Ports | None
    span: Span = field(compare=False, repr=False)


@frozen
class IcmpService:
    """`icmp`, `icmp/echo-request`, `icmp6/1`, `icmp/3/4`: type and code, None where every one is meant.

    `protocol` is icmp or icmp6. A type's name is kept as written and looked up later; numbers are 0 to 255. A code
    follows numbers only.
    """

    protocol: str
    type: int | str | None
    code: int | None
    span: Span = field(compare=False, repr=False)


@frozen
class ProtocolService:
    """`proto/47`: an IP protocol by number, 0 to 255."""

    number: int
    span: Span = field(compare=False, repr=False)


@frozen
class Endpoint:
    """`web:80`, `[fd00::5]:80`, `10.0.0.9`, `:3128`, `10.0.0.5-10.0.0.9:1024-65535`; at least one part is there.

    No host keeps the address (or is this host, for `redirect` and `tproxy`), no ports keep the port.
    """

    host: Name | Address | Network | AddressRange | None
    ports: Ports | None
    span: Span = field(compare=False, repr=False)


@frozen
class MarkValue:
    """`0x200`, `0x200/0xff00`: a packet mark and the bits it is about, both 0 to 0xffffffff; no mask means all bits."""

    value: int
    mask: int | None
    span: Span = field(compare=False, repr=False)


@frozen
class Mask:
    """`0xff00` after `save-mark` or `restore-mark`: the bits that are copied, 0 to 0xffffffff."""

    value: int
    span: Span = field(compare=False, repr=False)


@frozen
class Rate:
    """`6/minute`: packets in a unit of time; `unit` is second, minute, hour or day."""

    count: int
    unit: str
    span: Span = field(compare=False, repr=False)


@frozen
class Duration:
    """`1h`, `90s`, `1h30m`: a time in seconds, at least 1."""

    seconds: int
    span: Span = field(compare=False, repr=False)


@frozen
class Days:
    """`mon`, `mon-fri`, `sat-mon`: days of the week, 1 (Monday) to 7 (Sunday); a range may go over the week's end."""

    first: int
    last: int
    span: Span = field(compare=False, repr=False)


@frozen
class Hours:
    """`08:00-18:00`: a time of day, UTC, in minutes since midnight; `24:00` is 1440; start > end goes over midnight."""

    start: int
    end: int
    span: Span = field(compare=False, repr=False)


AddressValue = Name | Address | Network | AddressRange
ServiceValue = Name | PortService | IcmpService | ProtocolService
Value = Name | String | Number | AddressValue | ServiceValue | Endpoint | MarkValue
