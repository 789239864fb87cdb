"""Messages that make an nf_tables table with chains and rules, as bytes: what `tracing` sends without any program's help.

Sources: include/uapi/linux/netfilter/nf_tables.h, nfnetlink.h; the values are the kernel's.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from policyc.net.protocols import ICMP, ICMPV6, TCP
from policyc.observation.criteria import Criteria, Range

INET = 1  # NFPROTO_INET
PREROUTING, LOCAL_IN, FORWARD, LOCAL_OUT, POSTROUTING = range(5)  # enum nf_inet_hooks
OWNER = 2  # NFT_TABLE_F_OWNER: the table ends with the socket that made it, whatever ends the process (Linux 5.12)

_BATCH_BEGIN, _BATCH_END, _SUBSYSTEM = 16, 17, 10
_NEWTABLE, _NEWCHAIN, _NEWRULE = 0, 3, 6
_REQUEST, _ACK, _EXCLUSIVE, _CREATE, _APPEND = 1, 4, 0x200, 0x400, 0x800
_NESTED = 0x8000
_REGISTER = 1  # NFT_REG_1
_META_MARK, _META_IIFNAME, _META_OIFNAME, _META_NFTRACE, _META_NFPROTO, _META_L4PROTO = 3, 6, 7, 12, 15, 16
_NETWORK, _TRANSPORT = 1, 2  # bases of a payload
_EQUAL, _AT_MOST, _AT_LEAST = 0, 3, 5  # NFT_CMP_EQ, LTE, GTE
_NFPROTO = {4: 2, 6: 10}
# Of the IP header: where source and destination address and the TTL stand, and how long an address is.
_PLACES = {4: (12, 16, 8, 4), 6: (8, 24, 7, 16)}
_NAME_SIZE = 16  # IFNAMSIZ


def batch(messages: Sequence[bytes]) -> bytes:
    """Return messages, numbered from 1, as one transaction."""
    subsystem = struct.pack("=BB", 0, 0) + struct.pack("!H", _SUBSYSTEM)
    begin, end = (_message(kind, 0, 0, subsystem) for kind in (_BATCH_BEGIN, _BATCH_END))
    return begin + b"".join(_numbered(message, number) for number, message in enumerate(messages, 1)) + end


def table(name: str) -> bytes:
    """Return the message that makes a table of family inet which ends with this socket."""
    return _ask(_NEWTABLE, _CREATE | _EXCLUSIVE, _text(1, name) + _u32(2, OWNER))


def chain(of: str, name: str, hook: int, priority: int) -> bytes:
    """Return the message that makes a base chain with policy accept."""
    at = _nest(4, _u32(1, hook) + _attribute(2, struct.pack("!i", priority)))
    return _ask(_NEWCHAIN, _CREATE | _EXCLUSIVE, _text(1, of) + _text(3, name) + at + _u32(5, 1) + _text(7, "filter"))


def tracing_rule(of: str, name: str, criteria: Criteria, *, received: bool) -> bytes:
    """Return the message that appends to a chain the rule by which packets that fit are traced from there on.

    `received`: the chain sees packets that come in, which have no interface to leave by yet; else those that this host sends.
    """
    tests = b"".join(_tests(criteria, received))
    start = _expression("immediate", _u32(1, _REGISTER) + _nest(2, _attribute(1, b"\1")))
    start += _expression("meta", _u32(2, _META_NFTRACE) + _u32(3, _REGISTER))
    return _ask(_NEWRULE, _CREATE | _APPEND, _text(1, of) + _text(2, name) + _nest(4, tests + start))


def _tests(criteria: Criteria, received: bool) -> list[bytes]:
    source, destination, ttl, size = _PLACES[criteria.family]
    found = [_meta(_META_NFPROTO), _compare(_EQUAL, bytes([_NFPROTO[criteria.family]]))]
    interface = criteria.entry if received else criteria.exit
    if interface:
        found += _interface(_META_IIFNAME if received else _META_OIFNAME, interface)
    if criteria.mark is not None:
        value, mask = (struct.pack("=I", number) for number in (criteria.mark.value, criteria.mark.mask))
        found += [_meta(_META_MARK), _masked(mask), _compare(_EQUAL, value)]
    for at, bounds in ((source, criteria.source), (destination, criteria.destination)):
        if bounds is not None:
            found += _within(_NETWORK, at, size, bounds)
    if criteria.ttl is not None:
        found += _within(_NETWORK, ttl, 1, (criteria.ttl, criteria.ttl))
    if criteria.proto is not None:
        found += [_meta(_META_L4PROTO), _compare(_EQUAL, bytes([criteria.proto]))]
    for at, bounds in ((0, criteria.sport), (2, criteria.dport)):
        if bounds is not None:
            found += _within(_TRANSPORT, at, 2, bounds)
    if criteria.icmp is not None and criteria.proto in {ICMP, ICMPV6}:
        kind, code = criteria.icmp
        found += _within(_TRANSPORT, 0, 1, (kind, kind))
        if code is not None:
            found += _within(_TRANSPORT, 1, 1, (code, code))
    if criteria.flags is not None and criteria.proto == TCP:
        found += _within(_TRANSPORT, 13, 1, (criteria.flags, criteria.flags))
    return found


def _interface(key: int, pattern: str) -> list[bytes]:
    """Return the test of an interface's name, whose `+` at the end stands for any rest."""
    name = pattern.encode()
    if name.endswith(b"+"):
        return [_meta(key), _compare(_EQUAL, name[:-1])] if len(name) > 1 else []
    return [_meta(key), _compare(_EQUAL, name.ljust(_NAME_SIZE, b"\0"))]


def _within(base: int, at: int, size: int, bounds: Range) -> list[bytes]:
    first, last = (number.to_bytes(size, "big") for number in bounds)
    load = _expression("payload", _u32(1, _REGISTER) + _u32(2, base) + _u32(3, at) + _u32(4, size))
    if first == last:
        return [load, _compare(_EQUAL, first)]
    return [load, _compare(_AT_LEAST, first), _compare(_AT_MOST, last)]


def _meta(key: int) -> bytes:
    return _expression("meta", _u32(1, _REGISTER) + _u32(2, key))


def _masked(mask: bytes) -> bytes:
    zeros = bytes(len(mask))
    registers = _u32(1, _REGISTER) + _u32(2, _REGISTER) + _u32(3, len(mask))
    return _expression("bitwise", registers + _nest(4, _attribute(1, mask)) + _nest(5, _attribute(1, zeros)))


def _compare(how: int, value: bytes) -> bytes:
    return _expression("cmp", _u32(1, _REGISTER) + _u32(2, how) + _nest(3, _attribute(1, value)))


def _expression(name: str, data: bytes) -> bytes:
    return _nest(1, _text(1, name) + _nest(2, data))


def _ask(kind: int, flags: int, body: bytes) -> bytes:
    head = struct.pack("=BBH", INET, 0, 0)
    return _message(_SUBSYSTEM << 8 | kind, flags | _ACK, 0, head + body)


def _message(kind: int, flags: int, number: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, _REQUEST | flags, number, 0) + body


def _numbered(message: bytes, number: int) -> bytes:
    return message[:8] + struct.pack("=I", number) + message[12:]


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _nest(kind: int, value: bytes) -> bytes:
    return _attribute(kind | _NESTED, value)


def _u32(kind: int, value: int) -> bytes:
    return _attribute(kind, struct.pack("!I", value))


def _text(kind: int, value: str) -> bytes:
    return _attribute(kind, value.encode() + b"\0")
