"""A connection from one place around a host to another: every packet of it, on every leg, walks; who answers is known.

Where `flow` asks about packets that somebody describes, this asks who talks to whom: outsiders, the host itself, containers
behind its bridges and docker-proxy, as `policyc.engines.surroundings` has them. Part of `explanation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum

from policyc.engines.surroundings import Endpoint, Publication, Socket, Surroundings
from policyc.explanation.explain import choice_text
from policyc.explanation.insights.insight import Evidence, named
from policyc.explanation.outcomes import Situation, Way
from policyc.explanation.places import Places, RulePlace
from policyc.explanation.placing import Placing
from policyc.explanation.replies import answer_to, next_of
from policyc.explanation.sender import Seen, sender_views
from policyc.frozen import frozen
from policyc.host.host import Host
from policyc.net.addresses import format_address
from policyc.net.headers import Headers
from policyc.net.protocols import TCP
from policyc.netfilter.question import Question
from policyc.netfilter.ruleset import Ruleset
from policyc.simulation.answers import as_packet, icmp_error
from policyc.simulation.packet import ACK, PSH, RST, Packet
from policyc.simulation.trace import LOCAL, UNSUPPORTED

_PORT_UNREACHABLE = {4: (3, 3), 6: (1, 4)}
_REQUEST = 100  # bytes that the client says once the connection stands


class Outcome(StrEnum):
    """What the client sees. `closed`: accepted at first, and then given up; `hangs`: it stands, and nothing comes through."""

    OPEN = "open"
    CLOSED = "closed"
    HANGS = "hangs"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


_SEEN = {
    Seen.REFUSED: Outcome.REFUSED, Seen.RESET: Outcome.REFUSED, Seen.TIMEOUT: Outcome.TIMEOUT,
    Seen.NOTHING: Outcome.TIMEOUT, Seen.UNKNOWN: Outcome.UNKNOWN,
}  # fmt: skip


@frozen
class Outside:
    """A machine on the link behind an interface of the host, which sends to the host whatever it likes."""

    interface: str
    addresses: Mapping[int, int]


@frozen
class Here:
    """A program of the host itself."""


@frozen
class Inside:
    """A program in a container."""

    owner: str


Client = Outside | Here | Inside


@frozen
class World:
    """A ruleset on a host, and what stands around it. A program listens on every port that a container is asked for."""

    ruleset: Ruleset
    host: Host
    surroundings: Surroundings
    places: Places = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", Places(self.ruleset))


@frozen
class Attempt:
    """What comes of a connection.

    `source` is the socket that the server's program sees, None where it sees none. `redirected` and `masked` are the rules
    that translated destination and source. `bridge` carried it from one port to another without routing, `proxy` took it on
    the host and opened the connection `inner`. `stopped` is the rule, `because` the reason in words, of anything but `open`.
    `assumptions` are conditions that nobody can know, as they were taken. `ways` are those of all packets that came to the
    host's hooks, in order, without those of `inner`.
    """

    target: Socket
    outcome: Outcome
    source: Socket | None = None
    redirected: RulePlace | None = None
    masked: RulePlace | None = None
    bridge: str = ""
    proxy: str = ""
    inner: Attempt | None = None
    stopped: RulePlace | None = None
    because: str = ""
    assumptions: tuple[str, ...] = ()
    ways: tuple[Way, ...] = field(default=(), repr=False, compare=False)


def connect(world: World, client: Client, target: Socket) -> Attempt:
    """Return what comes of a connection; raises InputError where the host has no way to the client at all."""
    connection = _Connection(world, client, target)
    return replace(connection.attempt(), ways=tuple(connection.ways))


class _Failed(Exception):  # noqa: N818 - an outcome, not an error
    def __init__(self, outcome: Outcome, because: str, way: Way | None = None) -> None:
        super().__init__(because)
        self.outcome, self.because, self.way = outcome, because, way


class _Connection:
    def __init__(self, world: World, client: Client, target: Socket) -> None:
        self.world = world
        self.client = client
        self.target = target
        self.ways: list[Way] = []
        self.assumed: dict[str, None] = {}

    def attempt(self) -> Attempt:
        """Send the first packet, find who gets it, and go on as long as somebody answers."""
        try:
            packet = self._opening()
            if packet is None:
                return Attempt(self.target, Outcome.OPEN, self._source(self.target.address), bridge="lo")
            return self._converse(packet)
        except _Failed as failed:
            return self._stopped(failed)

    def _stopped(self, failed: _Failed) -> Attempt:
        way = failed.way
        stopped = None if way is None or way.delivered else Evidence(way, self.world.places).deciding
        attempt = Attempt(
            self.target, failed.outcome, stopped=stopped, because=failed.because, assumptions=tuple(self.assumed)
        )
        return self._with_way(attempt, self.ways[0]) if self.ways else attempt

    def _with_way(self, attempt: Attempt, way: Way) -> Attempt:
        """Return the attempt with what happened to its first packet."""
        evidence = Evidence(way, self.world.places)
        redirected, masked = evidence.redirected, evidence.masked
        return replace(
            attempt,
            redirected=None if redirected is None else evidence.translator(redirected),
            masked=None if masked is None else evidence.translator(masked),
            bridge=(way.sent.iif or "") if way.sent.port_out is not None else "",
        )

    # ------------------------------------------------------------------ the client's side
    def _opening(self) -> Packet | None:
        """Return the first packet as it comes to the host's hooks; None where it never leaves its own namespace."""
        target, client = self.target, self.client
        headers = Headers(target.family, 0, target.address, proto=target.protocol, dport=target.port)
        if isinstance(client, Here):
            return self._placed(Question(replace(headers, local=True), from_self=True))
        if isinstance(client, Outside):
            source = client.addresses.get(target.family)
            if source is None:
                raise _Failed(Outcome.UNREACHABLE, f"the client has no IPv{target.family} address")
            return self._placed(Question(replace(headers, src=source, entry=client.interface)))
        ends = self.world.surroundings.of(client.owner)
        if (target.family == 4 and target.address >> 24 == 127) or self._is_own(ends, target.address):
            return None
        end, other = self._towards(ends, target.address)
        packet = self._placed(Question(replace(headers, src=end.addresses[target.family], entry=end.bridge)))
        return _bridged(packet, end, other)

    def _placed(self, question: Question) -> Packet:
        return Placing(self.world.ruleset, self.world.host).place(question)[0].packet

    def _is_own(self, ends: tuple[Endpoint, ...], address: int) -> bool:
        return any(end.addresses.get(self.target.family) == address for end in ends)

    def _towards(self, ends: tuple[Endpoint, ...], address: int) -> tuple[Endpoint, Endpoint | None]:
        """Return the end by which a container sends, and the one on the same bridge that its frame goes to.

        The latter is None where the frame is for the host, which routes it.
        """
        family = self.target.family
        near = next((end for end in ends if end.is_near(family, address)), None)
        if near is not None:
            other = self.world.surroundings.at(near.bridge, family, address)
            if other is None and not self._is_host(address, near.bridge):
                raise _Failed(Outcome.UNREACHABLE, f"nobody on {near.bridge} has the address {self._shown(address)}")
            return near, other
        default = next((end for end in ends if family in end.is_default and family in end.gateways), None)
        if default is None:
            raise _Failed(Outcome.UNREACHABLE, "the container has no route there: its network is internal")
        return default, None

    def _is_host(self, address: int, bridge: str) -> bool:
        interface = self.world.host.interface(bridge)
        addresses = () if interface is None else interface.addresses
        return any((one.family, one.address) == (self.target.family, address) for one in addresses)

    # ------------------------------------------------------------------ packets
    def _walk(self, packet: Packet) -> Way:
        before = tuple(way.sent for way in self.ways)
        way = Situation(self.world.ruleset, self.world.host, before).walk(packet)
        self.ways.append(way)
        self.assumed |= dict.fromkeys(map(choice_text, way.choices))
        return way

    def _send(self, packet: Packet) -> Way:
        """Walk a packet of the client; raises _Failed where it does not arrive."""
        way = self._walk(packet)
        if way.delivered:
            return way
        if way.trace.verdict == UNSUPPORTED:
            raise _Failed(Outcome.UNKNOWN, way.trace.reason, way)
        view = sender_views(way.trace, way.sent, self.world.host.sysctls)[0]
        raise _Failed(_SEEN.get(view.kind, Outcome.UNREACHABLE), view.because or way.trace.reason, way)

    def _answer(self, packet: Packet, asked: Packet) -> Way:
        """Walk an answer; raises _Failed where it does not come back to the client, from where the client asked."""
        way = self._walk(packet)
        if way.trace.verdict == UNSUPPORTED:
            raise _Failed(Outcome.UNKNOWN, way.trace.reason, way)
        if not way.delivered:
            place = Evidence(way, self.world.places).deciding
            by = way.trace.reason if place is None else f"by {named(place)}"
            raise _Failed(Outcome.TIMEOUT, f"the answer is lost: {by}", way)
        end = way.packet
        if (end.src, end.sport) != (asked.dst, asked.dport):
            came = f"{self._shown(end.src)} instead of {self._shown(asked.dst)}"
            raise _Failed(Outcome.TIMEOUT, f"the answer comes from {came}, so that the client takes it for none", way)
        if (end.dst, end.dport) != (asked.src, asked.sport):
            raise _Failed(Outcome.TIMEOUT, f"the answer goes to {self._shown(end.dst)}", way)
        return way

    # ------------------------------------------------------------------ the server's side
    def _converse(self, packet: Packet) -> Attempt:
        way = self._send(packet)
        got = way.packet
        if way.trace.verdict == LOCAL:
            return self._to_host(packet, way)
        server = self.world.surroundings.at(way.trace.device, self.target.family, got.dst)
        if server is None:
            raise self._elsewhere(way)
        if not server.hairpin and self._came_from(server):
            raise _Failed(Outcome.TIMEOUT, f"{server.bridge} sends no frame back to the port that it came in by")
        source = Socket(self.target.family, got.src, self.target.protocol, got.sport or 0)
        self._go_on(packet, way, server)
        open_ = Attempt(self.target, Outcome.OPEN, source, assumptions=tuple(self.assumed))
        return self._with_way(open_, way)

    def _elsewhere(self, way: Way) -> _Failed:
        address = self._shown(way.packet.dst)
        bridges = {end.bridge for end in self.world.surroundings.endpoints}
        if way.trace.device in bridges:
            return _Failed(Outcome.UNREACHABLE, f"nobody on {way.trace.device} has the address {address}")
        return _Failed(
            Outcome.UNKNOWN, f"it leaves by {way.trace.device} for {address}: what answers is not known here"
        )

    def _came_from(self, server: Endpoint) -> bool:
        """Whether the client sent it by the very port that it would go out of again."""
        client = self.client
        return isinstance(client, Inside) and server in self.world.surroundings.of(client.owner)

    def _go_on(self, packet: Packet, way: Way, server: Endpoint | None) -> None:
        """Let the receiver answer, and the conversation stand; raises _Failed where it does not."""
        reply = self._reply(way, server)
        self._answer(reply, packet)
        if packet.proto != TCP:
            return
        try:
            self._send(next_of(packet, reply, ACK))
            request = next_of(packet, reply, ACK | PSH, _REQUEST)
            self._answer(self._reply(self._send(request), server), packet)
        except _Failed as failed:
            outcome = Outcome.UNKNOWN if failed.outcome is Outcome.UNKNOWN else Outcome.HANGS
            raise _Failed(outcome, failed.because, failed.way) from None

    def _reply(self, way: Way, server: Endpoint | None) -> Packet:
        """Return what the server sends back, as it comes to the host's hooks."""
        reply = answer_to(way)
        if reply is None:
            raise _Failed(Outcome.UNKNOWN, "what answers this protocol is not known here")
        if server is None:
            return reply
        ends = self.world.surroundings.of(server.owner)
        if self._is_own(ends, reply.dst):
            raise _Failed(Outcome.TIMEOUT, "the container sees a packet from its own address, and drops it")
        try:
            end, other = self._towards((server, *(each for each in ends if each is not server)), reply.dst)
        except _Failed as failed:
            raise _Failed(Outcome.TIMEOUT, f"the container cannot answer: {failed.because}") from None
        reply.iif, reply.mac_src = end.bridge, None
        return _bridged(reply, end, other)

    def _to_host(self, packet: Packet, way: Way) -> Attempt:
        got = way.packet
        asked = Socket(self.target.family, got.dst, self.target.protocol, got.dport or 0)
        published = next(
            (one for one in self.world.surroundings.publications if one.proxy and one.outer.takes(asked)), None
        )
        if published is None and not any(one.socket.takes(asked) for one in self.world.surroundings.programs):
            raise self._nobody_listens(packet, way)
        self._go_on(packet, way, None)
        source = self._source(got.src, got.sport or 0)
        open_ = self._with_way(Attempt(self.target, Outcome.OPEN, source, assumptions=tuple(self.assumed)), way)
        return open_ if published is None else self._by_proxy(open_, published)

    def _by_proxy(self, attempt: Attempt, published: Publication) -> Attempt:
        """Return the attempt as the proxy carries it on, in a connection of its own."""
        inner = connect(self.world, Here(), published.inner)
        outcome = inner.outcome
        if outcome is not Outcome.OPEN and self.target.protocol == TCP:
            outcome = Outcome.CLOSED
        because = (
            ""
            if outcome is Outcome.OPEN
            else f"{published.proxy} takes it, and its own connection fails: {inner.because}"
        )
        return replace(
            attempt, outcome=outcome, source=inner.source, proxy=published.proxy, inner=inner, stopped=inner.stopped,
            because=because,
        )  # fmt: skip

    def _nobody_listens(self, packet: Packet, way: Way) -> _Failed:
        """Return how the client learns that no program of the host listens on the port."""
        because = f"nobody listens on {self._shown(way.packet.dst)}:{way.packet.dport}"
        if packet.proto == TCP:
            reset = answer_to(way)
            assert reset is not None, "whoever gets a TCP packet can answer it"
            reset.tcp_flags = RST | ACK
            self._answer(reset, packet)
            return _Failed(Outcome.REFUSED, because)
        error = icmp_error(way.state.fib, way.packet, *_PORT_UNREACHABLE[packet.family])
        carrier = None if error is None else as_packet(error, way.packet)
        told = carrier is not None and self._walk(carrier).delivered
        return _Failed(Outcome.REFUSED if told else Outcome.TIMEOUT, because)

    def _source(self, address: int, port: int = 0) -> Socket:
        return Socket(self.target.family, address, self.target.protocol, port)

    def _shown(self, address: int) -> str:
        return format_address(address, self.target.family)


def _bridged(packet: Packet, end: Endpoint, other: Endpoint | None) -> Packet:
    """Return the packet with the port of the bridge that it comes in by, and that which it leaves by where it is not routed."""
    packet.port_in, packet.port_out = end.port, None if other is None else other.port
    return packet
