"""The packets that belong to one conversation: the answer to a packet, and the handshake it opens. Part of `explanation`.

An answer is made of the packet as its receiver saw it, so that connection tracking has to translate it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from policyc.explanation.outcomes import Situation, Way
from policyc.net.addresses import Network
from policyc.net.protocols import ICMP, ICMPV6, TCP
from policyc.simulation.packet import ACK, FIN, PSH, SYN, Packet, Segment
from policyc.simulation.trace import FORWARDED, LOCAL

_FIRST_SEQ = 70_000
"""Of the answering side; any number will do."""
_NAMES = {SYN: "SYN", SYN | ACK: "SYN,ACK", ACK: "ACK", ACK | PSH: "data", ACK | FIN: "FIN"}


class Turn(NamedTuple):
    """One packet of a conversation: its name, who sends it (`reply`: the answering side), and its way."""

    name: str
    reply: bool
    way: Way


def neighbours_on(way: Way) -> Network | None:
    """Return the network that a forwarded packet's sender and receiver share, so that an answer goes past this host."""
    if way.trace.verdict != FORWARDED or way.trace.device != way.sent.iif or way.packet.src != way.sent.src:
        return None
    interface = way.situation.host.interface(way.trace.device)
    addresses = () if interface is None else interface.addresses
    networks = (one.network for one in addresses if one.family == way.sent.family)
    return next((one for one in networks if way.sent.src in one and way.packet.dst in one), None)


def answer_to(way: Way) -> Packet | None:
    """Return what the receiver of a delivered packet sends back; None where nobody got it or its protocol knows no answer."""
    got = way.packet
    if not way.delivered or got.tuple is None or (back := got.tuple.inverted()) is None:
        return None
    answer = got.copy()
    answer.src, answer.dst = got.dst, got.src
    answer.ct, answer.ct_state, answer.ct_reply, answer.claimed = None, "none", False, None
    answer.mark, answer.ttl, answer.pkttype, answer.is_copy = 0, 64, "unicast", False
    if got.proto in {ICMP, ICMPV6}:
        answer.icmp = back.dport
    else:
        answer.sport, answer.dport = got.dport, got.sport
    if got.proto == TCP:
        _answer_segment(answer, got)
    here = way.trace.verdict == LOCAL
    answer.outgoing, answer.bound = here, ""
    answer.uid, answer.gid = (0, 0) if here else (None, None)
    answer.iif, answer.oif = None if here else way.trace.device, None
    interface = way.situation.host.interface(way.trace.device)
    answer.mac_src = None if here or interface is None else interface.peer_mac
    return answer


def _answer_segment(answer: Packet, got: Packet) -> None:
    flags, segment = got.tcp_flags or 0, got.segment or Segment()
    taken = segment.payload + bool(flags & SYN) + bool(flags & FIN)
    answer.tcp_flags = SYN | ACK if flags & SYN and not flags & ACK else ACK
    seq = segment.ack if flags & ACK else _FIRST_SEQ
    answer.segment = Segment(seq, segment.seq + taken, segment.window, 0)


def next_of(sent: Packet, answer: Packet, flags: int, payload: int = 0) -> Packet:
    """Return the next TCP segment of the side that sent a packet, after it has seen the answer."""
    packet = sent.copy()
    theirs, own = answer.segment or Segment(), sent.segment or Segment()
    packet.tcp_flags, packet.claimed = flags, None
    taken = theirs.payload + bool((answer.tcp_flags or 0) & (SYN | FIN))
    packet.segment = Segment(theirs.ack, theirs.seq + taken, own.window, payload)
    packet.length += payload
    return packet


def conversation(situation: Situation, packet: Packet) -> Iterator[Turn]:
    """Yield the turns of a conversation that a packet opens, until one of them does not arrive or is answered past this host.

    TCP: SYN, SYN,ACK, ACK, data and its answer, FIN and its answer. All else: the packet and its answer.
    """
    before = list(situation.before)

    def turn(name: str, one: Packet, *, reply: bool) -> Turn:
        way = Situation(situation.ruleset, situation.host, tuple(before)).walk(one)
        before.append(one)
        return Turn(name, reply, way)

    opening = packet.proto == TCP and packet.tcp_flags == SYN
    plan = [SYN, ACK, ACK | PSH, ACK | FIN] if opening else [packet.tcp_flags or 0]
    sent: Packet = packet
    answered: Packet | None = None
    for flags in plan:
        if answered is not None:
            sent = next_of(sent, answered, flags, 100 if flags & PSH else 0)
        there = turn(_name(sent), sent, reply=False)
        yield there
        if not there.way.delivered or neighbours_on(there.way) is not None:
            return
        if flags == ACK and opening:
            continue  # nobody answers the last packet of a handshake
        answer = answer_to(there.way)
        if answer is None:
            return
        if flags & FIN and answer.tcp_flags is not None:
            answer.tcp_flags |= FIN
        back = turn(_name(answer), answer, reply=True)
        yield back
        if not back.way.delivered:
            return
        answered = answer


def _name(packet: Packet) -> str:
    if packet.tcp_flags is not None:
        return _NAMES.get(packet.tcp_flags, "segment")
    return "packet"
