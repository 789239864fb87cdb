"""The way of a packet through hooks, routing and the kernel's own stages, from where it enters to where it ends.

The heart of `policyc.simulation`: what is visited in which order is `policyc.netfilter.hooks.VISITS`, nothing here repeats it.
"""

from __future__ import annotations

from policyc.host.arrival import arrive
from policyc.host.decision import Drop
from policyc.host.departure import Departure, depart, reroute
from policyc.host.fib import Failure, Flow
from policyc.host.frames import refusal
from policyc.host.host import LOOPBACK, RouteKind
from policyc.host.realms import realm_of_arrival, realm_of_departure
from policyc.net.protocols import ICMP, TCP
from policyc.netfilter.hooks import TABLES, VISITS, Hook
from policyc.netfilter.ruleset import Ruleset
from policyc.simulation import nat, tracking
from policyc.simulation.answers import Answer, as_packet, icmp_error, rejection
from policyc.simulation.counters import Counters
from policyc.simulation.effects import DROP, STOLEN, Outcome
from policyc.simulation.journey import Journey, LoopedBack
from policyc.simulation.packet import Packet
from policyc.simulation.reassembly import reassembles
from policyc.simulation.rules import CompiledTable
from policyc.simulation.state import State, UnknowableError
from policyc.simulation.trace import DROPPED, FORWARDED, KERNEL_DROP, LOCAL, REJECTED, SENT, UNSUPPORTED, Trace
from policyc.simulation.view import PacketView

_STAGES = {hook: tuple(visit.stage for visit in VISITS if visit.hook is hook) for hook in Hook}
_TO_MANY = frozenset((RouteKind.BROADCAST, RouteKind.MULTICAST))
_REDIRECT = 5  # of ICMP
_ERROR_BURST = 5  # net.ipv4.route.error_burst over error_cost; one a second grows back
_FRAGMENT_HEADER = 8  # bytes, RFC 8200


class _Ended(Exception):  # noqa: N818 - not an error: the packet's way is over
    """The packet goes no further; its trace has the verdict."""


