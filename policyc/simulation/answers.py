"""What the kernel sends back to a packet that it refuses: REJECT's answers and its own ICMP errors.

Part of `policyc.simulation`. Sources: net/ipv4/netfilter/nf_reject_ipv4.c, net/ipv6/netfilter/nf_reject_ipv6.c, net/ipv4/icmp.c.
"""

from __future__ import annotations

from typing import Any

from policyc.frozen import frozen
from policyc.host.departure import depart, reroute
from policyc.host.fib import Failure, Fib, Flow
from policyc.host.host import RouteKind, Scope
from policyc.host.ipv6_kinds import is_link_local, is_multicast, is_unicast, needs_interface
from policyc.host.own_addresses import select_address
from policyc.host.source_v6 import select_source_v6
from policyc.net.addresses import format_address
from policyc.net.protocols import AH, DCCP, ESP, ICMP, ICMPV6, SCTP, TCP, UDPLITE
from policyc.simulation.packet import ACK, FLAGS, NO_USER, RST, Packet, Segment
from policyc.simulation.tracking import is_icmp_error

_CODES = {
    "icmp-net-unreachable": (3, 0), "icmp-host-unreachable": (3, 1), "icmp-proto-unreachable": (3, 2),
    "icmp-port-unreachable": (3, 3), "icmp-net-prohibited": (3, 9), "icmp-host-prohibited": (3, 10),
    "icmp-admin-prohibited": (3, 13),
    "icmp6-no-route": (1, 0), "icmp6-adm-prohibited": (1, 1), "icmp6-addr-unreachable": (1, 3),
    "icmp6-port-unreachable": (1, 4), "icmp6-policy-fail": (1, 5), "icmp6-reject-route": (1, 6),
}  # fmt: skip

_HEADERS = {4: 28, 6: 48}  # bytes of an ICMP error before what it quotes
_LONGEST = {4: 576, 6: 1280}
_TOS_KEPT, _INTERNET_CONTROL = 0x1E, 0xC0
_GRE = 47
# Protocols whose checksum is optional, partial or none of the Internet's: REJECT does not look at it (nf_reject.h).
_NOT_SUMMED = frozenset((_GRE, ESP, AH, SCTP, UDPLITE, DCCP))
_ANSWERED = frozenset((0, 8, *range(13, 19)))  # ICMP messages that an error may be sent about (icmp_pointers of icmp.c)


@frozen
class Answer:
    """A packet that this host makes: a TCP reset with ports and flags, or an ICMP error with type and code.

    `src` None: no address of this host will do. `has_source`: it was known before the answer was routed.
    """

    family: int
    proto: int
    src: int | None
    dst: int
    sport: int = 0
    dport: int = 0
    flags: str = ""
    icmp_type: int = 0
    icmp_code: int = 0
    mark: int = 0
    has_source: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the form that recorded cases have."""
        found: dict[str, Any] = {
            "proto": {TCP: "tcp", ICMP: "icmp", ICMPV6: "icmpv6"}[self.proto],
            "src": None if self.src is None else format_address(self.src, self.family),
            "dst": format_address(self.dst, self.family),
        }
        if self.proto == TCP:
            return {**found, "sport": self.sport, "dport": self.dport, "flags": self.flags}
        return {**found, "icmp_type": self.icmp_type, "icmp_code": self.icmp_code}


def rejection(fib: Fib, packet: Packet, answer: str) -> Answer | None:
    """Return what `REJECT --reject-with` sends, None where the kernel stays silent."""
    if (packet.bad_checksum and packet.proto not in _NOT_SUMMED) or packet.to_many:
        return None
    if answer == "tcp-reset":
        return _reset(fib, packet)
    return icmp_error(fib, packet, *_CODES[answer])


def icmp_error(fib: Fib, packet: Packet, kind: int, code: int) -> Answer | None:
    """Return the ICMP error about a packet, None where none may be sent (RFC 1122, section 3.2.2) or none can."""
    if is_icmp_error(packet) or packet.frag == "later" or packet.pkttype != "unicast" or packet.to_many:
        return None
    if packet.proto == ICMP and (packet.icmp or 0) >> 8 not in _ANSWERED:
        return None
    if packet.family == 6 and (packet.src == 0 or is_multicast(packet.src)):
        return None
    proto = ICMP if packet.family == 4 else ICMPV6
    source = _own_address(fib, packet)
    bound = (packet.iif or "") if packet.family == 6 and needs_interface(packet.src) else ""
    way = depart(fib, Flow(packet.family, packet.src, source, oif=bound, mark=_mark(fib, packet), protocol=proto))
    if isinstance(way, Failure):
        return None
    own = way.source if source is None else source
    return Answer(
        packet.family, proto, own, packet.src, icmp_type=kind, icmp_code=code, mark=_mark(fib, packet),
        has_source=source is not None,
    )  # fmt: skip


def _own_address(fib: Fib, packet: Packet) -> int | None:
    """Return the source of an ICMP error about a packet, None where its route decides."""
    if packet.family == 4:
        found = fib.local_route(packet.dst)
        if found is not None and found.kind is RouteKind.LOCAL:
            return packet.dst
        if packet.iif and fib.host.sysctls.number("net.ipv4.icmp_errors_use_inbound_ifaddr"):
            return select_address(fib.host, packet.iif, packet.src, Scope.LINK)
        return None
    if fib.owner(packet.dst, 6) or _is_anycast(fib, packet.dst):
        return packet.dst
    return None if packet.iif is None else select_source_v6(fib.host, packet.iif, packet.src)


def _is_anycast(fib: Fib, address: int) -> bool:
    """Whether IPv6 answers at the address as one of several hosts, as routers do at their subnet's own (RFC 4291, 2.6.1)."""
    return any(
        route.kind is RouteKind.ANYCAST and route.family == 6 and address in route.destination
        for route in fib.host.routes
    )


