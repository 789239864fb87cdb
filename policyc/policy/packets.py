"""A PACKET of the language becomes Questions: one for each address of a name and each service of a protocol's name.

`tested` asks with the names of a policy, `policyc.explanation.sentence` with those that a Ruleset still knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from policyc.frozen import frozen
from policyc.language import literals as v
from policyc.language.packet import Packet
from policyc.net.addresses import format_address, range_network
from policyc.net.headers import Headers
from policyc.net.protocols import ICMP, ICMPV6, TCP, WITH_PORTS
from policyc.netfilter.question import Question
from policyc.policy.findings import Findings
from policyc.policy.values import BOTH, Endpoint, Families, IcmpService, Mark, PortService, Service

_FLAGS = {name: 1 << bit for bit, name in enumerate(("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"))}


class _End(NamedTuple):
    """One address of an end; family None and address 0 for `self`. `note` says what it stands for."""

    family: int | None
    address: int
    port: int | None
    note: str = ""


class _Kind(NamedTuple):
    """What a packet is by its first word; None where that is not said."""

    families: Families
    proto: int | None
    icmp: int | None = None
    dport: int | None = None
    note: str = ""


@frozen
class PacketNames:
    """How names are looked up: each function returns what one means, or None when it has reported why not."""

    endpoints: Callable[[v.Endpoint], Sequence[Endpoint] | None]
    services: Callable[[v.ServiceValue], Sequence[Service] | None]
    mark: Callable[[v.Name | v.MarkValue], Mark | None]
    findings: Findings

    def questions(self, packet: Packet) -> tuple[Question, ...] | None:
        """Return the questions in the order in which the names list their addresses; None after a report."""
        sources, destinations = self._ends(packet.source), self._ends(packet.destination)
        kinds = self._kinds(packet)
        mark = self.mark(packet.mark) if packet.mark else None
        if sources is None or destinations is None or kinds is None or (packet.mark and mark is None):
            return None
        found = tuple(
            question
            for source in sources
            for destination in destinations
            for kind in kinds
            for question in self._of(packet, source, destination, kind, mark.value if mark else None)
        )
        if not found:
            message = "the two addresses and the protocol have no family in common"
            self.findings.report("wrong-family", message, packet.span)
        return found or None

    def _ends(self, end: v.Endpoint) -> list[_End] | None:
        port = end.ports.first if end.ports else None
        if isinstance(end.host, v.Name) and end.host.text == v.SELF:
            return [_End(None, 0, port)]
        found = self.endpoints(end)
        if found is None:
            return None
        return [_one(one, end, port) for one in found]

    def _kinds(self, packet: Packet) -> list[_Kind] | None:
        value = packet.protocol
        if value is None:
            return [_Kind(BOTH, None)]
        services = self.services(value)
        if services is None:
            return None
        kinds = [kind for service in services for kind in _kinds_of(service, value)]
        return kinds if self._agree(packet, kinds) else None

    def _agree(self, packet: Packet, kinds: Sequence[_Kind]) -> bool:
        """Whether ports and flags stand in a packet that has them; report where not."""
        assert packet.protocol, "asked about packets with a first word only"
        word, before = packet.protocol.span.text, len(self.findings.found)
        for end in (packet.source, packet.destination):
            if end.ports and any(kind.proto not in WITH_PORTS for kind in kinds):
                self.findings.report("misplaced-word", f"`{word}` has no ports", end.span)
        if packet.destination.ports and any(kind.dport is not None for kind in kinds):
            message = f"`{word}` says the port already"
            self.findings.report("misplaced-word", message, packet.destination.span, "leave one of the two out")
        if packet.flags is not None and any(kind.proto != TCP for kind in kinds):
            self.findings.report("misplaced-word", f"`flags` are TCP's, and the packet is `{word}`", packet.span)
        return len(self.findings.found) == before

    @staticmethod
    def _of(packet: Packet, source: _End, destination: _End, kind: _Kind, mark: int | None) -> Iterator[Question]:
        """Yield the question of one combination: none where the families differ, one for each between two unknown ends."""
        headers = Headers(
            4, source.address, destination.address, kind.proto, source.port, destination.port or kind.dport,
            flags=None if packet.flags is None else sum(_FLAGS.get(flag, 0) for flag in packet.flags),
            icmp=kind.icmp,
            ttl=packet.ttl.value if packet.ttl else None,
            entry=packet.entry.text if packet.entry else "",
            exit=packet.exit.text if packet.exit else "",
            local=source.family is None or (packet.local and packet.entry is None),
            state=(packet.state or "").upper(),
            mark=mark,
        )  # fmt: skip
        notes = tuple(filter(None, (source.note, destination.note, kind.note)))
        for family in kind.families:
            if source.family in {None, family} and destination.family in {None, family}:
                yield Question(
                    replace(headers, family=family),
                    source.family is None,
                    destination.family is None,
                    notes,
                    packet.span,
                    packet.entry.span if packet.entry else None,
                    packet.exit.span if packet.exit else None,
                )


def _one(found: Endpoint, end: v.Endpoint, port: int | None) -> _End:
    """Return one address of what an end stands for; of several that are one item the first that a host may have."""
    assert found.family, "an end of a packet has an address"
    if found.first == found.last:
        return _End(found.family, found.first, port)
    network = range_network(found.first, found.last, found.family)
    address = found.first + (network is not None and found.last - found.first > 1)
    whole = str(network or Endpoint(found.family, found.first, found.last, None))
    name = end.host.span.text if end.host else whole
    return _End(
        found.family, address, port, f"{format_address(address, found.family)} stands for all of {name} ({whole})"
    )


def _kinds_of(service: Service, value: v.ServiceValue) -> Iterator[_Kind]:
    word = value.span.text
    if isinstance(service, IcmpService):
        proto = ICMP if service.families == (4,) else ICMPV6
        if not service.types:
            yield _Kind(service.families, proto)
        for number, code in dict.fromkeys(service.types):
            yield _Kind(service.families, proto, number << 8 | (code or 0))
    elif isinstance(service, PortService) and service.ports:
        for first, last in service.ports:
            note = f"port {first} stands for all of {word} ({first}-{last})" if first != last else ""
            yield _Kind(service.families, service.protocol, None, first, note)
    else:
        yield _Kind(service.families, service.protocol)
