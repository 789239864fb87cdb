"""Built-in services, and how lists of services become one value for each protocol."""

from __future__ import annotations

import pytest

from policyc.language.parser import parse
from policyc.policy.model import Block
from policyc.policy.resolve import resolve
from policyc.policy.services import built_in, built_in_names
from policyc.policy.values import BOTH, IcmpService, PortService, ProtocolService, Service
from policyc.source import Source


def services(text: str) -> tuple[Service, ...]:
    file, _ = parse(Source("test.pol", f"zone wan = interface eth0\nfilter wan -> self {{ accept {text} }}"))
    policy, found = resolve(file)
    assert policy, found
    (block,) = policy.items
    assert isinstance(block, Block)
    return block.rules[0].services


def tcp(*ports: tuple[int, int], source: tuple[tuple[int, int], ...] = ()) -> PortService:
    return PortService(6, ports, source, BOTH)


def udp(*ports: tuple[int, int], source: tuple[tuple[int, int], ...] = ()) -> PortService:
    return PortService(17, ports, source, BOTH)


def test_every_built_in_name_means_something() -> None:
    for name in built_in_names():
        assert built_in(name), name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssh", (tcp((22, 22)),)),
        ("domain, ssh", (tcp((53, 53), (22, 22)), udp((53, 53)))),
        ("tcp/80, tcp", (tcp(),)),
        ("tcp, tcp/80", (tcp(),)),
        ("tcp/80-90, udp/1, tcp/443", (tcp((80, 90), (443, 443)), udp((1, 1)))),
        ("ping", (IcmpService(((8, None),), (4,)), IcmpService(((128, None),), (6,)))),
        ("icmp/3/4, icmp/echo-request", (IcmpService(((3, 4), (8, None)), (4,)),)),
        ("icmp/port-unreachable", (IcmpService(((3, 3),), (4,)),)),
        ("icmp, icmp/8", (IcmpService((), (4,)),)),
        ("gre, gre, proto/47", (ProtocolService(47, BOTH),)),
        ("dhcp", (PortService(17, ((67, 68),), (), (4,)), PortService(17, ((546, 547),), (), (6,)))),
        ("tcp/80, udp sport 1024-65535", (tcp((80, 80), source=((1024, 65535),)), udp(source=((1024, 65535),)))),
        ("sport domain", (tcp(source=((53, 53),)), udp(source=((53, 53),)))),
        ("udp/53 sport udp/53, udp/5353", (udp((53, 53), source=((53, 53), (5353, 5353))),)),
        ("udp/53 sport udp", (udp((53, 53)),)),
    ],
)
def test_services_of_a_rule(text: str, expected: tuple[Service, ...]) -> None:
    assert services(text) == expected


def test_the_policys_own_name_stands_before_the_built_in_one() -> None:
    text = "zone wan = interface eth0\nservice ssh = tcp/2222\nfilter wan -> self { accept ssh }"
    policy, _ = resolve(parse(Source("test.pol", text))[0])
    assert policy
    (block,) = policy.items
    assert isinstance(block, Block)
    assert block.rules[0].services == (tcp((2222, 2222)),)