def _mark(fib: Fib, packet: Packet) -> int:
    """Return the mark of an answer, that of its packet where `fwmark_reflect` says so."""
    return packet.mark if fib.host.sysctls.number(f"net.ipv{packet.family}.fwmark_reflect") else 0


def as_packet(answer: Answer, about: Packet) -> Packet | None:
    """Return the packet that carries an answer; it is related to the connection of what it answers (nf_ct_attach)."""
    if answer.src is None:
        return None
    packet = Packet(answer.family, answer.src, answer.dst, answer.proto, outgoing=True)
    packet.has_source, packet.mark = answer.has_source, answer.mark
    if answer.proto == TCP:
        packet.sport, packet.dport = answer.sport, answer.dport
        packet.tcp_flags = sum(FLAGS[name] for name in answer.flags.split(","))
        packet.segment, packet.tcp_option, packet.length = Segment(), (), 40 if answer.family == 4 else 60
    else:
        packet.uid = packet.gid = NO_USER  # the kernel's own socket for them, which is nobody's
        packet.icmp, packet.inner = answer.icmp_type << 8 | answer.icmp_code, about
        packet.length = min(_HEADERS[answer.family] + about.length, _LONGEST[answer.family])
        if answer.family == 4:
            packet.tos = about.tos & _TOS_KEPT | _INTERNET_CONTROL
        elif is_link_local(answer.dst):
            packet.bound = about.iif or ""
    if about.ct is not None:
        packet.ct, packet.ct_state, packet.ct_reply = about.ct, "RELATED", not about.ct_reply
    return packet


def _reset(fib: Fib, packet: Packet) -> Answer | None:
    flags, segment = packet.tcp_flags or 0, packet.segment
    if segment is None or flags & RST:
        return None
    if packet.family == 6 and not (is_unicast(packet.src) and is_unicast(packet.dst)):
        return None
    ports = packet.dport or 0, packet.sport or 0
    mark = _mark(fib, packet)
    flow = Flow(packet.family, packet.src, packet.dst, mark=mark, protocol=TCP, sport=ports[0], dport=ports[1])
    # IPv4 sends it by the way that a packet of another host's would be routed again (ip_route_me_harder).
    if isinstance(reroute(fib, flow, ""), Failure):
        return None
    return Answer(packet.family, TCP, packet.dst, packet.src, *ports, "RST" if flags & ACK else "RST,ACK", mark=mark)
