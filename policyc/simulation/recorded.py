"""The packets of a recorded case, JSON, become Packets and entries of the connection table; all faults are reported at once.

Part of `policyc.simulation`, used by `replay`. The form of a case is in docs/api.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from policyc.diagnostics import Diagnostic, InputError, diagnose
from policyc.host.frames import BROADCAST_MAC, packet_type
from policyc.host.host import Host
from policyc.net.addresses import parse_address
from policyc.net.protocols import ICMP, ICMPV6, SCTP, TCP, UDP, parse_protocol
from policyc.readers.ipset_members import parse_mac
from policyc.simulation.connection import CONFIRMED, Connection, ConnectionTable, FlowTuple
from policyc.simulation.packet import FLAGS, MSS_OPTION, Packet, Segment

FIRST_SEQ = 1000  # of a recorded segment that names none
WINDOW = 65535
_HEADER = {4: 20, 6: 40}
_TRANSPORT = {TCP: 20, UDP: 8, ICMP: 8, ICMPV6: 8, SCTP: 12}
_MULTICAST_MACS = {4: 0x01005E000000, 6: 0x333300000000}
_LISTED = frozenset((TCP, UDP, ICMP, ICMPV6, SCTP))
_SCTP_DATA, _CHUNK_HEADER = 0, 4


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
            found.append(_described(item, place, host))
        except KeyError as missing:
            problems.append(diagnose("bad-packet", f"packet {place} of the case has no `{missing.args[0]}`"))
        except ValueError as wrong:
            problems.append(diagnose("bad-packet", f"packet {place} of the case: {wrong}"))
        except (TypeError, AttributeError):
            problems.append(
                diagnose("bad-packet", f"packet {place} of the case: a value in it is not of the right kind")
            )
    if problems:
        raise InputError(problems)
    return found


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
    packet = _headers(given, family)
    packet.ttl, packet.tos = _number(given, "ttl", 64), _number(given, "tos", 0)
    packet.bad_checksum = bool(given.get("badsum"))
    packet.outgoing = direction == "out"
    if "ctstate" in given and not given.get("ctstate_assumed"):
        packet.claimed = str(given["ctstate"]), given.get("ctdir") == "reply"
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
    if packet.proto == SCTP:
        packet.bad_checksum = True  # recorded frames carry no CRC32c, which tracking verifies on arrival (measured)
    return packet


def _headers(given: Mapping[str, Any], family: int) -> Packet:
    """Return the packet with its IP and transport headers: all that an ICMP error quotes."""
    proto = parse_protocol(given["proto"])
    packet = Packet(family, parse_address(given["src"], family), parse_address(given["dst"], family), proto)
    packet.sport, packet.dport = (_number(given, name) if name in given else None for name in ("sport", "dport"))
    if family == 6:
        packet.v6_headers = ("prot",)
    payload = _number(given, "payload", 0)
    if proto == TCP:
        packet.tcp_flags = _flags(given.get("flags", "SYN"))
        seq, ack = _number(given, "seq", FIRST_SEQ), _number(given, "ack", 0)
        packet.segment = Segment(seq, ack, _number(given, "window", WINDOW), payload)
        packet.tcp_option = ()
        if "mss" in given:
            packet.tcp_mss, packet.tcp_option = _number(given, "mss"), (MSS_OPTION,)
    elif proto in {ICMP, ICMPV6}:
        packet.icmp = _number(given, "icmp_type", 0) << 8 | _number(given, "icmp_code", 0)
        packet.icmp_id = _number(given, "icmp_id") if "icmp_id" in given else None
        if (inner := given.get("inner")) is not None:
            packet.inner = _headers(inner, family)
    elif proto == SCTP:
        packet.sctp_chunks = (_SCTP_DATA,) if payload >= _CHUNK_HEADER else ()
    options = 4 if packet.tcp_mss is not None else 0
    packet.length = _number(given, "length", _HEADER[family] + _TRANSPORT.get(proto, 0) + options + payload)
    return packet


def _number(given: Mapping[str, Any], name: str, default: int | None = None) -> int:
    value = given[name] if default is None else given.get(name, default)
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"`{name}` is not a whole number from 0 on: {value!r}")
    return value


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
