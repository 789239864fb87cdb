"""Which packets a trace is about: the PACKET sentence as what a packet must be, not as one packet. First step of a trace.

Where `explain` takes one address of a network, a trace takes all of it, and `any` leaves an end open. What the kernel cannot
know where a trace begins, before connection tracking and routing, is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from itertools import product

from policyc.diagnostics import InputError
from policyc.explanation.sentence import NAME
from policyc.frozen import frozen
from policyc.language import literals as v
from policyc.language.packet import Packet
from policyc.language.parser import parse_packet
from policyc.language.problems import suggestion
from policyc.net.protocols import ICMP, ICMPV6, TCP, WITH_PORTS
from policyc.netfilter.intent import Intent
from policyc.policy.addresses import bounds, item_of
from policyc.policy.definitions import mark_of
from policyc.policy.findings import Findings
from policyc.policy.namespace import NOTHING, Names
from policyc.policy.service_lists import ServiceLists
from policyc.policy.values import BOTH, Families, IcmpService, Mark, PortService, Service
from policyc.source import Source, Span

Range = tuple[int, int]
"""First and last of a range, both included."""

MOST = 128
"""Criteria that one sentence may become: every packet of the host is compared with all of them."""

_FLAGS = {name: 1 << bit for bit, name in enumerate(("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"))}


@frozen
class Criteria:
    """What a packet must be; None or empty leaves it open. A packet is traced that fits one of several.

    `family` is 4 or 6. `source` and `destination` are ranges of addresses; `from_self` and `to_self` stand for all addresses of
    this host, which is to be filled in. `icmp` is the type and the code or None, `flags` are TCP's, all eight of them as bits.
    `entry` and `exit` are interfaces, `+` at the end as iptables has it. `received`: looked for where packets come in,
    `sent`: where this host sends them.
    """

    family: int
    source: Range | None = None
    destination: Range | None = None
    from_self: bool = False
    to_self: bool = False
    proto: int | None = None
    sport: Range | None = None
    dport: Range | None = None
    icmp: tuple[int, int | None] | None = None
    flags: int | None = None
    ttl: int | None = None
    mark: Mark | None = None
    entry: str = ""
    exit: str = ""
    received: bool = True
    sent: bool = True

    def mirrored(self) -> Criteria:
        """Return what the answers to such packets are, as far as the ends say it: without flags, TTL, mark and ICMP type.

        The answer to a packet that came in comes in too, by whatever interface, or this host sends it.
        """
        return Criteria(
            self.family, self.destination, self.source, self.to_self, self.from_self, self.proto, self.dport, self.sport,
            entry=self.exit, exit=self.entry, sent=self.received,
        )  # fmt: skip


def criteria_of(text: str, intent: Intent | None = None) -> tuple[Criteria, ...]:
    """Return what a sentence asks for; `intent` is that of the policy whose names it may use.

    Raises InputError with everything that is wrong with it.
    """
    source = Source(NAME, " ".join(text.replace("→", " -> ").split()))
    packet, problems = parse_packet(source, wide=True)
    if packet is None:
        raise InputError(problems)
    findings = Findings()
    found = tuple(_Reading(packet, intent, findings).criteria())
    if not found and not findings.found:
        findings.report("wrong-family", "the two addresses and the protocol have no family in common", packet.span)
    if len(found) > MOST:
        message = f"these names stand for {len(found)} combinations of addresses; a trace compares with at most {MOST}"
        findings.report("bad-packet", message, packet.span, "write one address or network, or `any`")
    if findings.found:
        raise InputError(findings.found)
    return found


@frozen
class _End:
    """One range of an end: of one family, or open for both; `of_self`: this host's addresses."""

    families: Families
    addresses: Range | None = None
    of_self: bool = False


