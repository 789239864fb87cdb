"""`KIND name = value words`: the definitions, one class a kind. A name is known in the whole policy."""

from __future__ import annotations

from dataclasses import field

from policyc.frozen import frozen
from policyc.language.literals import (
    AddressValue,
    Days,
    Duration,
    Hours,
    Interface,
    InterfaceAddress,
    MarkValue,
    Name,
    Number,
    Rate,
    ServiceValue,
    String,
)
from policyc.language.rules import Comment
from policyc.source import Span


@frozen
class ZoneDefinition:
    """`zone lan = interface eth1 network 10.0.0.0/24 address 10.0.0.1/24 owner docker`.

    At least one interface, network or address is there. A name among the networks is an `address` definition.
    """

    name: Name
    interfaces: tuple[Interface, ...]
    networks: tuple[AddressValue, ...]
    addresses: tuple[InterfaceAddress, ...]
    owner: Name | None
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class AddressDefinition:
    """`address admins = 203.0.113.0/24, 2001:db8:aa::/48`."""

    name: Name
    values: tuple[AddressValue, ...]
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class ServiceDefinition:
    """`service api = tcp/8080-8083, udp/8443`."""

    name: Name
    values: tuple[ServiceValue, ...]
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class SetDefinition:
    """`set banned = address timeout 1h`: `content` is address or network.

    `owner` and `external` (after `name`) say that another tool makes the set, and what it is called there.
    """

    name: Name
    content: str
    timeout: Duration | None
    owner: Name | None
    external: String | None
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class LimitKey:
    """`source`, `destination/24`: what a limit counts apart; no prefix means the whole address."""

    key: str
    prefix: int | None
    span: Span = field(compare=False, repr=False)


@frozen
class LimitDefinition:
    """`limit ssh = 6/minute burst 5 per source`, `limit few = 50 connections per source/24`: a rate or connections.

    Exactly one of `rate` and `connections` is there; a burst goes with a rate.
    """

    name: Name
    rate: Rate | None
    connections: Number | None
    burst: Number | None
    per: LimitKey | None
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class LogDefinition:
    """`log edge = "edge" limit 1/second burst 3`, `log x = "x" nflog 5`: `group` is the nflog group, 0 to 65535."""

    name: Name
    text: String
    group: Number | None
    rate: Rate | None
    burst: Number | None
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class MarkDefinition:
    """`mark via2 = 0x200/0xff00`."""

    name: Name
    value: MarkValue
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class ScheduleDefinition:
    """`schedule office = mon-fri 08:00-18:00 utc`: no days means every day, no hours all day; one is there."""

    name: Name
    days: tuple[Days, ...]
    hours: tuple[Hours, ...]
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


Definition = (
    ZoneDefinition
    | AddressDefinition
    | ServiceDefinition
    | SetDefinition
    | LimitDefinition
    | LogDefinition
    | MarkDefinition
    | ScheduleDefinition
)
