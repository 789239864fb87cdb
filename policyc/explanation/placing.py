"""A question becomes a packet on a host: what nobody said is filled in, and what was assumed by that is named.

The door of `explanation` for what users describe: sentences, tests, log lines, captured frames.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from policyc.diagnostics import Diagnostic, InputError
from policyc.explanation.assumed_host import assumed_hosts
from policyc.explanation.defaults import completed
from policyc.explanation.hints import Hints, fits, hints_of, holds
from policyc.explanation.unsaid import no_such_interface, no_way_in
from policyc.frozen import frozen
from policyc.host.departure import Departure, depart
from policyc.host.fib import Failure, Fib, Flow
from policyc.host.frames import is_group, packet_type
from policyc.host.host import LOOPBACK, Host, RouteKind
from policyc.host.own_addresses import LOCALHOST
from policyc.net.headers import Headers
from policyc.netfilter import fields
from policyc.netfilter.fields import Field
from policyc.netfilter.question import Question
from policyc.netfilter.ruleset import Ruleset
from policyc.simulation.headers import packet_of
from policyc.simulation.packet import Packet

ROOT = 0


@frozen
class Placement:
    """A packet before its first hook, on a host.

    `assumptions` are short sentences about what nobody said. Those in `if_tested` matter only where a rule tests the field,
    those in `if_translated` only where NAT gives the packet the address. `asked` is the question with its addresses and
    interfaces.
    """

    packet: Packet
    host: Host
    assumptions: tuple[str, ...] = ()
    if_tested: tuple[tuple[Field, str], ...] = ()
    if_translated: tuple[tuple[int, str], ...] = ()
    asked: Headers | None = None


@dataclass(slots=True)
class Placing:
    """Places many questions about one ruleset; what its rules say about the host is read once, when a question needs it."""

    ruleset: Ruleset
    host: Host | None = None
    strict: bool = False
    _hints: Hints | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.host = self.host or self.ruleset.host

    def place(self, asked: Question | Headers) -> tuple[Placement, ...]:
        """Return the places of one packet, the likeliest first; more than one only without a host.

        Raises InputError where the question does not fit the host, or must say more.
        """
        question = asked if isinstance(asked, Question) else Question(asked)
        if self.host is not None:
            return (self._on(self.host, question),)
        if self._hints is None:
            self._hints = hints_of(self.ruleset)
        intent = self.ruleset.intent
        sysctls = {one.name: one.value for one in intent.sysctls} if intent else {}
        found = assumed_hosts(question, self._hints, sysctls, strict=self.strict)
        return tuple(_placed(one.headers, one.host, one.assumptions, one.if_translated) for one in found)

    def _on(self, host: Host, question: Question) -> Placement:
        """Return the place of a packet on a known host."""
        headers, said = question.headers, list(question.notes)
        fib = Fib(host)
        mine = {(one.family, one.address) for interface in host.interfaces for one in interface.addresses}
        way_out = self._interface(host, question, incoming=False)
        local = headers.local or (not headers.entry and (headers.family, headers.src) in mine)
        entry = ""
        if not local:
            entry = self._interface(host, question, incoming=True)
            if not entry:
                entry = _towards(fib, headers.family, headers.src)
                if not entry or entry == LOOPBACK:
                    raise no_way_in(question, (one.name for one in host.interfaces))
                said.append(f"it comes in by {entry}, where an answer to it would leave")
            host = _knowing_mac(host, entry, headers.mac_dst)
        headers = replace(headers, local=local, entry=entry, exit=way_out)
        if question.to_self:
            headers = replace(headers, dst=_address(host, entry or way_out, headers.family))
        if question.from_self:
            headers = replace(headers, src=_source(fib, headers, _address(host, way_out, headers.family)))
        return _placed(headers, host, tuple(said), ())

    def _interface(self, host: Host, question: Question, *, incoming: bool) -> str:
        """Return the interface of the host that is meant by a name of its own or of a zone; "" where nothing is said."""
        headers = question.headers
        text, address = (headers.entry, headers.src) if incoming else (headers.exit, headers.dst)
        if not text or host.interface(text) is not None:
            return text
        intent = self.ruleset.intent
        zones = intent.zones if intent else ()
        names = [one.name for one in host.interfaces]
        zone = next((one for one in zones if one.name == text), None)
        if zone is None:
            span = question.entry_span if incoming else question.exit_span
            raise no_such_interface(text, span, [*names, *(one.name for one in zones)])
        inside = [name for name in names if fits(zone, name)] if zone.interfaces else names
        towards = _towards(Fib(host), headers.family, address)
        if towards in inside and (zone.interfaces or holds(zone.networks, headers.family, address)):
            return towards
        if zone.interfaces and inside:
            return inside[0]
        raise no_such_interface(" or ".join(zone.interfaces) or text, question.span, names)


def place(
    asked: Iterable[Question | Headers], ruleset: Ruleset, host: Host | None = None, *, strict: bool = False
) -> tuple[Placement, ...]:
    """Return the places of several questions, in their order; each has its alternatives beside it.

    `host` is the one that the ruleset runs on, by default its own. `strict`: as the tests of a policy are read, where a
    literal address is never one of this host unless a zone says so. Raises InputError with what is wrong with each.
    """
    placing = Placing(ruleset, host, strict)
    found: list[Placement] = []
    problems: list[Diagnostic] = []
    for one in asked:
        try:
            found += placing.place(one)
        except InputError as error:
            problems += error.diagnostics
    if problems:
        raise InputError(dict.fromkeys(problems))
    return tuple(found)


def _placed(headers: Headers, host: Host, said: tuple[str, ...], sent_to: tuple[tuple[int, str], ...]) -> Placement:
    whole = completed(headers)
    packet = packet_of(whole.headers)
    if whole.tcp_options is not None:
        packet.tcp_option = whole.tcp_options
    if headers.state:
        packet.claimed = headers.state, headers.reply
    tested = list(whole.if_tested)
    if headers.local:
        packet.outgoing, packet.bound = True, headers.exit
        packet.uid = ROOT if headers.uid is None else headers.uid
        packet.gid = ROOT if headers.gid is None else headers.gid
        if headers.uid is None:
            tested.append((fields.UID, "root sends it (user 0)"))
        if headers.gid is None:
            tested.append((fields.GID, "its sender is of group 0"))
    else:
        packet.iif = headers.entry
        interface = host.interface(headers.entry)
        assert interface is not None, "the entry was looked up in this host"
        packet.pkttype = packet_type(interface, headers.mac_dst)
        packet.mac_src = interface.peer_mac if headers.mac_src is None else headers.mac_src
        if headers.mac_dst is None:
            tested.append((fields.PKTTYPE, "its frame is for this host"))
    return Placement(packet, host, (*said, *whole.assumptions), tuple(tested), sent_to, whole.headers)


def _knowing_mac(host: Host, name: str, mac: int | None) -> Host:
    """Return a host whose interface has the MAC that a frame was for, where nobody said which it has."""
    if mac is None or is_group(mac) or (interface := host.interface(name)) is None or interface.mac is not None:
        return host
    known = tuple(replace(one, mac=mac) if one is interface else one for one in host.interfaces)
    return replace(host, interfaces=known)


def _towards(fib: Fib, family: int, address: int) -> str:
    """Return the interface by which the host reaches an address, "" for none."""
    found = fib.lookup(Flow(family, address))
    return "" if isinstance(found, Failure) or found.kind is not RouteKind.UNICAST else found.device


def _address(host: Host, interface: str, family: int) -> int:
    """Return an address of the interface, else of any other one, else the loopback address."""
    preferred = [one for one in host.interfaces if one.name == interface]
    others = [one for one in host.interfaces if one.name != interface and not one.is_loopback]
    found = [
        address
        for one in (*preferred, *others)
        for address in sorted(one.addresses, key=lambda each: each.scope.value)
        if address.family == family
    ]
    return found[0].address if found else LOCALHOST[family]


def _source(fib: Fib, headers: Headers, default: int) -> int:
    """Return the address that a socket of this host would send from."""
    flow = Flow(headers.family, headers.dst, oif=headers.exit, mark=headers.mark or 0, uid=headers.uid or ROOT)
    way = depart(fib, flow)
    return way.source if isinstance(way, Departure) and way.source is not None else default