class Simulation:
    """A ruleset on a host. Packets walk one after the other and leave their marks on `state`."""

    __slots__ = ("_has_nat", "_journey", "_ruleset", "_tables", "state")

    def __init__(self, ruleset: Ruleset, state: State) -> None:
        self.state = state
        self._ruleset = ruleset
        self._journey: Journey | None = None
        counters = Counters(state)
        self._tables = {
            (table.family, table.name): CompiledTable(table, state, counters)
            for table in ruleset.tables
            if table.name in TABLES
        }  # fmt: skip
        self._has_nat = {
            family: any(self._tables[key].has(hook.value) for hook in Hook for key in [(family, "nat")] if key in self._tables)
            for family in (4, 6)
        }  # fmt: skip

    def walk(self, packet: Packet, journey: Journey | None = None) -> Trace:
        """Send a packet on its way, which changes it, and return what happened; a journey is told every event."""
        trace = Trace()
        self._journey = journey
        try:
            if packet.frag != "whole" or "frag" in (packet.v6_headers or ()):
                self._reassemble(packet)
            if packet.outgoing:
                self._send(packet, trace)
            else:
                self._receive(packet, trace)
        except _Ended:
            pass
        except UnknowableError as unknown:
            trace.verdict, trace.reason = UNSUPPORTED, str(unknown)
        if trace.answer is not None:
            self._answer(trace.answer, packet, trace)
        return trace

    def _answer(self, answer: Answer, packet: Packet, trace: Trace) -> None:
        """Send the kernel's answer on its own way through OUTPUT, where it may be dropped."""
        carrier = as_packet(answer, packet)
        if carrier is not None:
            way = self.walk(carrier)
            if way.verdict != UNSUPPORTED:
                trace.answer_way = way
                trace.answer_left_by = way.device if way.verdict == SENT else ""

    def _reassemble(self, packet: Packet) -> None:
        """Take off the fragment header of a packet that is alone under it (RFC 6946), where fragments are put together."""
        if not reassembles(self._ruleset, packet.family):
            return
        if packet.frag != "whole":
            raise UnknowableError(
                "where connections are tracked, fragments are put together before any rule sees them; describe the whole packet"
            )
        packet.v6_headers = tuple(name for name in packet.v6_headers or () if name != "frag")
        packet.length -= _FRAGMENT_HEADER

    # ------------------------------------------------------------------ ways
    def _receive(self, packet: Packet, trace: Trace) -> None:
        interface = self.state.host.interface(packet.iif or "")
        if interface is None:
            raise UnknowableError(f"the host has no interface `{packet.iif}`")
        if why := refusal(interface, packet.pkttype, packet.family, packet.src, packet.dst):
            self._drop(trace, why)
        if packet.port_out is not None:
            self._bridge(packet, packet.port_out, trace)
            return
        self._hook(Hook.PREROUTING, packet, trace)
        decision = arrive(self.state.fib, packet.arriving)
        packet.to_many = decision.kind in _TO_MANY
        packet.realm = realm_of_arrival(self.state.fib, packet.arriving, decision)
        if self._journey is not None:
            self._journey.arrived(packet, decision)
        if decision.drop is not None:
            if decision.answer is not None and self._answers(packet, decision.drop):
                trace.answer = icmp_error(self.state.fib, packet, *decision.answer)
            self._drop(trace, decision.drop.value)
        if decision.is_local:
            self._deliver(packet, trace)
            return
        packet.oif, packet.next_hop = decision.device, decision.next_hop
        packet.ttl -= 1
        self._hook(Hook.FORWARD, packet, trace)
        self._hook(Hook.POSTROUTING, packet, trace)
        trace.verdict, trace.device = FORWARDED, packet.oif or ""

    def _bridge(self, packet: Packet, port_out: str, trace: Trace) -> None:
        """Carry a frame from one port of a bridge to another: nothing is routed (net/bridge/br_netfilter_hooks.c)."""
        if self.state.host.sysctls.number(f"net.bridge.bridge-nf-call-ip{'6' if packet.family == 6 else ''}tables"):
            packet.port_out, target = None, packet.dst
            self._hook(Hook.PREROUTING, packet, trace)
            if packet.dst != target:
                raise UnknowableError(
                    "whether the bridge or routing carries on a bridged packet whose destination is rewritten"
                )
            packet.port_out, packet.oif = port_out, packet.iif
            self._hook(Hook.FORWARD, packet, trace)
            packet.iif = None  # br_nf_post_routing names the device out alone
            self._hook(Hook.POSTROUTING, packet, trace)
        trace.verdict, trace.device = FORWARDED, packet.oif or packet.iif or ""

    def _answers(self, packet: Packet, why: Drop) -> bool:
        """Whether the kernel has not told this source too often that there is no route (ip_error of net/ipv4/route.c)."""
        if packet.family == 6 or why not in {Drop.NO_ROUTE, Drop.UNREACHABLE, Drop.PROHIBIT}:
            return True
        self.state.unreached[packet.src] += 1
        return self.state.unreached[packet.src] <= _ERROR_BURST

    def _deliver(self, packet: Packet, trace: Trace) -> None:
        if packet.frag != "whole" and packet.family == 4:
            raise UnknowableError("what is delivered here is put together before INPUT; describe the whole packet")
        packet.oif = None
        self._hook(Hook.INPUT, packet, trace)
        trace.verdict, trace.device = LOCAL, packet.iif or ""

    def _send(self, packet: Packet, trace: Trace) -> None:
        flow = Flow(
            packet.family, packet.dst, packet.src if packet.has_source else None, oif=packet.bound, mark=packet.mark,
            protocol=packet.proto, sport=packet.sport or 0, dport=packet.dport or 0, uid=packet.user,
        )  # fmt: skip
        found = (
            reroute(self.state.fib, flow, "")
            if packet.has_source and packet.proto == TCP
            else depart(self.state.fib, flow)
        )
        way = self._way(found, packet, trace)
        packet.oif, packet.next_hop, packet.realm = way.device, way.next_hop, realm_of_departure(way)
        if packet.family == 4 and packet.src == 0 and way.source is not None:
            packet.src = way.source  # IPv4 fills it in (raw_send_hdrinc)
        packet.to_many = way.kind in _TO_MANY
        try:
            way = self._output(packet, trace, way)
            packet.oif, packet.next_hop = way.device, way.next_hop
            if way.also_local:
                self._loop_copy(packet.copy(), trace, way)
            self._hook(Hook.POSTROUTING, packet, trace)
        except _Ended:
            trace.send_error = trace.send_error or ("" if trace.verdict == LOCAL else "EPERM")
            raise
        if way.device == LOOPBACK:
            self._come_back(packet, trace, "unicast")
            return
        trace.verdict, trace.device = SENT, way.device

    def _output(self, packet: Packet, trace: Trace, way: Departure) -> Departure:
        """Run the chains of OUTPUT, all of which see the first route's interface; return the last route."""
        for stage in _STAGES[Hook.OUTPUT]:
            before = _routed_by(packet)
            self._stage(stage, Hook.OUTPUT, packet, trace)
            changed = (
                _routed_by(packet) != before if stage == "mangle" else stage == "nat" and nat.address_changed(packet)
            )
            if changed:
                way = self._rerouted(packet, trace, way.device)
                packet.to_many, packet.realm = way.kind in _TO_MANY, realm_of_departure(way)
        return way

    def _rerouted(self, packet: Packet, trace: Trace, first: str) -> Departure:
        flow = Flow(
            packet.family, packet.dst, packet.src, oif=packet.bound, mark=packet.mark, tos=packet.tos, protocol=packet.proto,
            sport=packet.sport or 0, dport=packet.dport or 0, uid=packet.user,
        )  # fmt: skip
        return self._way(reroute(self.state.fib, flow, first), packet, trace, again=True)

    def _loop_copy(self, packet: Packet, trace: Trace, way: Departure) -> None:
        """Let in the copy of a broadcast or multicast, before the packet itself goes on (measured): its fate is its own."""
        of_copy = Trace(steps=trace.steps)
        packet.uid = packet.gid = None
        packet.is_copy = True
        try:
            self._hook(Hook.POSTROUTING, packet, of_copy)
            self._come_back(packet, of_copy, "multicast" if way.kind is RouteKind.MULTICAST else "broadcast")
        except _Ended:
            return
        trace.also_local = way.device

    def _come_back(self, packet: Packet, trace: Trace, kind: str) -> None:
        """Let a packet in that this host sent to itself: with its connection and mark, without socket, not routed again."""
        packet.iif, packet.oif = packet.oif, None
        packet.uid = packet.gid = None
        packet.pkttype = kind
        if self._journey is not None:
            self._journey.events.append(LoopedBack(copy=packet.is_copy))
        self._hook(Hook.PREROUTING, packet, trace)
        self._deliver(packet, trace)

    # ------------------------------------------------------------------ stages
    def _hook(self, hook: Hook, packet: Packet, trace: Trace) -> None:
        for stage in _STAGES[hook]:
            self._stage(stage, hook, packet, trace)

    def _stage(self, stage: str, hook: Hook, packet: Packet, trace: Trace) -> None:
        if stage == "nat":
            if self._has_nat[packet.family]:
                self._nat(hook, packet, trace)
        elif stage == "conntrack":
            if packet.frag == "whole":  # others come here only where nothing is tracked
                tracking.track(self.state, packet)
            if self._journey is not None:
                self._journey.tracked(hook, packet)
        elif stage == "confirm":
            if not tracking.confirm(self.state, packet):
                self._drop(trace, "another connection has taken its addresses and ports meanwhile")
        else:
            self._table(stage, hook, packet, trace)

    def _table(self, name: str, hook: Hook, packet: Packet, trace: Trace) -> None:
        table = self._tables.get((packet.family, name))
        if table is None or not table.has(hook.value):
            return
        recorder = None if self._journey is None else self._journey.visit(hook, name, packet)
        outcome = table.run(hook.value, packet, trace.steps, recorder)
        if outcome.kind in {DROP, STOLEN}:
            self._end(outcome, packet, trace)
        trace.passed = f"{name}/{hook.value}"

    def _nat(self, hook: Hook, packet: Packet, trace: Trace) -> None:
        """Run table nat where it is asked, and translate; a journey is told what changed."""
        before = None if self._journey is None else PacketView.of(packet)
        self._translation(hook, packet, trace)
        if self._journey is not None and before is not None:
            self._journey.translated(hook, before, packet)

    def _translation(self, hook: Hook, packet: Packet, trace: Trace) -> None:
        """Decide the translation with the first packet of a connection, and translate (nf_nat_inet_fn)."""
        one, side = packet.ct, nat.SIDES[hook.value]
        if one is None:
            return
        if packet.ct_state == "RELATED" and tracking.is_icmp_error(packet):
            is_redirect = packet.proto == ICMP and (packet.icmp or 0) >> 8 == _REDIRECT
            if not nat.translate_error(packet, side, is_redirect=is_redirect):
                self._drop(trace, "an ICMP redirect about a translated connection")
            return
        if packet.ct_state in {"NEW", "RELATED"} and not one.status & nat.DONE[side]:
            self._table("nat", hook, packet, trace)
            nat.set_up(self.state, one, nat.Range(), side)
        elif hook is Hook.POSTROUTING and nat.left_by_other_device(packet):
            self.state.connections.remove(one)
            self._drop(trace, "it leaves by another interface than the one whose address MASQUERADE gave it")
        nat.translate(packet, side)

    # ------------------------------------------------------------------ ends
    def _end(self, outcome: Outcome, packet: Packet, trace: Trace) -> None:
        trace.verdict, trace.reason = DROPPED, outcome.kernel
        if outcome.reject:
            trace.verdict, trace.reject_with = REJECTED, outcome.reject
            trace.answer = rejection(self.state.fib, packet, outcome.reject)
            if trace.answer is not None and trace.answer.proto == TCP:
                tracking.close(packet)
        raise _Ended

    def _drop(self, trace: Trace, why: str) -> None:
        trace.verdict, trace.reason = KERNEL_DROP, why
        raise _Ended

    def _way(self, way: Departure | Failure, packet: Packet, trace: Trace, *, again: bool = False) -> Departure:
        if self._journey is not None:
            self._journey.departed(packet, way, again=again)
        if isinstance(way, Departure):
            return way
        trace.send_error = way.value
        trace.verdict, trace.reason = KERNEL_DROP, f"there is no way to its destination ({way.value})"
        raise _Ended


def _routed_by(packet: Packet) -> tuple[int, ...]:
    """Return what table mangle's OUTPUT routes the packet again for, once it has changed."""
    return packet.src, packet.dst, packet.mark, packet.tos, packet.ttl if packet.family == 6 else 0
