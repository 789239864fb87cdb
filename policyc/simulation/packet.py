"""A packet as a record of fields, the columns of `policyc.netfilter.fields`. The walk changes it on its way; rules read it.

Bottom of `policyc.simulation`. What a packet does not have is None, and a test of it is false.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from policyc.host.arriving import Arriving
from policyc.host.probe import Probe
from policyc.net.protocols import ICMP, ICMPV6
from policyc.simulation.connection import Connection, FlowTuple

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
FLAGS = {"FIN": FIN, "SYN": SYN, "RST": RST, "PSH": PSH, "ACK": ACK, "URG": URG, "ECE": ECE, "CWR": CWR}
IDENTIFIED = frozenset((0, 8, 13, 14, 15, 16, 17, 18, 128, 129))  # ICMP types with an identifier, both families
NO_USER = 2**32 - 1  # uid and gid of a socket that the kernel made for itself
MSS_OPTION = 2  # kind of the TCP option, RFC 9293


@dataclass(slots=True)
class Segment:
    """What connection tracking reads of a TCP header beside ports and flags; `payload` is bytes behind the header."""

    seq: int = 0
    ack: int = 0
    window: int = 65535
    payload: int = 0


@dataclass(slots=True)
class Packet:
    """One packet between two hooks. `inner` is the packet that an ICMP error quotes.

    `to_many`: it is routed as a broadcast or to a group. `outgoing`: this host sends it; `uid` and `gid` exist while its
    socket does, and `bound` is the interface that it must leave by, "" for any. `has_source`: its source takes part in
    routing, as that of some of the kernel's answers does and that of a raw packet does not. `is_copy`: of a broadcast that
    this host sends, looped back to it. `ct_reply`: it goes against the direction of its connection's first packet.
    `claimed` is the state that whoever describes the packet says it has, and whether it goes in the direction of replies;
    `expected_by` is the helper, by the same word, that expected its connection. `port_in` and `port_out` are ports of the
    bridge that is `iif`; a packet with `port_out` is bridged, not routed. `cpu` is None where nobody said. `realm` is that
    of its route. `nat_side` is what table nat translates at the hook where the packet is, SRC or DST.
    """

    family: int
    src: int
    dst: int
    proto: int
    iif: str | None = None
    oif: str | None = None
    sport: int | None = None
    dport: int | None = None
    tcp_flags: int | None = None
    segment: Segment | None = None
    tcp_option: tuple[int, ...] | None = None
    tcp_mss: int | None = None
    icmp: int | None = None
    icmp_id: int | None = None
    inner: Packet | None = None
    length: int = 0
    ttl: int = 64
    tos: int = 0
    mark: int = 0
    frag: str = "whole"
    v6_headers: tuple[str, ...] | None = None
    sctp_chunks: tuple[int, ...] | None = None
    dccp_type: int | None = None
    dccp_options: tuple[int, ...] | None = None
    mh_type: int | None = None
    spi: int | None = None
    bad_checksum: bool = False
    mac_src: int | None = None
    pkttype: str = "unicast"
    port_in: str | None = None
    port_out: str | None = None
    cpu: int | None = None
    realm: int = 0
    uid: int | None = None
    gid: int | None = None
    outgoing: bool = False
    is_copy: bool = False
    to_many: bool = False
    bound: str = ""
    has_source: bool = False
    nat_side: str = ""
    next_hop: int = 0
    ct: Connection | None = None
    ct_state: str = "none"
    ct_reply: bool = False
    helper: str = ""
    claimed: tuple[str, bool] | None = None
    expected_by: str | None = None

    def copy(self) -> Packet:
        """Return another packet with the same fields and the same connection."""
        return replace(self)

    @property
    def tuple(self) -> FlowTuple | None:
        """What its connection is looked up by, None for an ICMP message without an identifier's place."""
        if self.proto in {ICMP, ICMPV6}:
            return FlowTuple(self.family, self.src, self.dst, self.proto, self.icmp_id or 0, self.icmp or 0)
        return FlowTuple(self.family, self.src, self.dst, self.proto, self.sport or 0, self.dport or 0)

    @property
    def user(self) -> int:
        """The uid that routing reads: root's where no program sends it."""
        return 0 if self.uid in {None, NO_USER} else self.uid or 0

    @property
    def arriving(self) -> Arriving:
        """What routing reads of it."""
        return Arriving(
            self.family, self.iif or "", self.src, self.dst, self.proto, self.mark, self.tos, self.sport or 0,
            self.dport or 0, self.ttl, self.pkttype, self.length,
        )  # fmt: skip

    @property
    def probe(self) -> Probe:
        """What an ipset reads of it."""
        return Probe(
            self.family, self.src, self.dst, self.proto, self.sport, self.dport, self.icmp, self.iif or "", self.oif or "",
            self.mac_src, None, self.mark, self.frag == "later",
        )  # fmt: skip
