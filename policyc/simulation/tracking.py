"""Connection tracking at PREROUTING and OUTPUT, and confirmation at the end of the way. Part of `policyc.simulation`.

Sources: net/netfilter/nf_conntrack_core.c, nf_conntrack_proto_icmp.c, nf_conntrack_proto_icmpv6.c of Linux 6.18.
"""

from __future__ import annotations

from collections.abc import Sequence

from policyc.net.protocols import ICMP, ICMPV6, NO_NEXT_HEADER, SCTP, TCP, UDP, UDPLITE
from policyc.simulation import tcp
from policyc.simulation.connection import (
    ASSURED,
    CONFIRMED,
    DST_NAT_DONE,
    ENTRY_STATES,
    EXPECTED,
    SEEN_REPLY,
    SRC_NAT_DONE,
    Connection,
)
from policyc.simulation.packet import Packet
from policyc.simulation.state import State

ERRORS_V4 = frozenset((3, 4, 5, 11, 12))
NOT_TRACKED_V6 = frozenset((*range(130, 137), 143))  # MLD and neighbour discovery
REDIRECT_V6 = 137
OPENING = {ICMP: frozenset((8, 13, 15, 17)), ICMPV6: frozenset((128, 139))}
_GRE = 47
_INIT, _HEARTBEAT, _HEARTBEAT_ACK = 1, 4, 5  # chunks of SCTP, RFC 9260
_OPENING_SCTP = frozenset((_INIT, _HEARTBEAT, _HEARTBEAT_ACK))
HIGHEST_ICMP = 18  # NR_ICMP_TYPES
_SUMMED = frozenset((TCP, UDP, ICMP, ICMPV6, SCTP))


def track(state: State, packet: Packet) -> None:
    """Give the packet its state and connection (nf_conntrack_in); one that has them, or is exempted, keeps them."""
    if packet.ct is not None or packet.ct_state == "UNTRACKED":
        return
    _judge(state, packet)
    if packet.claimed is not None and packet.ct_state != packet.claimed[0]:
        _believe(packet, *packet.claimed)
    if packet.ct is not None and packet.expected_by is not None and not packet.ct.status & CONFIRMED:
        packet.ct.expected_by = packet.expected_by
        packet.ct.status |= EXPECTED


def _judge(state: State, packet: Packet) -> None:
    if state.checksum and not packet.outgoing and _fails_checksum(packet):
        packet.ct_state = "INVALID"
        return
    if packet.proto in {ICMP, ICMPV6} and _is_settled_by_type(state, packet):
        return
    if packet.family == 6 and packet.proto == NO_NEXT_HEADER:
        packet.ct_state = "INVALID"  # ipv6_skip_exthdr finds nothing to track
        return
    _look_up(state, packet)


def _fails_checksum(packet: Packet) -> bool:
    """Whether tracking finds the checksum wrong; UDP-Lite's always, for it is summed as UDP's (udplite_error; measured)."""
    return packet.proto == UDPLITE or (packet.bad_checksum and packet.proto in _SUMMED)


def confirm(state: State, packet: Packet) -> bool:
    """Enter a new connection into the table; False where another one has its tuple: the packet is dropped."""
    one = packet.ct
    if one is None or one.status & CONFIRMED or packet.ct_reply or not one.alive:
        return True
    if not state.connections.add(one):
        return False
    one.status |= CONFIRMED
    return True


def _believe(packet: Packet, claimed: str, reply: bool) -> None:
    """Give the packet the state that is claimed for it, and an entry that is as old as the state says."""
    packet.ct_state = claimed
    if claimed not in ENTRY_STATES:
        packet.ct = None
        return
    own = packet.tuple
    other = None if own is None else own.inverted()
    if packet.ct is not None or own is None or other is None:
        return
    packet.ct, packet.ct_reply = Connection(other, own) if reply else Connection(own, other), reply
    if claimed != "NEW":
        packet.ct.status = CONFIRMED | SEEN_REPLY | SRC_NAT_DONE | DST_NAT_DONE


