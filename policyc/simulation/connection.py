"""An entry of the connection table: both tuples, status bits, marks, counters. A value of `policyc.simulation`.

Sources: include/net/netfilter/nf_conntrack_tuple.h, include/uapi/linux/netfilter/nf_conntrack_common.h.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from policyc.host.known_connection import KnownConnection
from policyc.net.protocols import ICMP, ICMPV6
from policyc.simulation.tcp_state import TcpConnection

EXPECTED, SEEN_REPLY, ASSURED, CONFIRMED, SRC_NAT, DST_NAT = 1, 2, 4, 8, 16, 32  # enum ip_conntrack_status
SRC_NAT_DONE, DST_NAT_DONE = 128, 256
ENTRY_STATES = frozenset(("NEW", "ESTABLISHED", "RELATED"))

# Request and answer of ICMP by type (invmap of nf_conntrack_proto_icmp.c and _icmpv6.c).
_ANSWERS = {
    ICMP: {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17},
    ICMPV6: {128: 129, 129: 128, 139: 140, 140: 139},
}


class FlowTuple(NamedTuple):
    """What identifies one direction of a connection. Of ICMP `sport` is the identifier, `dport` type * 256 + code."""

    family: int
    src: int
    dst: int
    proto: int
    sport: int
    dport: int

    def inverted(self) -> FlowTuple | None:
        """Return the tuple of the other direction, None for an ICMP type that knows no answer."""
        answers = _ANSWERS.get(self.proto)
        if answers is None:
            return FlowTuple(self.family, self.dst, self.src, self.proto, self.dport, self.sport)
        answer = answers.get(self.dport >> 8)
        if answer is None:
            return None
        return FlowTuple(self.family, self.dst, self.src, self.proto, self.sport, answer << 8 | self.dport & 255)


@dataclass(slots=True, eq=False)
class Connection:
    """One connection. `packets` and `bytes` count by direction, the original's first.

    `helper` is its own, `expected_by` that of the connection whose traffic announced this one, None where none did.
    `masqueraded_by` is the interface whose address MASQUERADE took. `alive` False: deleted, later packets are new.
    """

    original: FlowTuple
    reply: FlowTuple
    status: int = 0
    mark: int = 0
    helper: str = ""
    expected_by: str | None = None
    masqueraded_by: str = ""
    alive: bool = True
    labels: frozenset[int] = frozenset()
    tcp: TcpConnection = field(default_factory=TcpConnection)
    packets: list[int] = field(default_factory=lambda: [0, 0])
    bytes: list[int] = field(default_factory=lambda: [0, 0])

    @classmethod
    def known(cls, given: KnownConnection) -> Connection:
        """Return the entry of a connection whose packets nobody has seen: any TCP window will do."""
        original, reply = (
            FlowTuple(given.family, *ends[:2], given.protocol, *ends[2:]) for ends in (given.original, given.reply)
        )
        one = cls(original, reply, given.status, given.mark)
        one.tcp.state = given.tcp_state or one.tcp.state
        for side in one.tcp.sides:
            side.liberal = True
        return one

    def towards(self, *, reply: bool) -> tuple[FlowTuple, FlowTuple]:
        """Return the tuple of a direction and the one of the other."""
        return (self.reply, self.original) if reply else (self.original, self.reply)

    def count(self, length: int, *, reply: bool) -> None:
        """Count a packet."""
        self.packets[reply] += 1
        self.bytes[reply] += length


class ConnectionTable:
    """All entries, found by either tuple."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[FlowTuple, tuple[Connection, bool]] = {}

    def find(self, wanted: FlowTuple) -> tuple[Connection, bool] | None:
        """Return the connection of a tuple and whether the tuple is its reply's."""
        return self._found.get(wanted)

    def add(self, one: Connection) -> bool:
        """Enter a connection; False, with nothing changed, where one of its tuples is taken."""
        if one.original in self._found or one.reply in self._found:
            return False
        self._found[one.original] = (one, False)
        self._found[one.reply] = (one, True)
        return True

    def remove(self, one: Connection) -> None:
        """Delete a connection."""
        one.alive = False
        for each in (one.original, one.reply):
            if (found := self._found.get(each)) is not None and found[0] is one:
                del self._found[each]

    def is_taken(self, wanted: FlowTuple, by_other_than: Connection) -> bool:
        """Whether another connection has the tuple."""
        found = self._found.get(wanted)
        return found is not None and found[0] is not by_other_than

    def sources_of(self, family: int, src: int, proto: int, sport: int) -> list[Connection]:
        """Return the connections whose first packet had this source, the newest first."""
        wanted = (family, src, proto, sport)
        return [
            one
            for each, (one, reply) in reversed(self._found.items())
            if not reply and (each.family, each.src, each.proto, each.sport) == wanted
        ]

    def clear(self) -> None:
        """Delete all."""
        for one, _ in self._found.values():
            one.alive = False
        self._found.clear()

    def __iter__(self) -> Iterator[Connection]:
        return iter({id(one): one for one, _ in self._found.values()}.values())

    def __len__(self) -> int:
        return len(self._found) // 2
