"""NAT: the translation of a connection, decided once, and what it does to each packet. Part of `policyc.simulation`.

Sources: net/netfilter/nf_nat_core.c and nf_nat_proto.c of Linux 6.18. A choice that the kernel makes at random raises
UnknowableError.
"""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.host.nat_addresses import masquerade_address, redirect_address
from policyc.net.protocols import DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE
from policyc.netfilter import fields
from policyc.netfilter.effect import Rewrite
from policyc.simulation.connection import (
    DST_NAT,
    DST_NAT_DONE,
    SRC_NAT,
    SRC_NAT_DONE,
    Connection,
    FlowTuple,
)
from policyc.simulation.jhash import choice_of_address
from policyc.simulation.packet import IDENTIFIED, Packet
from policyc.simulation.state import State, UnknowableError

SRC, DST = "SRC", "DST"
SIDES = {"PREROUTING": DST, "INPUT": SRC, "FORWARD": "", "OUTPUT": DST, "POSTROUTING": SRC}
DONE = {SRC: SRC_NAT_DONE, DST: DST_NAT_DONE}
_STATUS = {SRC: SRC_NAT, DST: DST_NAT}
_PORTS = frozenset((TCP, UDP, UDPLITE, SCTP, DCCP))
_ICMP = frozenset((ICMP, ICMPV6))
_MOST_ATTEMPTS = 128  # NF_NAT_MAX_ATTEMPTS


@frozen
class Range:
    """struct nf_nat_range2: addresses and ports from low to high, None where they stay."""

    addresses: tuple[int, int] | None = None
    ports: tuple[int, int] | None = None
    port_base: int | None = None
    random: bool = False
    persistent: bool = False


def rewrite(state: State, packet: Packet, effect: Rewrite) -> str:
    """Carry out a NAT target; return why the packet is dropped, "" where it is not."""
    one = packet.ct
    if one is None:
        return ""
    side = packet.nat_side if effect.side is None else SRC if effect.side is fields.SRC else DST
    ports = effect.ports.spans[0] if effect.ports else None
    addresses = effect.addresses.spans[0] if effect.addresses else None
    if effect.how == "outgoing":
        found = masquerade_address(state.host, packet.family, packet.oif or "", packet.next_hop, packet.dst)
        if found is None:
            return "the outgoing interface has no address for MASQUERADE"
        addresses, one.masqueraded_by = (found, found), packet.oif or ""
    elif effect.how == "incoming":
        found = redirect_address(state.host, packet.family, packet.iif or "", packet.dst)
        if found is None:
            return "the incoming interface has no address for REDIRECT"
        addresses = found, found
    elif effect.how == "prefix" and addresses is not None:
        host_bits = addresses[0] ^ addresses[1]
        kept = (packet.src if side == SRC else packet.dst) & host_bits
        addresses = addresses[0] | kept, addresses[0] | kept
    asked = Range(addresses, ports, effect.port_base, effect.random, effect.persistent)
    set_up(state, one, asked, side)
    return ""


def set_up(state: State, one: Connection, asked: Range, side: str) -> None:
    """Decide the connection's translation on one side (nf_nat_setup_info)."""
    if one.status & DONE[side]:
        return
    current = one.reply.inverted()
    assert current is not None
    chosen = _unique(state, one, current, asked, side)
    if chosen != current:
        answer = chosen.inverted()
        assert answer is not None
        one.reply = answer
        one.status |= _STATUS[side]
    one.status |= DONE[side]


def _unique(state: State, one: Connection, current: FlowTuple, asked: Range, side: str) -> FlowTuple:
    """Return a tuple within the range that no other connection has (get_unique_tuple)."""
    if side == SRC and not asked.random:
        if _in_range(current, asked):
            if not _taken(state, one, current):
                return current
        elif (same := _source_used_before(state, current, asked)) is not None and not _taken(state, one, same):
            return same
    wanted = current
    if asked.addresses is not None:
        address = choice_of_address(current, asked.addresses, of_source=side == SRC, persistent=asked.persistent)
        wanted = current._replace(src=address) if side == SRC else current._replace(dst=address)
    if not asked.random:
        if asked.ports is None:
            if not _taken(state, one, wanted):
                return wanted
        elif (
            asked.port_base is None
            and _port_in_range(wanted, asked.ports, side)
            and (asked.ports[0] == asked.ports[1] or not _taken(state, one, wanted))
        ):
            return wanted
    return _other_port(state, one, wanted, asked, side)


def _taken(state: State, one: Connection, wanted: FlowTuple) -> bool:
    answer = wanted.inverted()
    return answer is not None and state.connections.is_taken(answer, one)


def _in_range(wanted: FlowTuple, asked: Range) -> bool:
    if asked.addresses is not None and not asked.addresses[0] <= wanted.src <= asked.addresses[1]:
        return False
    return asked.ports is None or _port_in_range(wanted, asked.ports, SRC)


