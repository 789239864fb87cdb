"""The fields of a packet that rules test: the columns of `model.md`'s first table, each with its domain.

A field is INTERVALS (numbers, tested by ranges), BITS (numbers, tested under masks) or NAMES (a finite set and "another").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Domain(Enum):
    """How the values of a field are tested and thus how the analysis encodes them."""

    INTERVALS = "intervals"
    BITS = "bits"
    NAMES = "names"


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A named column; `bits` is the width of a number (addresses: 128, of which IPv4 uses 32), 0 for names.

    There is one value of each, below, so that fields are compared and hashed by identity.
    """

    name: str
    domain: Domain
    bits: int = 0

    def __repr__(self) -> str:
        return self.name


def _intervals(name: str, bits: int) -> Field:
    return Field(name, Domain.INTERVALS, bits)


def _bits(name: str, bits: int) -> Field:
    return Field(name, Domain.BITS, bits)


def _names(name: str) -> Field:
    return Field(name, Domain.NAMES)


IIF, OIF = _names("iif"), _names("oif")
SRC, DST = _intervals("src", 128), _intervals("dst", 128)
SPORT, DPORT = _intervals("sport", 16), _intervals("dport", 16)
PROTO = _intervals("proto", 8)
TCP_FLAGS = _bits("tcp.flags", 8)  # FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128
TOS = _bits("tos", 8)  # dscp in the upper six bits, ecn in the lower two
MARK, CT_MARK = _bits("mark", 32), _bits("ct.mark", 32)
SOCKET_MARK = _bits("socket.mark", 32)  # of the local socket that the packet belongs to
TCP_OPTION = _intervals("tcp.option", 8)  # set-valued: true when one of the packet's options is in the set
TCP_MSS = _intervals("tcp.mss", 16)
ICMP = _intervals("icmp", 16)  # type * 256 + code
LENGTH = _intervals("length", 16)  # bytes of the IP packet, header included
FRAG = _names("frag")  # whole, first, later
V6_HEADERS = _names("v6.headers")  # set-valued: hop dst route frag auth esp none, prot for a header of another kind
MH_TYPE = _intervals("mh.type", 8)  # of IPv6 mobility
SCTP_CHUNKS = _intervals("sctp.chunks", 8)  # set-valued
DCCP_TYPE, DCCP_OPTION = _intervals("dccp.type", 4), _intervals("dccp.option", 8)
SPI = _intervals("spi", 32)  # of AH or ESP
TTL = _intervals("ttl", 8)
MAC_SRC = _intervals("mac.src", 48)
PKTTYPE = _names("pkttype")  # unicast, broadcast, multicast, otherhost
PHYSDEV_IN, PHYSDEV_OUT = _names("physdev.in"), _names("physdev.out")
IPSEC_IN, IPSEC_OUT = _names("ipsec.in"), _names("ipsec.out")
CPU = _intervals("cpu", 32)
DEVGROUP_IN, DEVGROUP_OUT = _bits("devgroup.in", 32), _bits("devgroup.out", 32)
REALM = _bits("realm", 32)
UID, GID = _intervals("uid", 32), _intervals("gid", 32)  # exist where the packet has a sending socket
CGROUP = _intervals("cgroup", 32)
SRC_TYPE, DST_TYPE = _names("src.type"), _names("dst.type")  # in IPv6 set-valued: an own address is UNICAST and LOCAL
SRC_TYPE_IN, DST_TYPE_IN = _names("src.type.iif"), _names("dst.type.iif")  # asked of the incoming interface only
SRC_TYPE_OUT, DST_TYPE_OUT = _names("src.type.oif"), _names("dst.type.oif")
CT_STATE = _names("ct.state")  # none NEW ESTABLISHED RELATED INVALID UNTRACKED
CT_DIR = _names("ct.dir")  # ORIGINAL REPLY
CT_STATUS = _bits("ct.status", 8)  # EXPECTED 1, SEEN_REPLY 2, ASSURED 4, CONFIRMED 8, SNAT 16, DNAT 32
CT_PROTO = _intervals("ct.proto", 8)
CT_ORIG_SRC, CT_ORIG_DST = _intervals("ct.orig.src", 128), _intervals("ct.orig.dst", 128)
CT_REPLY_SRC, CT_REPLY_DST = _intervals("ct.reply.src", 128), _intervals("ct.reply.dst", 128)
CT_ORIG_SPORT, CT_ORIG_DPORT = _intervals("ct.orig.sport", 16), _intervals("ct.orig.dport", 16)
CT_REPLY_SPORT, CT_REPLY_DPORT = _intervals("ct.reply.sport", 16), _intervals("ct.reply.dport", 16)
CT_EXPIRE = _intervals("ct.expire", 32)  # seconds
CT_HELPER = _names("ct.helper")
CT_LABEL = _intervals("ct.label", 7)  # set-valued: the bits that are set

IN_PACKET: tuple[Field, ...] = (
    SRC, DST, SPORT, DPORT, PROTO, TCP_FLAGS, TOS, TCP_OPTION, TCP_MSS, ICMP, LENGTH, FRAG, V6_HEADERS, MH_TYPE, SCTP_CHUNKS,
    DCCP_TYPE, DCCP_OPTION, SPI, TTL,
)  # fmt: skip
"""The fields that are bytes of the IP packet: what a match reads that looks at the bytes themselves."""

FIELDS: tuple[Field, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Field))
