"""The headers of a packet as it was seen on its way, read from bytes. What `observe` compares and reports.

Sources: as for `wire`.
"""

from __future__ import annotations

import struct
from typing import Any

from policyc.frozen import frozen
from policyc.kernel.replica.wire import HEADER
from policyc.net.addresses import format_address
from policyc.net.protocols import DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE
from policyc.simulation.packet import FLAGS, IDENTIFIED, MSS_OPTION

_PORTS = frozenset((TCP, UDP, UDPLITE, SCTP, DCCP))
_NAMES = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMPV6: "icmpv6"}
_CHATTER_V6 = frozenset((*range(130, 137), 143))  # neighbours and groups: the kernel speaks of them by itself
_IGMP = 2


@frozen
class Seen:
    """Addresses and ports, ICMP and TCP fields of a packet; `mark` is what `wire.ip_packet` gave it."""

    family: int
    mark: int
    src: int
    dst: int
    proto: int
    ttl: int
    tos: int
    sport: int | None = None
    dport: int | None = None
    flags: int = 0
    mss: int | None = None
    icmp: tuple[int, int] | None = None
    icmp_id: int | None = None

    @property
    def is_chatter(self) -> bool:
        """Whether it is no answer to anything: neighbour discovery, group reports."""
        if self.family == 6:
            return (self.icmp is not None and self.icmp[0] in _CHATTER_V6) or self.proto == 0
        return self.proto == _IGMP

    def final(self) -> dict[str, Any]:
        """Return the tuple in the form of recorded verdicts."""
        found: dict[str, Any] = {
            "src": format_address(self.src, self.family),
            "dst": format_address(self.dst, self.family),
        }
        if self.sport is not None:
            return found | {"sport": self.sport, "dport": self.dport}
        return found if self.icmp_id is None else found | {"icmp_id": self.icmp_id}

    def answer(self) -> dict[str, Any]:
        """Return an answer of the kernel in the form of recorded verdicts."""
        ends = self.final()
        found = {"proto": _NAMES.get(self.proto, str(self.proto)), "src": ends.pop("src"), "dst": ends.pop("dst")}
        if self.icmp is not None:
            return found | {"icmp_type": self.icmp[0], "icmp_code": self.icmp[1]}
        flags = ",".join(name for name, bit in FLAGS.items() if self.flags & bit)
        return found | ends | ({"flags": flags} if self.proto == TCP else {})


def read_ip(data: bytes) -> Seen | None:
    """Return what a packet's bytes from the IP header on say, None where they are none; they may be cut."""
    if len(data) < HEADER[4]:
        return None
    if data[0] >> 4 == 4:
        size = (data[0] & 15) * 4
        (mark,) = struct.unpack_from("!H", data, 4)
        src, dst = int.from_bytes(data[12:16]), int.from_bytes(data[16:20])
        return _with_transport(Seen(4, mark, src, dst, data[9], data[8], data[1]), data[size:])
    if data[0] >> 4 != 6 or len(data) < HEADER[6]:
        return None
    (first,) = struct.unpack_from("!I", data)
    src, dst = int.from_bytes(data[8:24]), int.from_bytes(data[24:40])
    head = Seen(6, first & 0xFFFFF, src, dst, data[6], data[7], first >> 20 & 255)
    return _with_transport(head, data[40:])


def _with_transport(head: Seen, body: bytes) -> Seen:
    fields: dict[str, Any] = {}
    if head.proto in _PORTS and len(body) >= 4:
        fields["sport"], fields["dport"] = struct.unpack_from("!HH", body)
        if head.proto == TCP and len(body) >= 20:
            fields["flags"], fields["mss"] = body[13], _mss(body[20 : (body[12] >> 4) * 4])
    elif head.proto in {ICMP, ICMPV6} and len(body) >= 8:
        fields["icmp"] = body[0], body[1]
        if body[0] in IDENTIFIED:
            (fields["icmp_id"],) = struct.unpack_from("!H", body, 4)
    return Seen(head.family, head.mark, head.src, head.dst, head.proto, head.ttl, head.tos, **fields)


def _mss(options: bytes) -> int | None:
    at = 0
    while at + 1 < len(options):
        kind, size = options[at], options[at + 1]
        if kind <= 1:  # end of options, padding
            at += 1
            continue
        if kind == MSS_OPTION:
            return int.from_bytes(options[at + 2 : at + 4])
        at += max(size, 2)
    return None
