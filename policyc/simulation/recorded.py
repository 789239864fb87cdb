"""The packets of a recorded case, JSON, become Packets and entries of the connection table; all faults are reported at once.

Part of `policyc.simulation`, used by `replay`. The form of a case is in docs/api.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from policyc.diagnostics import Diagnostic, InputError, diagnose
from policyc.host.frames import BROADCAST_MAC, packet_type
from policyc.host.host import Host
from policyc.net.addresses import parse_address
from policyc.net.headers import Headers
from policyc.net.protocols import AH, DCCP, ESP, ICMP, ICMPV6, MOBILITY, NO_NEXT_HEADER, SCTP, TCP, UDP, parse_protocol
from policyc.readers.ipset_members import parse_mac
from policyc.simulation.connection import CONFIRMED, Connection, ConnectionTable, FlowTuple
from policyc.simulation.headers import packet_of as as_packet
from policyc.simulation.packet import FLAGS, MSS_OPTION, Packet

_MULTICAST_MACS = {4: 0x01005E000000, 6: 0x333300000000}
_LISTED = frozenset((TCP, UDP, ICMP, ICMPV6, SCTP))
EXTENSION_HEADERS = ("hop", "dst", "route", "frag", "auth")  # as `-m ipv6header` names them
_Read = TypeVar("_Read")


class Known(NamedTuple):
    """A connection that a case gives: its tuples, status bits, mark and TCP state, "" where it has none."""

    original: FlowTuple
    reply: FlowTuple
    status: int
    mark: int
    tcp_state: str


class Described(NamedTuple):
    """A packet with its number; `connections` are those before it, None where the case does not give them."""

    number: int
    fresh: bool
    packet: Packet
    connections: list[Known] | None


def described(items: object, host: Host) -> list[Described]:
    """Return the packets of a case in their order; raises InputError with the first fault of each that has one."""
    if not isinstance(items, list):
        raise InputError([diagnose("bad-packet", "the case has no list `packets`")])
    found: list[Described] = []
    problems: list[Diagnostic] = []
    for place, item in enumerate(items):
        try:
            found.append(reading(f"packet {place} of the case", _described, item, place, host))
        except InputError as error:
            problems += error.diagnostics
    if problems:
        raise InputError(problems)
    return found


def reading(what: str, read: Callable[..., _Read], *arguments: Any) -> _Read:
    """Return what a reader of JSON makes of something; raises InputError that names `what` where it is not as it should be."""
    try:
        return read(*arguments)
    except KeyError as missing:
        raise InputError([diagnose("bad-packet", f"{what} has no `{missing.args[0]}`")]) from None
    except ValueError as wrong:
        raise InputError([diagnose("bad-packet", f"{what}: {wrong}")]) from None
    except (TypeError, AttributeError):
        raise InputError([diagnose("bad-packet", f"{what}: a value in it is not of the right kind")]) from None


def _described(item: Mapping[str, Any], place: int, host: Host) -> Described:
    entries = item.get("conntrack")
    known = None if entries is None else [_known(entry) for entry in entries]
    return Described(_number(item, "n", place), bool(item.get("fresh", True)), packet_of(item, host), known)


def packet_of(given: Mapping[str, Any], host: Host) -> Packet:
    """Return the packet that a case describes; raises ValueError or KeyError where it does not."""
    direction = given["dir"]
    if direction not in {"in", "out"}:
        raise ValueError(f"`dir` is `in` or `out`, not `{direction}`")
    family = 6 if ":" in given["src"] else 4
    packet = as_packet(_headers(given, family))
    _add_details(packet, given)
    packet.ttl, packet.tos = _number(given, "ttl", 64), _number(given, "tos", 0)
    packet.bad_checksum = bool(given.get("badsum"))
    packet.outgoing = direction == "out"
    packet.cpu = _number(given, "cpu") if "cpu" in given else None
    if "ctstate" in given and not given.get("ctstate_assumed"):
        packet.claimed = str(given["ctstate"]), given.get("ctdir") == "reply"
        packet.expected_by = given.get("helper")
    if packet.outgoing:
        packet.mark = _number(given, "mark", 0)
        packet.uid, packet.gid = _number(given, "uid", 0), _number(given, "gid", 0)
        return packet
    packet.iif = given["iface"]
    interface = host.interface(given["iface"])
    if interface is None:
        raise ValueError(f"the host has no interface `{given['iface']}`")
    packet.pkttype = packet_type(interface, _destination_mac(given.get("dst_mac", "host"), family))
    packet.mac_src = parse_mac(given["src_mac"]) if "src_mac" in given else interface.peer_mac
    packet.port_in, packet.port_out = given.get("port"), given.get("out_port")
    if packet.port_out is not None:
        packet.pkttype = "unicast"  # whatever the frame says, for as long as netfilter looks (br_netfilter_hooks.c)
    if packet.proto == SCTP:
        # recorded frames carry no CRC32c unless they say so, and tracking verifies it on arrival (measured)
        packet.bad_checksum = bool(given.get("badsum", True))
    return packet


def headers_of(given: Mapping[str, Any]) -> Headers:
    """Return what a case says of a packet, without a host; raises ValueError or KeyError where it says nothing sensible."""
    family = 6 if ":" in given["src"] else 4
    local = given.get("dir", "in") == "out"
    return replace(
        _headers(given, family),
        ttl=_optional(given, "ttl"),
        tos=_optional(given, "tos"),
        entry="" if local else given.get("iface", ""),
        local=local,
        state="" if given.get("ctstate_assumed") else given.get("ctstate", ""),
        reply=given.get("ctdir") == "reply",
        mark=_optional(given, "mark"),
        uid=_optional(given, "uid"),
        gid=_optional(given, "gid"),
    )


def _headers(given: Mapping[str, Any], family: int) -> Headers:
    """Return the IP and transport headers: all that an ICMP error quotes."""
    proto = parse_protocol(given["proto"])
    is_tcp, is_icmp = proto == TCP, proto in {ICMP, ICMPV6}
    inner = given.get("inner") if is_icmp else None
    return Headers(
        family,
        parse_address(given["src"], family),
        parse_address(given["dst"], family),
        proto,
        _optional(given, "sport"),
        _optional(given, "dport"),
        flags=_flags(given.get("flags", "SYN")) if is_tcp else None,
        seq=_optional(given, "seq"),
        ack=_optional(given, "ack"),
        window=_optional(given, "window"),
        mss=_optional(given, "mss") if is_tcp else None,
        icmp=_number(given, "icmp_type", 0) << 8 | _number(given, "icmp_code", 0) if is_icmp else None,
        icmp_id=_optional(given, "icmp_id") if is_icmp else None,
        inner=None if inner is None else _headers(inner, family),
        length=_optional(given, "length"),
        payload=_number(given, "payload", 0),
    )


def _add_details(packet: Packet, given: Mapping[str, Any]) -> None:
    """Add what a case may say beyond the headers that everybody describes."""
    if packet.family == 6:
        packet.v6_headers = _extension_headers(given, packet.proto)
    if packet.proto == TCP and "tcp_options" in given:
        options = _numbers(given, "tcp_options")
        packet.tcp_option = (packet.tcp_option or ()) + options
        if "length" not in given:
            size = sum(1 if kind < MSS_OPTION else 2 for kind in options)
            packet.length += size + -size % 4
    elif packet.proto == DCCP:
        packet.dccp_type, packet.dccp_options = _optional(given, "dccp_type"), _numbers(given, "dccp_options")
    elif packet.proto == SCTP and "sctp_chunks" in given:
        packet.sctp_chunks = _numbers(given, "sctp_chunks")
    elif packet.proto == MOBILITY:
        packet.mh_type = _optional(given, "mh_type")
    if packet.proto in {ESP, AH} or "auth" in given.get("headers", ()):
        packet.spi = _optional(given, "spi")
    packet.frag = _one_of(given, "frag", ("whole", "first", "later"))
    if packet.frag == "later":  # it has no header but IP's
        packet.sport = packet.dport = packet.tcp_flags = packet.segment = packet.tcp_option = packet.tcp_mss = None
        packet.icmp = packet.icmp_id = packet.inner = packet.spi = None
        packet.sctp_chunks = packet.dccp_type = packet.dccp_options = packet.mh_type = None


def _optional(given: Mapping[str, Any], name: str) -> int | None:
    return _number(given, name) if name in given else None


def _number(given: Mapping[str, Any], name: str, default: int | None = None) -> int:
    value = given[name] if default is None else given.get(name, default)
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"`{name}` is not a whole number from 0 on: {value!r}")
    return value


def _numbers(given: Mapping[str, Any], name: str) -> tuple[int, ...]:
    values = given.get(name, ())
    if not isinstance(values, list | tuple) or not all(isinstance(one, int) and 0 <= one <= 255 for one in values):
        raise ValueError(f"`{name}` is not a list of numbers from 0 to 255: {values!r}")
    return tuple(values)


def _one_of(given: Mapping[str, Any], name: str, words: tuple[str, ...]) -> str:
    """Return one of the words, the first where none is given."""
    word = given.get(name, words[0])
    if word not in words:
        raise ValueError(f"`{name}` is none of {', '.join(words)}: {word!r}")
    return str(word)


def _extension_headers(given: Mapping[str, Any], proto: int) -> tuple[str, ...]:
    """Return IPv6's extension headers; `prot` stands for a header that is none, ESP and "no next header" are among them."""
    headers = tuple(given.get("headers", ()))
    for name in headers:
        if name not in EXTENSION_HEADERS:
            raise ValueError(f"`{name}` is none of the IPv6 headers {', '.join(EXTENSION_HEADERS)}")
    return *headers, {ESP: "esp", NO_NEXT_HEADER: "none"}.get(proto, "prot")