def _port_in_range(wanted: FlowTuple, ports: tuple[int, int], side: str) -> bool:
    if wanted.proto in _ICMP:
        return ports[0] <= wanted.sport <= ports[1]
    if wanted.proto not in _PORTS:
        return True
    return ports[0] <= (wanted.sport if side == SRC else wanted.dport) <= ports[1]


def _source_used_before(state: State, current: FlowTuple, asked: Range) -> FlowTuple | None:
    """Return the tuple with the source that an earlier connection of the same source got (find_appropriate_src)."""
    for each in state.connections.sources_of(current.family, current.src, current.proto, current.sport):
        before = each.reply.inverted()
        if before is None or not each.status & SRC_NAT_DONE:
            continue
        same = current._replace(src=before.src, sport=before.sport)
        if _in_range(same, asked):
            return same
    return None


def _other_port(state: State, one: Connection, wanted: FlowTuple, asked: Range, side: str) -> FlowTuple:
    """Return the tuple with another port (nf_nat_l4proto_unique_tuple); the same where the protocol has none."""
    is_icmp = wanted.proto in _ICMP
    if not is_icmp and wanted.proto not in _PORTS:
        return wanted
    key = wanted.sport if side == SRC or is_icmp else wanted.dport
    if asked.ports is not None:
        low, size = asked.ports[0], asked.ports[1] - asked.ports[0] + 1
    elif is_icmp:
        low, size = 0, 65536
    elif side == DST:
        return wanted
    elif key < 1024:
        low, size = (1, 511) if key < 512 else (600, 424)
    else:
        low, size = 1024, 64512
    if asked.port_base is not None:
        offset = key - asked.port_base
    elif size > 1 and (asked.random or side == SRC):
        if state.choices is None:
            raise UnknowableError("which port the kernel takes: it begins at a random one")
        # An explanation shows one of them, the packet's own where that may be chosen.
        state.choices.note(f"the kernel chooses the port at random, from {low} to {low + size - 1}")
        offset = max(key - low, 0) if key < low + size else 0
    else:
        offset = 0
    for step in range(min(size, _MOST_ATTEMPTS)):
        port = low + (offset + step) % 65536 % size
        chosen = wanted._replace(sport=port) if side == SRC or is_icmp else wanted._replace(dport=port)
        if not _taken(state, one, chosen):
            break
    return chosen


def translate(packet: Packet, side: str) -> None:
    """Write the connection's translation of one side into a packet (nf_nat_packet)."""
    one = packet.ct
    if one is None or not _translates(one, packet, side):
        return
    target = one.towards(reply=packet.ct_reply)[1].inverted()
    assert target is not None
    if side == SRC:
        packet.src = target.src
    else:
        packet.dst = target.dst
    if packet.proto in _PORTS:
        if side == SRC:
            packet.sport = target.sport
        else:
            packet.dport = target.dport
    elif packet.proto in _ICMP and packet.icmp_id is not None and (packet.icmp or 0) >> 8 in IDENTIFIED:
        packet.icmp_id = target.sport


def translate_error(packet: Packet, side: str, *, is_redirect: bool) -> bool:
    """Translate an ICMP error and what it quotes (nf_nat_icmp_reply_translation); False: the packet is dropped."""
    one = packet.ct
    assert one is not None
    if is_redirect and (one.status & (SRC_NAT | DST_NAT) or not all(one.status & bit for bit in DONE.values())):
        return False
    if not _translates(one, packet, side):
        return True
    other = one.towards(reply=packet.ct_reply)[1]
    target = other.inverted()
    assert target is not None
    if side == SRC:
        packet.src = target.src
    else:
        packet.dst = target.dst
    if (inner := packet.inner) is not None:
        packet.inner = inner = inner.copy()
        if side == SRC:
            inner.dst, inner.dport = other.dst, other.dport if inner.proto in _PORTS else inner.dport
        else:
            inner.src, inner.sport = other.src, other.sport if inner.proto in _PORTS else inner.sport
    return True


def _translates(one: Connection, packet: Packet, side: str) -> bool:
    changed = DST if (side == SRC) is packet.ct_reply else SRC
    return bool(one.status & _STATUS[changed])


def address_changed(packet: Packet) -> bool:
    """Whether the connection's destination differs from what its packet is sent to: OUTPUT routes it again."""
    if packet.ct is None:
        return False
    own, other = packet.ct.towards(reply=packet.ct_reply)
    return own.dst != other.src


def left_by_other_device(packet: Packet) -> bool:
    """Whether MASQUERADE chose the address of another interface than the packet leaves by now (nf_nat_oif_changed)."""
    one = packet.ct
    return one is not None and not packet.ct_reply and one.masqueraded_by not in {"", packet.oif}
