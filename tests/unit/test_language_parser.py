"""The parser's corners: places, recovery, what a broken definition leaves, packets alone, the collector."""

from __future__ import annotations

import gc

import pytest

from policyc.diagnostics import Diagnostic
from policyc.language import tree as t
from policyc.language.literals import Address, Endpoint, Name, PortService
from policyc.language.parser import parse, parse_packet
from policyc.language.print_rules import packet_text
from policyc.source import Source


def errors_of(text: str) -> list[Diagnostic]:
    return parse(Source("p", text))[1]


def test_an_empty_file_is_an_empty_tree() -> None:
    for text in ("", "\n\n", "   ", "\ufeff", ";;;", "# only a comment"):
        file, errors = parse(Source("p", text))
        assert (file.statements, errors) == ((), [])


def test_places_are_those_of_the_text() -> None:
    text = "filter a -> b {\n  accept ssh from  10.0.0.1,web log edge\n}\n"
    block = parse(Source("p", text))[0].statements[0]
    assert isinstance(block, t.RuleBlock)
    [rule] = block.lines
    assert rule.span.text == "accept ssh from  10.0.0.1,web log edge"
    assert [word.span.text for word in rule.words] == ["from  10.0.0.1,web", "log edge"]
    assert [value.span.text for value in rule.words[0].values] == ["10.0.0.1", "web"]
    assert block.head.text == "filter a -> b"
    assert block.span.text == text.rstrip()


def test_a_broken_definition_keeps_its_name() -> None:
    file, errors = parse(Source("p", "address web = 10.0.0.5/8\ndefine f(x) { accept ssh }\nzone lan interface eth0\n"))
    assert len(errors) == 3
    assert [(broken.kind, broken.name.text) for broken in file.statements] == [
        ("address", "web"),
        ("define", "f"),
        ("zone", "lan"),
    ]


def test_a_lost_brace_costs_one_error() -> None:
    file, [error] = parse(Source("p", "filter a -> b {\n  accept ssh\nfilter b -> a {\n  accept http\n}\n"))
    assert error.message == "the block is not closed"
    assert error.span is not None
    assert error.span.line == 1
    assert [len(block.lines) for block in file.statements] == [1, 1]


def test_errors_come_in_the_order_of_their_places() -> None:
    found = errors_of("filter a -> b {\n  acept x\nzone z = \x07\n  drop from 1.2.3.4/8\n}\nfoo\n")
    places = [error.span.start for error in found if error.span]
    assert places == sorted(places)
    assert len(found) == 4


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("tcp 203.0.113.9:51000 -> 198.51.100.1:443 in eth0 flags SYN state NEW mark 0x1 ttl 64", None),
        ("icmp echo-request 10.0.0.1 -> 10.0.0.2 in eth1", "icmp/echo-request 10.0.0.1 -> 10.0.0.2 in eth1"),
        ("udp [fd00::1]:53->dns out", "udp [fd00::1]:53 -> dns out"),
        ("self -> web", None),
    ],
)
def test_packets_stand_alone_too(text: str, canonical: str | None) -> None:
    packet, errors = parse_packet(Source("packet", text))
    assert not errors
    assert packet is not None
    assert packet_text(packet) == (canonical or text.replace("NEW", "new"))


def test_a_packet_has_typed_ends() -> None:
    packet, _ = parse_packet(Source("packet", "tcp web -> 10.0.0.1:80"))
    assert packet is not None
    span = packet.span
    assert packet.protocol == PortService("tcp", None, span)
    assert packet.source == Endpoint(Name("web", span), None, span)
    assert packet.destination.host == Address(4, 0x0A000001, span)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tcp 10.0.0.1",
        "tcp a -> b by x",
        "tcp a -> b becomes c",
        "a -> b; c -> d",
        "tcp a -> b {",
        "IN=eth0 OUT= MAC=",
    ],
)
def test_what_is_no_packet_is_an_error(text: str) -> None:
    packet, errors = parse_packet(Source("packet", text))
    assert packet is None
    assert errors


def test_the_collector_is_left_as_it_was() -> None:
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            errors_of("zone a = interface eth0")
            assert gc.isenabled() is enabled
        finally:
            gc.enable()