def _flags(text: str) -> int:
    number = 0
    for name in text.split(","):
        if name not in FLAGS and name != "NONE":
            raise ValueError(f"`{name}` is none of the TCP flags {', '.join(FLAGS)}, NONE")
        number |= FLAGS.get(name, 0)
    return number


def _destination_mac(word: str, family: int) -> int | None:
    if word == "host":
        return None
    if word == "broadcast":
        return BROADCAST_MAC
    return _MULTICAST_MACS[family] if word == "multicast" else parse_mac(word)


def _known(entry: Mapping[str, Any]) -> Known:
    status, mark = _number(entry, "status", CONFIRMED), _number(entry, "mark", 0)
    return Known(_tuple(entry["orig"]), _tuple(entry["reply"]), status, mark, entry.get("tcp_state") or "")


def _tuple(given: Mapping[str, Any]) -> FlowTuple:
    family = 6 if ":" in given["src"] else 4
    proto = parse_protocol(given["proto"])
    if proto in {ICMP, ICMPV6}:
        ends = _number(given, "icmp_id", 0), _number(given, "icmp_type", 0) << 8 | _number(given, "icmp_code", 0)
    else:
        ends = _number(given, "sport", 0), _number(given, "dport", 0)
    return FlowTuple(family, parse_address(given["src"], family), parse_address(given["dst"], family), proto, *ends)


def adopt(table: ConnectionTable, known: Sequence[Known]) -> None:
    """Make the table hold the connections that a case gives before a packet.

    An entry that the packets before have made keeps what no case tells (TCP's windows) and takes status, mark and state;
    those of protocols that cases do not list stay.
    """
    kept = [one for one in table if one.original.proto not in _LISTED]
    for entry in known:
        found = table.find(entry.original)
        one = found[0] if found is not None and found[0].original == entry.original else None
        if one is None or one.reply != entry.reply:
            one = Connection(entry.original, entry.reply)
            for side in one.tcp.sides:
                side.liberal = True
        one.status, one.mark = entry.status, entry.mark
        one.tcp.state = entry.tcp_state or one.tcp.state
        kept.append(one)
    table.clear()
    for one in kept:
        one.alive = True
        table.add(one)