@frozen
class _Reading:
    packet: Packet
    intent: Intent | None
    findings: Findings = field(repr=False)

    def criteria(self) -> Iterator[Criteria]:
        """Yield one for each combination; reports what cannot be."""
        packet = self.packet
        sources, destinations = self._ends(packet.source), self._ends(packet.destination)
        kinds = list(self._kinds())
        mark = self._mark()
        self._refuse()
        if self.findings.found:
            return
        base = Criteria(
            4, mark=mark, ttl=packet.ttl.value if packet.ttl else None,
            flags=None if packet.flags is None else sum(_FLAGS.get(flag, 0) for flag in packet.flags),
            received=not packet.local or packet.entry is not None, sent=packet.entry is None,
        )  # fmt: skip
        places = product(self._interfaces(packet.entry), self._interfaces(packet.exit))
        bases = [replace(base, entry=entry, exit=leaving) for entry, leaving in places]
        for base, source, destination, (families, kind) in product(bases, sources, destinations, kinds):
            for family in families:
                if family in source.families and family in destination.families:
                    yield replace(
                        base, family=family, source=source.addresses, destination=destination.addresses,
                        from_self=source.of_self, to_self=destination.of_self, proto=kind.proto, icmp=kind.icmp,
                        sport=_port(packet.source) or kind.sport, dport=_port(packet.destination) or kind.dport,
                    )  # fmt: skip

    def _interfaces(self, place: v.Interface | None) -> tuple[str, ...]:
        """Return the interfaces that a name stands for: those of a zone, or itself."""
        if place is None:
            return ("",)
        zones = {zone.name: zone.interfaces for zone in self.intent.zones} if self.intent else {}
        return zones.get(place.text) or (place.text,)

    def _ends(self, end: v.Endpoint) -> list[_End]:
        host = end.host
        if not isinstance(host, v.Name):
            assert host, "the parser gives every end of a packet an address"
            item = item_of(host)
            return [_End((item.family,), bounds(item))]
        if host.text == v.ANY:
            return [_End(BOTH)]
        if host.text == v.SELF:
            return [_End(BOTH, of_self=True)]
        known = {one.name: one for one in self.intent.addresses} if self.intent else {}
        named = known.get(host.text)
        if named is None:
            hint = suggestion(host.text, [*known, v.SELF, v.ANY]) if known else "write the address, or `any`"
            self.findings.report("unknown-name", f"nothing defines address `{host.text}`", host.span, hint)
            return []
        return [_End((family,), (first, last)) for family, first, last in named.items]

    def _kinds(self) -> Iterator[tuple[Families, Criteria]]:
        value = self.packet.protocol
        if value is None:
            yield BOTH, Criteria(4)
            return
        services = ServiceLists(Names(self.findings), self.findings).flatten((value,), NOTHING)
        for service in services or ():
            kinds = list(_kinds_of(service))
            self._agree(kinds, value.span)
            yield from ((service.families, kind) for kind in kinds)

    def _agree(self, kinds: Sequence[Criteria], word: Span) -> None:
        """Report ports and flags of a packet that has none."""
        packet = self.packet
        for end in (packet.source, packet.destination):
            if end.ports and any(kind.proto not in WITH_PORTS for kind in kinds):
                self.findings.report("misplaced-word", f"`{word.text}` has no ports", end.span)
        if packet.flags is not None and any(kind.proto != TCP for kind in kinds):
            self.findings.report("misplaced-word", f"`flags` are TCP's, and the packet is `{word.text}`", packet.span)

    def _mark(self) -> Mark | None:
        value = self.packet.mark
        if value is None or isinstance(value, v.MarkValue):
            return None if value is None else mark_of(value)
        message = f"`{value.text}` is a name, and here stands the number of a mark"
        self.findings.report("wrong-kind", message, value.span, "write `mark 0x1`")
        return None

    def _refuse(self) -> None:
        """Report what nobody knows where a trace begins."""
        packet = self.packet
        if packet.state is not None:
            message = "a trace begins before connection tracking, where a packet has no `state`"
            self.findings.report("bad-packet", message, packet.span, "leave it out; each traced packet shows its state")
        if packet.exit is not None and packet.entry is not None:
            message = "where a packet comes in nobody knows yet by which interface it leaves"
            self.findings.report("bad-packet", message, packet.exit.span, "leave `out` out; the trace shows it")


def _port(end: v.Endpoint) -> Range | None:
    return (end.ports.first, end.ports.last) if end.ports else None


def _kinds_of(service: Service) -> Iterator[Criteria]:
    """Yield a service's protocol, ports and types, one combination each."""
    if isinstance(service, IcmpService):
        proto = ICMP if service.families == (4,) else ICMPV6
        yield from (Criteria(4, proto=proto, icmp=kind) for kind in dict.fromkeys(service.types or (None,)))
    elif isinstance(service, PortService):
        for sport, dport in product(service.source_ports or (None,), service.ports or (None,)):
            yield Criteria(4, proto=service.protocol, sport=sport, dport=dport)
    else:
        yield Criteria(4, proto=service.protocol)
