"""A packet of a recorded case, JSON, becomes a Packet; the connections that were there become entries of the table.

Part of `policyc.simulation`, used by `replay`. The form of a case is in docs/api.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyc.host.frames import BROADCAST_MAC, packet_type
from policyc.host.host import Host
from policyc.net.addresses import parse_address
from policyc.net.protocols import ICMP, ICMPV6, SCTP, TCP, UDP, parse_protocol
from policyc.simulation.connection import CONFIRMED, Connection, ConnectionTable, FlowTuple
from policyc.simulation.packet import FLAGS, MSS_OPTION, Packet, Segment

FIRST_SEQ = 1000  # of a recorded segment that names none
WINDOW = 65535
_MULTICAST_MACS = {4: 0x01005E000000, 6: 0x333300000000}
_LISTED = frozenset((TCP, UDP, ICMP, ICMPV6, SCTP))
_SCTP_DATA, _CHUNK_HEADER = 0, 4


def packet_of(given: Mapping[str, Any], host: Host) -> Packet:
    """Return the packet that a case describes; raises ValueError or KeyError where it does not."""
    family = 6 if ":" in given["src"] else 4
    outgoing = given["dir"] == "out"
    packet = _headers(given, family)
    packet.length = given.get("length", 0)
    packet.ttl, packet.tos = given.get("ttl", 64), given.get("tos", 0)
    packet.bad_checksum = bool(given.get("badsum"))
    packet.outgoing = outgoing
    if "ctstate" in given and not given.get("ctstate_assumed"):
        packet.claimed = given["ctstate"], given.get("ctdir") == "reply"
    if outgoing:
        packet.mark = given.get("mark", 0)
        packet.uid, packet.gid = given.get("uid", 0), given.get("gid", 0)
        return packet
    packet.iif = given["iface"]
    interface = host.interface(given["iface"])
    if interface is None:
        raise ValueError(f"the host has no interface `{given['iface']}`")
    packet.pkttype = packet_type(interface, _destination_mac(given.get("dst_mac", "host"), family))
    packet.mac_src = _mac(given["src_mac"]) if "src_mac" in given else interface.peer_mac
    if packet.proto == SCTP:
        packet.bad_checksum = True  # recorded frames carry no CRC32c, which tracking verifies on arrival (measured)
    return packet


def _headers(given: Mapping[str, Any], family: int) -> Packet:
    """Return the packet with its IP and transport headers: all that an ICMP error quotes."""
    proto = parse_protocol(given["proto"])
    packet = Packet(family, parse_address(given["src"], family), parse_address(given["dst"], family), proto)
    packet.sport, packet.dport = given.get("sport"), given.get("dport")
    if family == 6:
        packet.v6_headers = ("prot",)
    payload = given.get("payload", 0)
    if proto == TCP:
        packet.tcp_flags = sum(FLAGS[name] for name in given.get("flags", "SYN").split(",") if name != "NONE")
        packet.segment = Segment(given.get("seq", FIRST_SEQ), given.get("ack", 0), given.get("window", WINDOW), payload)
        packet.tcp_option = ()
        if "mss" in given:
            packet.tcp_mss, packet.tcp_option = given["mss"], (MSS_OPTION,)
    elif proto in {ICMP, ICMPV6}:
        packet.icmp = given.get("icmp_type", 0) << 8 | given.get("icmp_code", 0)
        packet.icmp_id = given.get("icmp_id")
        if (inner := given.get("inner")) is not None:
            packet.inner = _headers(inner, family)
    elif proto == SCTP:
        packet.sctp_chunks = (_SCTP_DATA,) if payload >= _CHUNK_HEADER else ()
    return packet


def _destination_mac(word: str, family: int) -> int | None:
    if word == "host":
        return None
    if word == "broadcast":
        return BROADCAST_MAC
    return _MULTICAST_MACS[family] if word == "multicast" else _mac(word)


def _mac(text: str) -> int:
    return int(text.replace(":", ""), 16)


def adopt(table: ConnectionTable, given: list[Mapping[str, Any]]) -> None:
    """Make the table hold the connections that a case gives before a packet.

    An entry that the packets before have made keeps what no case tells (TCP's windows) and takes status, mark and state;
    those of protocols that cases do not list stay.
    """
    kept = [one for one in table if one.original.proto not in _LISTED]
    for entry in given:
        original, reply = _tuple(entry["orig"]), _tuple(entry["reply"])
        found = table.find(original)
        one = found[0] if found is not None and found[0].original == original and found[0].reply == reply else None
        if one is None:
            one = Connection(original, reply)
            for side in one.tcp.sides:
                side.liberal = True
        one.status = entry.get("status", CONFIRMED)
        one.mark = entry.get("mark", 0)
        if (state := entry.get("tcp_state")) is not None:
            one.tcp.state = state
        kept.append(one)
    table.clear()
    for one in kept:
        one.alive = True
        table.add(one)


def _tuple(given: Mapping[str, Any]) -> FlowTuple:
    family = 6 if ":" in given["src"] else 4
    proto = parse_protocol(given["proto"])
    sport, dport = given.get("sport", 0), given.get("dport", 0)
    if proto in {ICMP, ICMPV6}:
        sport, dport = given.get("icmp_id", 0), given.get("icmp_type", 0) << 8 | given.get("icmp_code", 0)
    return FlowTuple(
        family, parse_address(given["src"], family), parse_address(given["dst"], family), proto, sport, dport
    )
