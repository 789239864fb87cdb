"""A packet that an answer names is sent through its table by the simulator before anybody is told. Part of `policyc.analysis`."""

from __future__ import annotations

from policyc.analysis.points import Point, packet_of
from policyc.host.host import Host
from policyc.netfilter import fields
from policyc.netfilter.fields import Field
from policyc.netfilter.hooks import Hook
from policyc.netfilter.ruleset import Table
from policyc.simulation.choices import Choices
from policyc.simulation.counters import Counters
from policyc.simulation.packet import Packet
from policyc.simulation.rules import CompiledTable
from policyc.simulation.state import State, UnknowableError
from policyc.simulation.trace import Step

_TYPES: tuple[tuple[Field, str, str], ...] = (
    (fields.SRC_TYPE, "src", ""), (fields.SRC_TYPE_IN, "src", "iif"), (fields.SRC_TYPE_OUT, "src", "oif"),
    (fields.DST_TYPE, "dst", ""), (fields.DST_TYPE_IN, "dst", "iif"), (fields.DST_TYPE_OUT, "dst", "oif"),
)  # fmt: skip


class Replay:
    """The simulator's view of one table; what a point says about conditions and kinds of address is taken as known."""

    __slots__ = ("_assumed", "_state", "_table", "table")

    def __init__(self, table: Table, host: Host | None = None) -> None:
        self.table = table
        self._assumed: dict[str, bool] = {}
        self._state = State.of(host or Host(()))
        self._state.assumptions = self._assumed
        self._table = CompiledTable(table, self._state, Counters(self._state))

    def steps(self, hook: Hook, point: Point) -> list[Step] | None:
        """Return the rules that the packet matches in a hook, None where the simulator cannot know that."""
        found = self.run(hook, point)
        return None if found is None else found[0]

    def run(self, hook: Hook, point: Point) -> tuple[list[Step], Packet] | None:
        """Return the rules that the packet matches in a hook and what it has become, None where nobody can know that."""
        self._assumed.clear()
        self._assumed.update(point.conditions)
        packet = packet_of(point)
        self._know_types(point, packet)
        self._state.choices = Choices()
        steps: list[Step] = []
        try:
            if self._table.has(hook.value):
                self._table.run(hook.value, packet, steps)
        except UnknowableError:
            return None
        return steps, packet

    def _know_types(self, point: Point, packet: Packet) -> None:
        known = self._state.address_types
        known.clear()
        for field, side, device in _TYPES:
            kind = point.get(field)
            if kind is not None:
                name = (getattr(packet, device) or "") if device else ""
                types = kind if isinstance(kind, frozenset) else frozenset((kind,))
                known[packet.family, getattr(packet, side), name] = types
