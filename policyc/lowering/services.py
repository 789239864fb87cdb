"""Services as kernel tests: `-p tcp -m tcp --dport 80`, several ports in one multiport match, ICMP types one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from policyc.lowering.distinct import Range, distinct_ranges
from policyc.lowering.pieces import Parts, Pieces
from policyc.net.protocols import ICMP, ICMPV6, UDPLITE, format_protocol
from policyc.policy.values import IcmpService, PortService, ProtocolService, Service

MULTIPORT_SLOTS = 15
"""Ports in one multiport match, of which a range takes two (XT_MULTI_PORTS)."""
EVERY_PORT = (0, 65535)


def service_tests(pieces: Pieces, services: Sequence[Service]) -> list[Parts]:
    """Return the alternatives of a list of services in the family of the pieces; they do not overlap."""
    return [test for service in services if pieces.family in service.families for test in _tests(pieces, service)]


def protocol_tests(pieces: Pieces, services: Sequence[Service]) -> list[Parts]:
    """Return `-p` for each protocol of a list of services, for rules whose target needs to know it."""
    names = dict.fromkeys(_name(service) for service in services if pieces.family in service.families)
    return [pieces.read(f"-p {name}") for name in names]


def _name(service: Service) -> str:
    if isinstance(service, IcmpService):
        return format_protocol(ICMP if service.families == (4,) else ICMPV6)
    return format_protocol(service.protocol)


def _tests(pieces: Pieces, service: Service) -> Iterator[Parts]:
    match service:
        case PortService(protocol, (port,), ()) if protocol != UDPLITE and port != EVERY_PORT:
            yield pieces.port(_name(service), *port)
        case PortService():
            yield from map(pieces.read, _port_texts(service))
        case IcmpService():
            yield from map(pieces.read, _icmp_texts(service))
        case ProtocolService():
            yield pieces.read(f"-p {_name(service)}")


def _port_texts(service: PortService) -> Iterator[str]:
    name = _name(service)
    sources = port_groups(service.source_ports)
    destinations = port_groups(service.ports)
    for source, destination in product(sources, destinations):
        text = f"-p {name}"
        single = ""
        for option, group in (("sport", source), ("dport", destination)):
            if len(group) == 1 and service.protocol != UDPLITE:  # iptables has no `-m udplite`
                single += f" --{option} {port_text(group[0])}"
        if single:
            text += f" -m {name}{single}"
        for option, group in (("sports", source), ("dports", destination)):
            if len(group) > 1 or (group and service.protocol == UDPLITE):
                text += f" -m multiport --{option} {','.join(port_text(one) for one in group)}"
        yield text


def port_groups(ports: Sequence[Range]) -> list[list[Range]]:
    """Return ports and port ranges in groups that one multiport match holds; one empty group stands for every port."""
    groups: list[list[Range]] = [[]]
    free = MULTIPORT_SLOTS
    for first, last in distinct_ranges(ports):
        takes = 1 if first == last else 2
        if takes > free:
            groups.append([])
            free = MULTIPORT_SLOTS
        groups[-1].append((first, last))
        free -= takes
    return groups


def port_text(ports: Range) -> str:
    """Return a port or a range of ports as iptables writes it."""
    first, last = ports
    return str(first) if first == last else f"{first}:{last}"


def _icmp_texts(service: IcmpService) -> Iterator[str]:
    name = _name(service)
    option = "-m icmp --icmp-type" if service.families == (4,) else "-m icmp6 --icmpv6-type"
    whole = {number for number, code in service.types if code is None}
    if not service.types:
        yield f"-p {name}"
    for number, code in dict.fromkeys(service.types):
        if code is None or number not in whole:
            yield f"-p {name} {option} {number}" + ("" if code is None else f"/{code}")
