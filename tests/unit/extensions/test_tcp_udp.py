"""-m tcp and -m udp: ports, TCP flags and options."""

from __future__ import annotations

import pytest
from reading import matches, printed, refusals


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--sport 1", "--sport 1"),
        ("--dport 65535 ! --sport 7", "! --sport 7 --dport 65535"),
        ("--source-port 1:1023 --destination-port ssh", "--sport 1:1023 --dport 22"),
        ("--sport 1024:", "--sport 1024:65535"),
        ("--sport :4", "--sport 0:4"),
        ("--dport 4:4", "--dport 4"),
        ("--sport : --dport 0:65535", ""),
        ("! --dport :", "! --dport 0:65535"),
        ("--dport ssh:http", "--dport 22:80"),
    ],
)
def test_ports(protocol: str, given: str, canonical: str) -> None:
    assert printed(f"-p {protocol} {given}") == f"-p {protocol} -m {protocol} {canonical}".strip()


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--syn", "--tcp-flags FIN,SYN,RST,ACK SYN"),
        ("! --syn", "! --tcp-flags FIN,SYN,RST,ACK SYN"),
        ("--tcp-flags ALL NONE", "--tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE"),
        ("--tcp-flags ack,SYN syn", "--tcp-flags SYN,ACK SYN"),
        ('--tcp-flags SYN,ACK ""', "--tcp-flags SYN,ACK NONE"),
        ("--tcp-flags SYN,,ACK SYN", "--tcp-flags SYN,ACK SYN"),
        ("--tcp-flags SYN ACK", "--tcp-flags SYN ACK"),
        ("--tcp-flags NONE NONE", ""),
        ("--tcp-option 0x10", "--tcp-option 16"),
        (
            "--syn ! --tcp-option 7 --dport 80 --sport 1",
            "--sport 1 --dport 80 ! --tcp-option 7 --tcp-flags FIN,SYN,RST,ACK SYN",
        ),
    ],
)
def test_tcp_alone(given: str, canonical: str) -> None:
    assert printed(f"-p tcp -m tcp {given}") == f"-p tcp -m tcp {canonical}".strip()


@pytest.mark.parametrize(
    "rule",
    [
        "-m tcp --dport 1",
        "! -p tcp -m tcp --dport 1",
        "-p udp -m tcp --dport 1",
        "-p tcp --dport 65536",
        "-p tcp --dport -1",
        "-p tcp --dport 4:3",
        "-p tcp --dport 1:2:3",
        "-p tcp --dport 1-2",
        "-p tcp --dport 010",
        "-p tcp --dport nosuchservice",
        "-p tcp --dport 1 --dport 2",
        "-p tcp --tcp-option 0",
        "-p tcp --tcp-option 256",
        "-p tcp --tcp-flags ECE SYN",
        "-p tcp --tcp-flags SYN",
        "-p tcp --syn --tcp-flags SYN SYN",
        "-p tcp --syn --syn",
        "-p udp --syn",
    ],
)
def test_refused(rule: str) -> None:
    assert refusals(rule)


def test_a_negated_port_needs_a_port() -> None:
    rule = "-p tcp -m tcp ! --dport 80"
    assert matches(rule, {"proto": 6, "frag": "whole", "dport": 443})
    assert not matches(rule, {"proto": 6, "frag": "whole", "dport": 80})
    assert not matches(rule, {"proto": 6, "frag": "later"})
    assert not matches(rule, {"proto": 17, "frag": "whole", "dport": 443})


def test_flags_are_compared_under_the_mask() -> None:
    syn, ack, ece = 2, 16, 64
    for flags, opens in [(syn, True), (syn | ece, True), (syn | ack, False), (ack, False)]:
        packet = {"proto": 6, "frag": "whole", "tcp.flags": flags}
        assert matches("-p tcp --syn", packet) is opens
        assert matches("-p tcp ! --syn", packet) is not opens


def test_an_option_is_one_of_several() -> None:
    packet = {"proto": 6, "frag": "whole", "tcp.option": {2, 4, 8}}
    assert matches("-p tcp --tcp-option 8", packet)
    assert not matches("-p tcp ! --tcp-option 8", packet)
    assert matches("-p tcp ! --tcp-option 5", packet)
