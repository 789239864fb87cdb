"""What each field reads of a packet: the columns of `policyc.netfilter.fields`, one reader each. Part of `policyc.simulation`.

A reader returns None where the packet has no such field. Fields that no packet of this simulation can tell are absent from
both tables: a test of one is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from policyc.host.address_types import address_types
from policyc.netfilter import fields
from policyc.netfilter.fields import Field
from policyc.simulation.packet import Packet
from policyc.simulation.state import State

Reader = Callable[[Packet], Any]


def _ct(name: str) -> Reader:
    """Return the reader of something of the packet's connection."""
    get = attrgetter(f"ct.{name}")
    return lambda packet: None if packet.ct is None else get(packet)


def _status(packet: Packet) -> int | None:
    return None if packet.ct is None else packet.ct.status & 0xFF


def _direction(packet: Packet) -> str | None:
    if packet.ct is None:
        return None
    return "REPLY" if packet.ct_reply else "ORIGINAL"


_PLAIN: dict[Field, Reader] = {
    fields.IIF: attrgetter("iif"),
    fields.OIF: attrgetter("oif"),
    fields.SRC: attrgetter("src"),
    fields.DST: attrgetter("dst"),
    fields.SPORT: attrgetter("sport"),
    fields.DPORT: attrgetter("dport"),
    fields.PROTO: attrgetter("proto"),
    fields.TCP_FLAGS: attrgetter("tcp_flags"),
    fields.TOS: attrgetter("tos"),
    fields.MARK: attrgetter("mark"),
    fields.CT_MARK: _ct("mark"),
    fields.TCP_OPTION: attrgetter("tcp_option"),
    fields.TCP_MSS: attrgetter("tcp_mss"),
    fields.ICMP: attrgetter("icmp"),
    fields.LENGTH: attrgetter("length"),
    fields.FRAG: attrgetter("frag"),
    fields.V6_HEADERS: attrgetter("v6_headers"),
    fields.MH_TYPE: attrgetter("mh_type"),
    fields.SCTP_CHUNKS: attrgetter("sctp_chunks"),
    fields.DCCP_TYPE: attrgetter("dccp_type"),
    fields.DCCP_OPTION: attrgetter("dccp_options"),
    fields.SPI: attrgetter("spi"),
    fields.TTL: attrgetter("ttl"),
    fields.MAC_SRC: attrgetter("mac_src"),
    fields.PKTTYPE: attrgetter("pkttype"),
    fields.PHYSDEV_IN: attrgetter("port_in"),
    fields.PHYSDEV_OUT: attrgetter("port_out"),
    fields.CPU: attrgetter("cpu"),
    fields.REALM: attrgetter("realm"),
    fields.IPSEC_IN: lambda packet: None if packet.iif is None else "none",
    fields.IPSEC_OUT: lambda _: "none",
    fields.UID: attrgetter("uid"),
    fields.GID: attrgetter("gid"),
    fields.CT_STATE: attrgetter("ct_state"),
    fields.CT_DIR: _direction,
    fields.CT_STATUS: _status,
    fields.CT_PROTO: _ct("original.proto"),
    fields.CT_ORIG_SRC: _ct("original.src"),
    fields.CT_ORIG_DST: _ct("original.dst"),
    fields.CT_REPLY_SRC: _ct("reply.src"),
    fields.CT_REPLY_DST: _ct("reply.dst"),
    fields.CT_ORIG_SPORT: _ct("original.sport"),
    fields.CT_ORIG_DPORT: _ct("original.dport"),
    fields.CT_REPLY_SPORT: _ct("reply.sport"),
    fields.CT_REPLY_DPORT: _ct("reply.dport"),
    fields.CT_HELPER: _ct("expected_by"),  # a helper of its own is not what `-m helper` asks for (xt_helper.c)
    fields.CT_LABEL: _ct("labels"),
}
SOMETIMES = frozenset((fields.CPU,))  # every packet has one, and None means that nobody said


def reader_of(field: Field, state: State) -> Reader | None:
    """Return the reader of a field, None for one that nobody here can tell."""
    if (plain := _PLAIN.get(field)) is not None:
        return plain
    if (typed := _TYPES.get(field)) is not None:
        return _type_reader(state, *typed)
    if field in {fields.DEVGROUP_IN, fields.DEVGROUP_OUT}:
        return _group_reader(state, incoming=field is fields.DEVGROUP_IN)
    return None


_TYPES: dict[Field, tuple[str, str]] = {
    fields.SRC_TYPE: ("src", ""),
    fields.DST_TYPE: ("dst", ""),
    fields.SRC_TYPE_IN: ("src", "iif"),
    fields.DST_TYPE_IN: ("dst", "iif"),
    fields.SRC_TYPE_OUT: ("src", "oif"),
    fields.DST_TYPE_OUT: ("dst", "oif"),
}


def _type_reader(state: State, side: str, device: str) -> Reader:
    address = attrgetter(side)
    known = state.address_types
    fib = state.fib

    def read(packet: Packet) -> frozenset[str]:
        key = packet.family, address(packet), (getattr(packet, device) or "") if device else ""
        found = known.get(key)
        if found is None:
            found = known[key] = address_types(fib, *key)
        return found

    return read


def _group_reader(state: State, *, incoming: bool) -> Reader:
    def read(packet: Packet) -> int | None:
        name = packet.iif if incoming else packet.oif
        found = state.host.interface(name) if name else None
        return None if found is None else found.group

    return read