def close(packet: Packet) -> None:
    """Close the connection that REJECT has reset (nf_ct_set_closing)."""
    if packet.ct is not None and packet.ct.status & CONFIRMED:
        packet.ct.tcp.state = "CLOSE"


def is_icmp_error(packet: Packet) -> bool:
    """Whether it is an ICMP message about another packet."""
    kind = (packet.icmp or 0) >> 8
    if packet.proto == ICMP:
        return kind in ERRORS_V4
    return packet.proto == ICMPV6 and (kind < 128 or kind == REDIRECT_V6)


def _is_settled_by_type(state: State, packet: Packet) -> bool:
    """Decide about ICMP messages that open no connection of their own."""
    kind = (packet.icmp or 0) >> 8
    if packet.proto == ICMPV6 and kind in NOT_TRACKED_V6:
        packet.ct_state = "UNTRACKED"
    elif packet.proto == ICMP and kind > HIGHEST_ICMP:
        packet.ct_state = "INVALID"
    elif is_icmp_error(packet):
        _relate(state, packet)
    else:
        return False
    return True


def _relate(state: State, packet: Packet) -> None:
    """Find the connection that an ICMP error is about (nf_conntrack_inet_error)."""
    packet.ct_state = "INVALID"
    if packet.inner is None or (quoted := packet.inner.tuple) is None:
        return
    wanted = quoted.inverted()
    found = None if wanted is None else state.connections.find(wanted)
    if found is None:
        return
    one, reply = found
    # The error must have come for the end of the connection that the quoted packet was sent by.
    if one.towards(reply=reply)[0].dst != packet.dst:
        return
    packet.ct, packet.ct_reply, packet.ct_state = one, reply, "RELATED"


def _look_up(state: State, packet: Packet) -> None:
    own = packet.tuple
    if own is None:
        packet.ct_state = "INVALID"
        return
    found = state.connections.find(own)
    if found is None:
        other = own.inverted()
        if other is None:
            packet.ct_state = "INVALID"
            return
        found = Connection(own, other, helper=packet.helper), False
    one, reply = found
    fate = _follow(state, packet, one, reply=reply)
    if fate is tcp.Fate.INVALID:
        packet.ct_state = "INVALID"
        return
    if fate is tcp.Fate.REPEAT:
        state.connections.remove(one)
        _look_up(state, packet)
        return
    packet.ct, packet.ct_reply = one, reply
    packet.ct_state = "ESTABLISHED" if reply or one.status & SEEN_REPLY else "NEW"
    if fate is not tcp.Fate.IGNORE:
        one.count(packet.length, reply=reply)
    if fate is tcp.Fate.DELETE:
        state.connections.remove(one)
    if reply:
        one.status |= SEEN_REPLY


def _is_valid_sctp(chunks: Sequence[int] | None, *, is_new: bool) -> bool:
    """Whether SCTP's tracker takes a packet with these chunks (sctp_new, do_basic_checks): an INIT stands alone."""
    if not chunks or (_INIT in chunks and len(chunks) > 1):
        return False
    return not is_new or _OPENING_SCTP.issuperset(chunks)


def _follow(state: State, packet: Packet, one: Connection, *, reply: bool) -> tcp.Fate:
    """Let the protocol's own tracker look at the packet."""
    is_new = not one.status & CONFIRMED
    if packet.proto == TCP:
        if packet.segment is None or not tcp.has_valid_flags(packet):
            return tcp.Fate.INVALID
        if is_new and not tcp.begin(one, packet, loose=state.tcp_loose):
            return tcp.Fate.INVALID
        return tcp.follow(one, packet, reply=reply, liberal=state.tcp_liberal)
    if packet.proto == _GRE and one.status & SEEN_REPLY:
        one.status |= ASSURED  # at once, where UDP has to live for two seconds
    if packet.proto == SCTP and not _is_valid_sctp(packet.sctp_chunks, is_new=is_new):
        return tcp.Fate.INVALID
    if is_new and packet.proto in OPENING and (packet.icmp or 0) >> 8 not in OPENING[packet.proto]:
        return tcp.Fate.INVALID
    return tcp.Fate.ACCEPT
