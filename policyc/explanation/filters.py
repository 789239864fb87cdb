"""Filters for tcpdump and Wireshark that catch one flow, both directions, on each side of the NAT. Part of `explanation`.

tcpdump sees a packet before PREROUTING where it comes in and behind POSTROUTING where it leaves, so that each side has its own
addresses. Sources: pcap-filter(7), wireshark-filter(4).
"""

from __future__ import annotations

from typing import NamedTuple

from policyc.frozen import frozen
from policyc.net.addresses import format_address
from policyc.net.protocols import DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE
from policyc.simulation.trace import FORWARDED, LOCAL, SENT
from policyc.simulation.view import PacketView

_BPF_PORTS = {TCP: "tcp", UDP: "udp", SCTP: "sctp"}
_WIRESHARK_PORTS = {TCP: "tcp", UDP: "udp", SCTP: "sctp", DCCP: "dccp", UDPLITE: "udp"}
_REPLY_TYPES = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 128: 129, 129: 128}
_MULTICAST = {4: (0xE0000000, 0xF0000000), 6: (0xFF << 120, 0xFF << 120)}
_BROADCAST = 0xFFFFFFFF


@frozen
class FlowFilter:
    """The filters of one side. `interface` is where to listen, "" where nobody knows; `translated`: this side is behind NAT."""

    interface: str
    translated: bool
    tcpdump: str
    wireshark: str

    @property
    def command(self) -> str:
        """The command line that shows the flow there."""
        return f"tcpdump -ni {self.interface or 'any'} '{self.tcpdump}'"

    def to_dict(self) -> dict[str, str | bool]:
        """Return the JSON form."""
        return {
            "interface": self.interface, "translated": self.translated, "tcpdump": self.tcpdump, "wireshark": self.wireshark,
        }  # fmt: skip


class _Way(NamedTuple):
    """One direction: who sends what to whom; ports None where any will do."""

    src: int
    dst: int
    sport: int | None
    dport: int | None
    icmp: int | None


def flow_filters(
    verdict: str, sent: PacketView, final: PacketView, *, any_port: bool = False
) -> tuple[FlowFilter, ...]:
    """Return a filter for each interface that the packet is seen at: where it enters, and where it leaves if it does.

    `sent` is the packet as it began, `final` as it ended, `verdict` that of its trace. With `any_port` the filters leave the
    client's port open: nobody said it, or NAT may choose another. What this host sends to itself is seen at lo as it ended.
    """
    found = []
    if sent.iif:
        found.append(_filter(sent.iif, False, sent, any_port))
    changed = _tuple(sent) != _tuple(final)
    if verdict in {FORWARDED, SENT}:
        found.append(_filter(final.oif, changed, final, any_port))
    elif verdict == LOCAL and not sent.iif:
        found.append(_filter(final.iif, changed, final, any_port))
    return tuple(found)


def _tuple(packet: PacketView) -> tuple[int | None, ...]:
    return packet.src, packet.dst, packet.sport, packet.dport, packet.icmp_id


def _filter(interface: str, translated: bool, packet: PacketView, any_port: bool) -> FlowFilter:
    ways = _ways(packet, any_port)
    return FlowFilter(interface, translated, _tcpdump(packet, ways), _wireshark(packet, ways))


def _ways(packet: PacketView, any_port: bool) -> tuple[_Way, ...]:
    # The client is whoever sent the connection's first packet.
    sport = None if any_port and not packet.reply else packet.sport
    dport = None if any_port and packet.reply else packet.dport
    there = _Way(packet.src, packet.dst, sport, dport, packet.icmp)
    address, mask = _MULTICAST[packet.family]
    to_many = packet.dst & mask == address or (packet.family == 4 and packet.dst == _BROADCAST)
    if packet.icmp is None:
        back: _Way | None = _Way(packet.dst, packet.src, dport, sport, None)
    else:
        reply = _REPLY_TYPES.get(packet.icmp >> 8)
        back = None if reply is None else _Way(packet.dst, packet.src, None, None, reply << 8)
    return (there,) if back is None or to_many else (there, back)


def _tcpdump(packet: PacketView, ways: tuple[_Way, ...]) -> str:
    name = _BPF_PORTS.get(packet.proto)
    protocol = name or {ICMP: "icmp", ICMPV6: "icmp6"}.get(packet.proto)
    if protocol is None:
        protocol = f"{'ip' if packet.family == 4 else 'ip6'} proto {packet.proto}"
    terms = []
    for way in ways:
        words = [f"src {format_address(way.src, packet.family)}"]
        words += [f"src port {way.sport}"] if name and way.sport is not None else []
        words += [f"dst {format_address(way.dst, packet.family)}"]
        words += [f"dst port {way.dport}"] if name and way.dport is not None else []
        words += [f"{protocol}[0] == {way.icmp >> 8}"] if way.icmp is not None else []
        terms.append(" and ".join(words))
    both = f"({terms[0]})" if len(terms) == 1 else "(" + " or ".join(f"({one})" for one in terms) + ")"
    identity = f" and {protocol}[4:2] == {packet.icmp_id}" if _identified(packet) else ""
    return f"{protocol} and {both}{identity}"


def _wireshark(packet: PacketView, ways: tuple[_Way, ...]) -> str:
    ip = "ip" if packet.family == 4 else "ipv6"
    name = _WIRESHARK_PORTS.get(packet.proto)
    icmp = "icmp" if packet.family == 4 else "icmpv6"
    terms = []
    for way in ways:
        words = [
            f"{ip}.src == {format_address(way.src, packet.family)}",
            f"{ip}.dst == {format_address(way.dst, packet.family)}",
        ]
        words += [f"{name}.srcport == {way.sport}"] if name and way.sport is not None else []
        words += [f"{name}.dstport == {way.dport}"] if name and way.dport is not None else []
        words += [f"{icmp}.type == {way.icmp >> 8}"] if way.icmp is not None else []
        terms.append(" && ".join(words))
    both = terms[0] if len(terms) == 1 else " || ".join(f"({one})" for one in terms)
    if name or packet.icmp is not None:
        if not _identified(packet):
            return both
        field = "icmp.ident" if packet.family == 4 else "icmpv6.echo.identifier"
        return f"({both}) && {field} == {packet.icmp_id}"
    kind = "ip.proto" if packet.family == 4 else "ipv6.nxt"
    return f"{kind} == {packet.proto} && ({both})"


def _identified(packet: PacketView) -> bool:
    return packet.icmp is not None and packet.icmp >> 8 in _REPLY_TYPES and packet.icmp_id is not None
