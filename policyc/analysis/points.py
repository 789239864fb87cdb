"""A member of a set of packets, the lowest usable one, as fields and as the simulator's Packet. Part of `policyc.analysis`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from policyc.analysis.classes import NumberClasses
from policyc.analysis.diagrams import EMPTY
from policyc.analysis.space import Column, Space
from policyc.frozen import frozen
from policyc.net.intervals import IntervalSet
from policyc.net.protocols import DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE
from policyc.netfilter import fields
from policyc.netfilter.fields import Field
from policyc.simulation.connection import ENTRY_STATES, Connection, FlowTuple
from policyc.simulation.packet import ACK, MSS_OPTION, SYN, Packet, Segment

WITH_PORTS = frozenset((TCP, UDP, UDPLITE, SCTP, DCCP))

# The number that a packet has where its class does not ask for another: the least that is not strange.
_USUAL: Mapping[Field, int] = {
    fields.SPORT: 1024, fields.DPORT: 1, fields.LENGTH: 60, fields.TTL: 64, fields.TCP_MSS: 1460, fields.MAC_SRC: 0x020000000001,
    fields.CT_ORIG_SPORT: 1024, fields.CT_ORIG_DPORT: 1, fields.CT_REPLY_SPORT: 1, fields.CT_REPLY_DPORT: 1024,
}  # fmt: skip


@frozen
class Point:
    """One packet: a value for each field that the space knows, None where it has none, and for each condition its truth."""

    family: int
    values: Mapping[Field, Any]
    conditions: Mapping[str, bool]

    def get(self, field: Field, default: Any = None) -> Any:
        """Return the value of a field, `default` where no rule tells its values apart."""
        return self.values.get(field, default)


def lowest(space: Space, edge: int, preferred: Iterable[int] = ()) -> Point | None:
    """Return a member of a set, None where it is empty: of each preferred set as far as possible, else the lowest classes."""
    if edge == EMPTY:
        return None
    for wish in preferred:
        narrower = space.diagrams.both(edge, wish)
        edge = edge if narrower == EMPTY else narrower
    codes: dict[int, int] = {}
    while edge >> 1:
        level, low, high = space.diagrams.top(edge)
        codes[level] = int(low == EMPTY)
        edge = high if low == EMPTY else low
    return point_of(space, codes)


def point_of(space: Space, codes: Mapping[int, int]) -> Point:
    """Return the packet with these variables; those left out are 0."""
    values = {each: _value(each, column, codes) for each, column in space.columns.items()}
    conditions = {key: bool(codes.get(level)) for key, level in space.all_conditions.items()}
    return Point(space.family, values, conditions)


def _value(each: Field, column: Column, codes: Mapping[int, int]) -> Any:
    if column.exists is not None and not codes.get(column.exists):
        return None
    if column.classes is None:
        return sum(codes.get(level, 0) << bit for bit, level in column.bits.items())
    if column.bits:
        return frozenset(_of_class(each, column, place) for place, level in column.bits.items() if codes.get(level))
    code = 0
    for level in column.levels:
        code = code << 1 | codes.get(level, 0)
    return _of_class(each, column, min(code, len(column.classes) - 1))


def _of_class(each: Field, column: Column, place: int) -> Any:
    if isinstance(column.classes, NumberClasses):
        low, high = column.classes.values(place)
        usual = _USUAL.get(each, low)
        return usual if low <= usual <= high else low
    assert column.classes is not None
    return column.classes.names[place]


def usual_packets(space: Space) -> tuple[int, ...]:
    """Return wishes for a witness: addresses that hosts have, TCP or else UDP, first packets with their flags."""
    unicast = usable_addresses(space.family)
    diagrams = space.diagrams
    proto = {number: space.values(fields.PROTO, IntervalSet.of(number)) for number in (TCP, UDP)}
    wishes = [
        space.values(fields.SRC, unicast),
        space.values(fields.DST, unicast),
        space.values(fields.SPORT, IntervalSet.of((1024, 65535))),
        space.values(fields.DPORT, IntervalSet.of((1, 65535))),
        space.name(fields.CT_STATE, "NEW"),
        diagrams.either(proto[TCP], proto[UDP]),
        proto[TCP],
    ]
    if fields.FRAG in space.columns:
        wishes.append(space.name(fields.FRAG, "whole"))
    if fields.TCP_FLAGS in space.columns:
        wishes.append(space.bits(fields.TCP_FLAGS, 0xFF, SYN))
    return tuple(wishes)


def usable_addresses(family: int) -> IntervalSet:
    """Return the addresses that a host may have (RFC 1122, 3.2.1.3; RFC 4291, 2.4), special networks left out."""
    if family == 4:
        return IntervalSet.of((1 << 24, (127 << 24) - 1), (128 << 24, (224 << 24) - 1))
    return IntervalSet.of((0x2 << 124, (0xFE << 120) - 1))


def packet_of(point: Point) -> Packet:
    """Return the packet for the simulator, as it is where the point was taken: with interfaces, state and marks."""
    get = point.get
    proto = get(fields.PROTO, TCP)
    state = get(fields.CT_STATE, "none")
    flags = get(fields.TCP_FLAGS, ACK if state == "ESTABLISHED" else SYN) if proto == TCP else None
    ported = proto in WITH_PORTS
    options = get(fields.TCP_OPTION, frozenset()) | ({MSS_OPTION} if get(fields.TCP_MSS) else frozenset())
    packet = Packet(
        point.family, get(fields.SRC), get(fields.DST), proto, iif=get(fields.IIF), oif=get(fields.OIF),
        sport=get(fields.SPORT) if ported else None, dport=get(fields.DPORT) if ported else None, tcp_flags=flags,
        segment=Segment() if proto == TCP else None,
        tcp_option=tuple(sorted(options)) if proto == TCP else None, tcp_mss=get(fields.TCP_MSS) if proto == TCP else None,
        icmp=get(fields.ICMP, 0x800 if point.family == 4 else 0x8000) if proto in {ICMP, ICMPV6} else None,
        length=get(fields.LENGTH, 60), ttl=get(fields.TTL, 64), tos=get(fields.TOS, 0), mark=get(fields.MARK, 0),
        frag=get(fields.FRAG, "whole"), spi=get(fields.SPI), mac_src=get(fields.MAC_SRC),
        v6_headers=tuple(sorted(get(fields.V6_HEADERS, frozenset()) - {None})) if point.family == 6 else None,
        sctp_chunks=tuple(sorted(get(fields.SCTP_CHUNKS, frozenset((0,))))) if proto == SCTP else None,
        dccp_type=get(fields.DCCP_TYPE), dccp_options=tuple(sorted(get(fields.DCCP_OPTION, frozenset()))),
        mh_type=get(fields.MH_TYPE), pkttype=get(fields.PKTTYPE, "unicast"), port_in=get(fields.PHYSDEV_IN),
        port_out=get(fields.PHYSDEV_OUT), uid=get(fields.UID), gid=get(fields.GID), ct_state=state,
        realm=get(fields.REALM, 0), cpu=get(fields.CPU),
    )  # fmt: skip
    if state in ENTRY_STATES:
        packet.ct, packet.ct_reply = _connection(point, packet), get(fields.CT_DIR) == "REPLY"
    return packet


def _connection(point: Point, packet: Packet) -> Connection:
    get = point.get
    own = packet.tuple
    assert own is not None
    answer = own.inverted() or FlowTuple(own.family, own.dst, own.src, own.proto, own.dport, own.sport)
    mine = FlowTuple(
        point.family, get(fields.CT_ORIG_SRC, own.src), get(fields.CT_ORIG_DST, own.dst), get(fields.CT_PROTO, own.proto),
        get(fields.CT_ORIG_SPORT, own.sport), get(fields.CT_ORIG_DPORT, own.dport),
    )  # fmt: skip
    other = FlowTuple(
        point.family, get(fields.CT_REPLY_SRC, answer.src), get(fields.CT_REPLY_DST, answer.dst), mine.proto,
        get(fields.CT_REPLY_SPORT, answer.sport), get(fields.CT_REPLY_DPORT, answer.dport),
    )  # fmt: skip
    if other.inverted() is None:  # ICMP of a type that begins nothing: no rule asks for the answer of its connection
        other = answer
    return Connection(
        mine, other, status=get(fields.CT_STATUS, 0), mark=get(fields.CT_MARK, 0), labels=get(fields.CT_LABEL, frozenset()),
        expected_by=get(fields.CT_HELPER),
    )  # fmt: skip
