"""The way of one packet as a list of events, each a value: what `explain` tells. Part of `policyc.simulation`.

A walk fills a `Journey` only when it is given one; a replay is not slowed down by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from policyc.frozen import frozen
from policyc.host.decision import Decision
from policyc.host.departure import Departure
from policyc.host.fib import Failure
from policyc.host.host import LOOPBACK, Route
from policyc.netfilter.hooks import Hook
from policyc.netfilter.rule import Rule
from policyc.simulation.connection import CONFIRMED
from policyc.simulation.packet import Packet
from policyc.simulation.view import PacketView


@frozen
class Look:
    """A rule that a packet came to, or the policy of a base chain (`number` "policy", `rule` None).

    `depth` is how many jumps lie above. `packet` is the packet as the rule saw it. `verdict` is the word of the recorded
    traces (`accept`, `jump:CHAIN` …), "" where the rule did not match. `after` is the packet behind the rule where the rule
    changed it.
    """

    chain: str
    number: int | str
    depth: int
    rule: Rule | None
    packet: Packet
    verdict: str
    after: PacketView | None = None

    @property
    def matched(self) -> bool:
        """Whether the packet matched."""
        return bool(self.verdict)


@dataclass(slots=True)
class Visit:
    """A table that the packet went through at a hook: the rules it came to, in order.

    `skipped` counts the rules of long chains that were not looked at, since they name other addresses or ports.
    """

    hook: Hook
    table: str
    before: PacketView
    looks: list[Look] = field(default_factory=list)
    skipped: int = 0


@frozen
class Tracked:
    """Connection tracking gave the packet its state; `known`: it belongs to an entry that was there before."""

    hook: Hook
    state: str
    reply: bool
    known: bool


@frozen
class Translated:
    """NAT wrote other addresses or ports into the packet at a hook."""

    hook: Hook
    before: PacketView
    after: PacketView


@frozen
class Routed:
    """Routing decided: `kind` is local, forward, out or drop; `reason` says why it drops.

    `again`: OUTPUT changed the packet, which is routed a second time. `route` is the route taken, None where none is.
    """

    kind: str
    device: str
    next_hop: int | None
    family: int
    route: Route | None
    reason: str = ""
    again: bool = False


@frozen
class LoopedBack:
    """The packet left by `lo` and comes in again; `copy`: it is the copy of a broadcast."""

    copy: bool


Event = Visit | Tracked | Translated | Routed | LoopedBack


@dataclass(slots=True)
class Journey:
    """The events of one walk, in order."""

    events: list[Event] = field(default_factory=list)

    def visit(self, hook: Hook, table: str, packet: Packet) -> Recorder:
        """Begin the visit of a table."""
        seen = Visit(hook, table, PacketView.of(packet))
        self.events.append(seen)
        return Recorder(seen, packet)

    def tracked(self, hook: Hook, packet: Packet) -> None:
        """Tell what connection tracking found."""
        known = packet.ct is not None and bool(packet.ct.status & CONFIRMED)
        self.events.append(Tracked(hook, packet.ct_state, packet.ct_reply, known))

    def arrived(self, packet: Packet, decision: Decision) -> None:
        """Tell what routing decided about a packet that came in."""
        kind = "drop" if decision.drop else "local" if decision.is_local else "forward"
        reason = decision.drop.value if decision.drop else ""
        hop = decision.next_hop if kind == "forward" else None
        self.events.append(Routed(kind, decision.device, hop, packet.family, decision.route, reason))

    def departed(self, packet: Packet, way: Departure | Failure, *, again: bool) -> None:
        """Tell how routing sends a packet of this host."""
        if isinstance(way, Failure):
            reason = f"there is no way to its destination ({way.value})"
            self.events.append(Routed("drop", "", None, packet.family, None, reason, again))
            return
        hop = None if way.device == LOOPBACK else way.next_hop
        self.events.append(Routed("out", way.device, hop, packet.family, way.route, "", again))

    def translated(self, hook: Hook, before: PacketView, packet: Packet) -> None:
        """Tell what NAT wrote, if anything."""
        after = PacketView.of(packet)
        if (before.source, before.destination, before.icmp_id) != (after.source, after.destination, after.icmp_id):
            self.events.append(Translated(hook, before, after))


class Recorder:
    """Writes down the rules that a packet comes to in one table."""

    __slots__ = ("_packet", "_seen", "_visit")

    def __init__(self, visit: Visit, packet: Packet) -> None:
        self._visit, self._packet = visit, packet
        self._seen = _still(packet)

    def missed(self, chain: str, number: int, depth: int, rule: Rule) -> None:
        """Write down a rule that did not match."""
        self._visit.looks.append(Look(chain, number, depth, rule, self._seen, ""))

    def matched(self, chain: str, number: int | str, depth: int, rule: Rule | None, verdict: str) -> None:
        """Write down a rule that matched and has acted, or a policy that decided."""
        before, now = PacketView.of(self._seen), PacketView.of(self._packet)
        changed = before != now
        self._visit.looks.append(Look(chain, number, depth, rule, self._seen, verdict, now if changed else None))
        if rule is not None:
            self._seen = _still(self._packet)

    def skipped(self, count: int) -> None:
        """Count rules of a long chain that were not looked at."""
        self._visit.skipped += count


def _still(packet: Packet) -> Packet:
    """Return the packet as it is now, with its connection as that is now."""
    one = packet.ct
    return replace(packet, ct=None if one is None else replace(one))
