"""A packet as it looks at one moment, as a value that stays: what an explanation shows. Part of `policyc.simulation`.

`text` is the packet as the language writes it, `to_dict` its JSON form.
"""

from __future__ import annotations

from typing import Any

from policyc.frozen import frozen
from policyc.net.addresses import format_address
from policyc.net.protocols import ICMP, ICMPV6, TCP, format_protocol
from policyc.netfilter import fields
from policyc.simulation.field_text import field_text
from policyc.simulation.packet import IDENTIFIED, Packet


@frozen
class PacketView:
    """Addresses as numbers; ports, `icmp`, `flags` and `mss` None where the packet has none; interfaces "" where there is none.

    `connmark` is the mark of its connection, None without one; `reply`: it goes against its connection's first packet.
    """

    family: int
    proto: int
    src: int
    dst: int
    sport: int | None
    dport: int | None
    flags: int | None
    icmp: int | None
    icmp_id: int | None
    iif: str
    oif: str
    state: str
    reply: bool
    mark: int
    connmark: int | None
    ttl: int
    tos: int
    length: int
    mss: int | None

    @classmethod
    def of(cls, packet: Packet) -> PacketView:
        """Return what a packet looks like now."""
        one = packet.ct
        return cls(
            packet.family, packet.proto, packet.src, packet.dst, packet.sport, packet.dport, packet.tcp_flags, packet.icmp,
            packet.icmp_id, packet.iif or "", packet.oif or "", packet.ct_state, packet.ct_reply, packet.mark,
            None if one is None else one.mark, packet.ttl, packet.tos, packet.length, packet.tcp_mss,
        )  # fmt: skip

    @property
    def protocol(self) -> str:
        """The protocol, of ICMP with its type: `tcp`, `icmp/echo-request`."""
        if self.icmp is None:
            return format_protocol(self.proto)
        name = {ICMP: "icmp", ICMPV6: "icmp6"}.get(self.proto, format_protocol(self.proto))
        return f"{name}/{field_text(fields.ICMP, self.icmp, self.family, self.proto)}"

    @property
    def source(self) -> str:
        """Address and port it comes from."""
        return self._end(self.src, self.sport)

    @property
    def destination(self) -> str:
        """Address and port it goes to."""
        return self._end(self.dst, self.dport)

    def _end(self, address: int, port: int | None) -> str:
        text = format_address(address, self.family)
        if port is None:
            return text
        return f"[{text}]:{port}" if self.family == 6 else f"{text}:{port}"

    @property
    def text(self) -> str:
        """The packet in one line, as a question on the command line writes it."""
        return f"{self.protocol} {self.source} -> {self.destination}"

    def changes(self, later: PacketView) -> dict[str, tuple[str, str]]:
        """Return what differs in a later view: the field's name with the text before and after."""
        mine, others = self.shown(), later.shown()
        names = [*mine, *(name for name in others if name not in mine)]
        return {
            name: (mine.get(name, "none"), others.get(name, "none"))
            for name in names
            if mine.get(name) != others.get(name)
        }

    def shown(self) -> dict[str, str]:
        """Return every field that the packet has, as a person reads it."""
        found = {
            "protocol": self.protocol, "src": format_address(self.src, self.family), "dst": format_address(self.dst, self.family)
        }  # fmt: skip
        if self.sport is not None:
            found |= {"sport": str(self.sport), "dport": str(self.dport)}
        if self.proto == TCP and self.flags is not None:
            found["flags"] = field_text(fields.TCP_FLAGS, self.flags, self.family, self.proto)
        if self.icmp_id is not None and (self.icmp or 0) >> 8 in IDENTIFIED:
            found["icmp id"] = str(self.icmp_id)
        if self.iif:
            found["in"] = self.iif
        if self.oif:
            found["out"] = self.oif
        if self.state != "none":
            found["state"] = self.state + (", reply" if self.reply else "")
        if self.mark:
            found["mark"] = hex(self.mark)
        if self.connmark:
            found["connmark"] = hex(self.connmark)
        found["ttl"] = str(self.ttl)
        if self.tos:
            found["tos"] = hex(self.tos)
        if self.mss is not None:
            found["mss"] = str(self.mss)
        found["length"] = str(self.length)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the packet in the form that recorded cases have, with interfaces, state and marks."""
        found: dict[str, Any] = {
            "family": self.family,
            "proto": format_protocol(self.proto),
            "src": format_address(self.src, self.family),
            "dst": format_address(self.dst, self.family),
        }
        if self.sport is not None:
            found |= {"sport": self.sport, "dport": self.dport}
        if self.proto == TCP and self.flags is not None:
            found["flags"] = field_text(fields.TCP_FLAGS, self.flags, self.family, self.proto)
        if self.icmp is not None:
            found |= {"icmp_type": self.icmp >> 8, "icmp_code": self.icmp & 255}
        if self.icmp_id is not None:
            found["icmp_id"] = self.icmp_id
        found |= {name: value for name, value in (("in", self.iif), ("out", self.oif)) if value}
        found |= {"ctstate": self.state, "mark": self.mark, "ttl": self.ttl, "tos": self.tos, "length": self.length}
        if self.state in {"ESTABLISHED", "RELATED", "NEW"}:
            found["ctdir"] = "reply" if self.reply else "original"
        if self.connmark is not None:
            found["connmark"] = self.connmark
        if self.mss is not None:
            found["mss"] = self.mss
        return found
