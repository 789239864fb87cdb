"""Headers as somebody describes them become a Packet: what every described packet shares, recorded ones too.

Part of `policyc.simulation`; where the packet enters and by whose hand is said by who asks.
"""

from __future__ import annotations

from policyc.net.headers import Headers
from policyc.net.protocols import ICMP, ICMPV6, SCTP, TCP, UDP
from policyc.simulation.packet import MSS_OPTION, SYN, Packet, Segment

FIRST_SEQ = 1000  # of a segment whose describer names none
WINDOW = 65535
IP_HEADER = {4: 20, 6: 40}
TRANSPORT_HEADER = {TCP: 20, UDP: 8, ICMP: 8, ICMPV6: 8, SCTP: 12}
_SCTP_INIT, _INIT_SIZE = 1, 20  # bytes of that chunk, without parameters


def packet_of(headers: Headers) -> Packet:
    """Return the packet with its IP and transport headers, all that an ICMP error quotes; TCP flags not said are SYN.

    Without a length it is as long as its headers and payload.
    """
    proto = headers.proto or 0
    packet = Packet(headers.family, headers.src, headers.dst, proto, sport=headers.sport, dport=headers.dport)
    if headers.family == 6:
        packet.v6_headers = ("prot",)
    payload = headers.payload or 0
    if proto == TCP:
        packet.tcp_flags = SYN if headers.flags is None else headers.flags
        packet.segment = Segment(
            FIRST_SEQ if headers.seq is None else headers.seq,
            headers.ack or 0,
            WINDOW if headers.window is None else headers.window,
            payload,
        )
        packet.tcp_mss = headers.mss
        packet.tcp_option = () if headers.mss is None else (MSS_OPTION,)
    elif proto in {ICMP, ICMPV6}:
        packet.icmp, packet.icmp_id = headers.icmp or 0, headers.icmp_id
        packet.inner = None if headers.inner is None else packet_of(headers.inner)
    elif proto == SCTP:
        # As TCP's first packet is a SYN; of recorded ones only a payload with room for it has been seen to open.
        opens = headers.payload is None or payload >= _INIT_SIZE
        packet.sctp_chunks = (_SCTP_INIT,) if opens else ()
    packet.spi = headers.spi
    packet.ttl = 64 if headers.ttl is None else headers.ttl
    packet.tos, packet.mark = headers.tos or 0, headers.mark or 0
    packet.frag = "later" if headers.fragment else "whole"
    options = 0 if headers.mss is None else 4
    length = IP_HEADER[headers.family] + TRANSPORT_HEADER.get(proto, 0) + options + payload
    packet.length = length if headers.length is None else headers.length
    return packet
