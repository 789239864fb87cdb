"""What a `test` block says: packets with a verdict, and proofs over all packets. `explain` reads the same packets.

A PACKET reads `tcp 203.0.113.9:51000 -> 198.51.100.1:443 in eth0 flags SYN state new mark 0x1 ttl 64`.
"""

from __future__ import annotations

from dataclasses import field

from policyc.frozen import frozen
from policyc.language.literals import Endpoint, Interface, MarkValue, Name, Number, ServiceValue, String
from policyc.language.rules import Comment, Pair
from policyc.language.words import Word
from policyc.source import Span


@frozen
class Packet:
    """One packet, or one for each address of a name; what is not said is None (`flags`: None, not an empty tuple).

    `protocol` is a protocol, an ICMP type or a built-in name; it never has ports, those stand at the endpoints. `entry`
    (after `in`) and `exit` (after `out`) are interfaces or zones; `out` alone, this host sends it, is `local` without
    `exit`. `flags` are TCP flags in upper case (`NONE` alone for none), `state` a kernel word in lower case, `ttl` 0 to
    255.
    """

    protocol: ServiceValue | None
    source: Endpoint
    destination: Endpoint
    entry: Interface | None
    local: bool
    exit: Interface | None
    flags: tuple[str, ...] | None
    state: str | None
    mark: Name | MarkValue | None
    ttl: Number | None
    span: Span = field(compare=False, repr=False)


@frozen
class Translation:
    """`becomes [source ->] destination`: the packet after all NAT."""

    source: Endpoint | None
    destination: Endpoint
    span: Span = field(compare=False, repr=False)


@frozen
class PacketTest:
    """`accept PACKET becomes … by …`: `verdict` is accept, drop or reject; `by` names the deciding rule."""

    verdict: str
    packet: Packet
    becomes: Translation | None
    by: Name | None
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class Proof:
    """`never A -> B services words except …`, `always …`: about all packets.

    `quantifier` is never or always; `any_packet` asks for replies and related packets too; `exceptions` are the rules,
    intents, presets or defines after `except`.
    """

    quantifier: str
    any_packet: bool
    pair: Pair
    services: tuple[ServiceValue, ...]
    words: tuple[Word, ...]
    exceptions: tuple[Name, ...]
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


TestLine = PacketTest | Proof


@frozen
class TestBlock:
    """`test "name" { lines }`."""

    name: String
    lines: tuple[TestLine, ...]
    comments: tuple[Comment, ...]
    head: Span = field(compare=False, repr=False)
    span: Span = field(compare=False, repr=False)
