"""Events of the kernel's trace become packets: each with its steps, on the rules in the kernel and their source lines.

`Traces` collects what comes; a packet is finished when nothing more is heard of it. What a chain did not match, the kernel
does not tell: its steps are the rules that matched and the policies that decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Any

from policyc.explanation.places import Places, RulePlace
from policyc.frozen import frozen
from policyc.net.headers import Headers
from policyc.netfilter.ruleset import Ruleset
from policyc.observation.pairing import Pairs, pairs
from policyc.readers.ip_packet import PacketError, read_ip
from policyc.simulation.view import PacketView

QUIET = 0.3
"""Seconds without an event after which a packet is finished: its way takes far less, unless it waits in a queue."""

_INET = 1
_IPV6 = 40
_EXTENSIONS = frozenset((0, 43, 44, 60))  # hop-by-hop options, routing, fragment, destination options
_BASE = frozenset(("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"))
UNTOLD = frozenset(("in", "out", "state", "length", "mss", "ttl"))
"""Fields whose change is no work of a rule, or nothing that is told."""


class Watch(Enum):
    """The chains by which a trace knows where a packet is; their names stand in the kernel."""

    RECEIVED = "received"
    SENT = "sent"
    FORWARDING = "forwarding"
    DELIVERED = "delivered"
    LEFT = "left"


_HOOKS = {Watch.FORWARDING: "FORWARD", Watch.DELIVERED: "INPUT", Watch.LEFT: "POSTROUTING"}


@frozen
class Event:
    """One message of the trace, as the kernel gives it.

    `family` is that of the table, 1 for inet. `kind` is rule, policy, return, or end (of a chain). `number` is the rule's in
    its chain, from 1, None for a policy, or where the rule is newer than the trace. `watch` is the chain of our own table,
    where the event is of that one; `begins`: tracing began here. `packet` are the headers, b"" where the kernel has told them
    before. Interfaces are "" where there is none.
    """

    id: int
    family: int
    table: str
    chain: str
    kind: str
    verdict: str
    target: str = ""
    number: int | None = None
    watch: Watch | None = None
    begins: bool = False
    packet: bytes = b""
    entry: str = ""
    exit: str = ""
    mark: int = 0
    state: str = ""


@frozen
class TracedStep:
    """A rule that matched, or the policy that ended a base chain.

    `hook` is that of the base chain. `place` is in the kernel, without a source line, None for tables of other tools and for
    rules newer than the trace; `origin` is the rule of the source that it pairs with. `became` is the packet behind it, where
    it was changed.
    """

    hook: str
    table: str
    chain: str
    number: int | None
    verdict: str
    place: RulePlace | None
    origin: RulePlace | None
    became: PacketView | None = None

    @property
    def name(self) -> str:
        """The place as people write it."""
        if self.place is not None:
            return self.place.name
        number = "a rule newer than the trace" if self.number is None else f"#{self.number}"
        return f"{self.table}/{self.chain} {number}"

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "hook": self.hook, "table": self.table, "chain": self.chain,
            "number": "policy" if self.place is not None and self.place.number == "policy" else self.number,
            "verdict": self.verdict, "rule": self.place.to_dict() if self.place else None,
            "source": self.origin.to_dict() if self.origin else None, "becomes": self.became.shown() if self.became else None,
        }  # fmt: skip


@dataclass(slots=True)
class TracedPacket:
    """A packet that was seen: as it began, its steps, where it was last.

    `outcome` is dropped, rejected, delivered, forwarded, sent, queued or gone; gone: it was last seen in `hook`, and no rule
    that a trace sees took it. `last_heard` are seconds of the caller's clock.
    """

    first: PacketView
    last: PacketView
    sent_here: bool
    steps: list[TracedStep] = field(default_factory=list)
    hook: str = ""
    reached: Watch | None = None
    last_heard: float = 0

    @property
    def deciding(self) -> TracedStep | None:
        """The step that dropped it, else the last one of table filter that let it pass."""
        if self.steps and self.steps[-1].verdict == "drop":
            return self.steps[-1]
        passed = (step for step in reversed(self.steps) if step.table == "filter" and step.verdict == "accept")
        return next(passed, None)

    @property
    def outcome(self) -> str:
        """What became of it."""
        last = self.steps[-1] if self.steps else None
        if last is not None and last.verdict == "drop":
            return "rejected" if last.place is not None and " -j REJECT" in f" {last.place.text}" else "dropped"
        if self.reached is Watch.DELIVERED:
            return "delivered"
        if self.reached is Watch.LEFT:
            return "sent" if self.sent_here else "forwarded"
        return "queued" if last is not None and last.verdict in {"queue", "stolen"} else "gone"

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        deciding = self.deciding
        return {
            "packet": self.first.shown(), "outcome": self.outcome, "last_hook": self.hook or None,
            "decided_by": deciding.to_dict() if deciding else None, "final": self.last.shown(),
            "steps": [step.to_dict() for step in self.steps],
        }  # fmt: skip


class Traces:
    """Makes packets of events. `live` are the rules in the kernel when the trace began, `source` what they came from.

    `lengths` are the numbers of rules that the kernel has in its chains: where iptables shows fewer, because some were made
    by `nft`, nobody knows which are which.
    """

    def __init__(
        self, live: Ruleset, source: Ruleset | None, lengths: Mapping[tuple[int, str, str], int] = MappingProxyType({})
    ) -> None:
        self._live = Places(live)
        self._unknown = {key for key, length in lengths.items() if _length(live, *key) != length}
        self._source = Places(source) if source is not None else None
        self._pairs = pairs(source, live) if source is not None else Pairs({}, {})
        self._open: dict[int, TracedPacket] = {}

    def add(self, events: Iterable[Event], now: float) -> list[TracedPacket]:
        """Take events that came at a time, in seconds; return the packets that are finished by them."""
        finished = []
        for event in events:
            if event.begins and (known := self._open.pop(event.id, None)) is not None:
                finished.append(known)  # the kernel has used the number again
            if event.begins:
                self._begin(event)
            packet = self._open.get(event.id)
            if packet is not None:  # else somebody else traces it
                self._step(packet, event)
                packet.last_heard = now
        return finished

    def quiet(self, now: float) -> list[TracedPacket]:
        """Return the packets of which nothing was heard for a while, and forget them."""
        found = [number for number, packet in self._open.items() if now - packet.last_heard >= QUIET]
        return [self._open.pop(number) for number in found]

    def rest(self) -> list[TracedPacket]:
        """Return all that are not finished."""
        found = list(self._open.values())
        self._open.clear()
        return found

    def _begin(self, event: Event) -> None:
        view = _view(event, None)
        if view is not None:
            sent_here = event.watch is Watch.SENT
            self._open[event.id] = TracedPacket(view, view, sent_here, hook="OUTPUT" if sent_here else "PREROUTING")

    def _step(self, packet: TracedPacket, event: Event) -> None:
        now = _view(event, packet.last)
        if now is not None:
            # The kernel shows the packet where it enters a base chain: what differs was done by what it met before.
            if packet.steps and set(packet.last.changes(now)) - UNTOLD:
                packet.steps[-1] = replace(packet.steps[-1], became=now)
            packet.last = now
        if event.watch is not None:
            packet.hook = _HOOKS.get(event.watch, packet.hook)
            packet.reached = event.watch if event.watch in {Watch.DELIVERED, Watch.LEFT} else packet.reached
            return
        if event.chain in _BASE:
            packet.hook = event.chain
        if event.kind in {"rule", "policy"}:
            step = self._made(packet.hook, event)
            if event.mark != packet.last.mark:  # the mark is told with every event, as it is behind its rule
                packet.last = replace(packet.last, mark=event.mark)
                step = replace(step, became=packet.last)
            packet.steps.append(step)

    def _made(self, hook: str, event: Event) -> TracedStep:
        verdict = f"{event.verdict}:{event.target}" if event.target else event.verdict
        place = self._place(event)
        table = (
            event.table
            if event.family in {4, 6}
            else f"{'inet' if event.family == _INET else event.family} {event.table}"
        )
        return TracedStep(hook, table, event.chain, event.number, verdict, place, self._origin(place))

    def _place(self, event: Event) -> RulePlace | None:
        number = "policy" if event.kind == "policy" else event.number
        if event.family not in {4, 6} or number is None:
            return None
        if event.kind == "rule" and (event.family, event.table, event.chain) in self._unknown:
            return None
        try:
            return replace(self._live.of(event.family, event.table, event.chain, number), span=None)
        except (ValueError, IndexError):  # a table of somebody else, or with rules that only nft shows
            return None

    def _origin(self, place: RulePlace | None) -> RulePlace | None:
        if place is None or self._source is None:
            return None
        if not isinstance(place.number, int):
            try:
                return self._source.of(place.family, place.table, place.chain, "policy")
            except ValueError:
                return None
        found = self._pairs.of_live.get((place.family, place.table, place.chain, place.number))
        return None if found is None else self._source.of_rule(*found[0], found[1])


def _length(ruleset: Ruleset, family: int, table: str, chain: str) -> int:
    there = ruleset.table(family, table)
    found = there.chain(chain) if there else None
    return len(found.rules) if found else 0


def _view(event: Event, before: PacketView | None) -> PacketView | None:
    """Return the packet as an event tells it, None where it tells nothing new."""
    if not event.packet:
        return None
    try:
        headers = _headers(event.packet)
    except PacketError:
        return None
    return _shown(headers, event, before)


def _headers(packet: bytes) -> Headers:
    """Return what the kernel tells of the headers: 40 bytes of IP, then 20 of the transport, with no IPv6 extensions between."""
    if len(packet) >= _IPV6 and packet[0] >> 4 == 6 and packet[6] in _EXTENSIONS:
        source, destination = (int.from_bytes(packet[at : at + 16], "big") for at in (8, 24))
        return Headers(6, source, destination, packet[6], ttl=packet[7])
    return read_ip(packet, quoted=True)


def _shown(headers: Headers, event: Event, before: PacketView | None) -> PacketView:
    state = event.state or (before.state if before is not None else "none")
    mark = event.mark if before is None else before.mark
    return PacketView(
        headers.family, headers.proto or 0, headers.src, headers.dst, headers.sport, headers.dport, headers.flags, headers.icmp,
        headers.icmp_id, event.entry, event.exit, state, reply=False, mark=mark, connmark=None,
        ttl=headers.ttl or 0, tos=headers.tos or 0, length=headers.length or 0, mss=headers.mss,
    )  # fmt: skip
