"""Every way that a packet may take where conditions are unknown: one walk for each choice that matters. Part of `explanation`.

The first way takes the defaults: an unknown condition does not hold, nothing has been counted yet.
"""

from __future__ import annotations

from collections.abc import Mapping

from policyc.frozen import frozen
from policyc.host.host import Host
from policyc.netfilter.ruleset import Ruleset
from policyc.simulation.choices import Choice, Choices
from policyc.simulation.journey import Journey
from policyc.simulation.packet import Packet
from policyc.simulation.state import State
from policyc.simulation.trace import DELIVERED, Trace
from policyc.simulation.view import PacketView
from policyc.simulation.walk import Simulation

MOST_WALKS = 64
"""Walks for one packet; each unknown condition that is met doubles them at worst."""


@frozen
class Situation:
    """Where a packet comes to: a ruleset on a host, after other packets have passed; without those, no connection is known."""

    ruleset: Ruleset
    host: Host
    before: tuple[Packet, ...] = ()

    def walk(self, packet: Packet, forced: Mapping[int, bool] | None = None) -> Way:
        """Return one walk of a copy of the packet; `forced` are choices by their place, elsewhere the default is taken."""
        state = State.of(self.host, Choices())
        simulation = Simulation(self.ruleset, state)
        for earlier in self.before:
            simulation.walk(earlier.copy())
        choices = state.choices = Choices(forced)
        journey, walked = Journey(), packet.copy()
        trace = simulation.walk(walked, journey)
        return Way(self, packet, walked, trace, journey, state, tuple(choices.made), tuple(choices.noted))


@frozen
class Way:
    """One walk: the packet as it was sent and as it ended, what happened, and the choices that were made on the way."""

    situation: Situation
    sent: Packet
    packet: Packet
    trace: Trace
    journey: Journey
    state: State
    choices: tuple[Choice, ...]
    noted: tuple[str, ...]

    @property
    def delivered(self) -> bool:
        """Whether the packet arrives."""
        return self.trace.verdict in DELIVERED

    @property
    def outcome(self) -> tuple[object, ...]:
        """What makes two ways differ: fate, place, the packet at its end, the rule that decided."""
        end = PacketView.of(self.packet)
        trace = self.trace
        return (
            trace.verdict,
            trace.device,
            trace.reject_with,
            trace.reason,
            end.source,
            end.destination,
            end.mark,
            trace.deciding,
        )


@frozen
class Outcomes:
    """The first way, and for each other outcome the first way to it; `complete` False: more conditions than walks."""

    first: Way
    others: tuple[Way, ...]
    complete: bool


def outcomes(situation: Situation, packet: Packet, *, counted: bool = True) -> Outcomes:
    """Return the ways of a packet in a situation, the one with all defaults first.

    `counted` False: every counter is where it starts, so that only what nobody can know has two outcomes.
    """
    first: Way | None = None
    found: dict[tuple[object, ...], Way] = {}
    waiting: list[dict[int, bool]] = [{}]
    walks = 0
    while waiting and walks < MOST_WALKS:
        forced = waiting.pop(0)
        walks += 1
        way = situation.walk(packet, forced)
        for place in range(len(forced), len(way.choices)):
            if way.choices[place].counted and not counted:
                continue
            before = {at: way.choices[at].value for at in range(place)}
            waiting.append({**before, place: not way.choices[place].value})
        if first is None:
            first = way
        found.setdefault(way.outcome, way)
    assert first is not None
    return Outcomes(first, tuple(way for way in found.values() if way is not first), not waiting)


def differing(first: Way, other: Way) -> tuple[Choice, ...]:
    """Return the choices of another way that led away from the first: the first that differs, and all made after it alone."""
    for place, choice in enumerate(other.choices):
        if place >= len(first.choices) or first.choices[place][:2] != choice[:2]:
            own = {one[:2] for one in first.choices}
            return tuple(one for one in other.choices[place:] if one[:2] not in own)
    return ()
