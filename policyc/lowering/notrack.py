"""`notrack A -> B services`: no connection for these packets, nor for their answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from policyc.lowering.draft import Draft
from policyc.lowering.intent_line import Writer
from policyc.lowering.services import service_tests
from policyc.lowering.sides import side_tests
from policyc.lowering.statement import state
from policyc.policy.model import Notrack, Pair
from policyc.policy.values import IcmpService, PortService, Service

ANSWERS = {4: {8: 0, 13: 14, 17: 18}, 6: {128: 129}}
"""The ICMP types that answer others; the rest is sent without an answer (RFC 792, RFC 950, RFC 4443)."""


def notrack(draft: Draft, item: Notrack) -> None:
    """Write the exemption of both directions; one alone would make the answers new connections."""
    state(draft, item)
    _exempt(draft, item, item.pairs, item.services)
    answers = tuple(answer for service in item.services for answer in _answers(service))
    if answers or not item.services:
        turned = replace(item, source=item.destination, destination=item.source)
        _exempt(draft, turned, item.replies, answers)


def _exempt(draft: Draft, item: Notrack, pairs: Iterable[Pair], services: tuple[Service, ...]) -> None:
    for pair in pairs:
        for family in item.families:
            fitting = [service for service in services if family in service.families]
            if family not in pair.families or (services and not fitting):
                continue
            writer = Writer(draft, item, family)
            tests = side_tests(writer.pieces, pair)
            writer.addresses(tests, item.source, item.destination)
            if fitting:
                tests.one_of(service_tests(writer.pieces, fitting))
            writer.write("raw", pair.hook, tests, [writer.pieces.read("-j CT --notrack")], fitting)


def _answers(service: Service) -> Iterable[Service]:
    match service:
        case PortService():
            yield replace(service, ports=service.source_ports, source_ports=service.ports)
        case IcmpService(types=types, families=(family,)):
            answers = tuple((ANSWERS[family][number], None) for number, _ in types if number in ANSWERS[family])
            if answers or not types:
                yield replace(service, types=answers)
        case _:
            yield service
