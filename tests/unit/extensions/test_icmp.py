"""-m icmp and -m icmp6: types, codes, names."""

from __future__ import annotations

import pytest
from reading import matches, printed, refusals


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("any", "any"),
        ("255", "any"),
        ("255/0:255", "any"),
        ("255/255", "255/255"),
        ("8", "8"),
        ("8/0", "8/0"),
        ("0x3/0x1", "3/1"),
        ("3/1:4", "3/1:4"),
        ("3/0:255", "3"),
        ("echo-request", "8"),
        ("Ping", "8"),
        ("pong", "0"),
        ("tos-host-redirect", "5/3"),
        ("ttl-exceeded", "11"),
        ("fragmentation-needed", "3/4"),
        ("network-proh", "3/9"),
        ("host-precedence-violation", "3/14"),
        ("required-option-missing", "12/1"),
    ],
)
def test_icmp(given: str, canonical: str) -> None:
    assert printed(f"-p icmp --icmp-type {given}") == f"-p icmp -m icmp --icmp-type {canonical}"
    assert printed(f"-p icmp ! --icmp-type {given}") == f"-p icmp -m icmp ! --icmp-type {canonical}"


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("1/0", "1/0"),
        ("1/0:3", "1/0:3"),
        ("1/0:255", "1"),
        ("255", "255"),
        ("ping", "128"),
        ("neighbour-solicitation", "135"),
        ("neighbor-advertisement", "136"),
        ("packet-too-big", "2"),
        ("reject-route", "1/6"),
        ("mld-listener-reduction", "132"),
        ("unknown-option", "4/2"),
    ],
)
@pytest.mark.parametrize("loaded_as", ["icmp6", "icmpv6", "ipv6-icmp"])
def test_icmp6(loaded_as: str, given: str, canonical: str) -> None:
    rule = f"-p icmpv6 -m {loaded_as} --icmpv6-type {given}"
    assert printed(rule, 6) == f"-p ipv6-icmp -m icmp6 --icmpv6-type {canonical}"


@pytest.mark.parametrize(
    ("rule", "family"),
    [
        ("-m icmp --icmp-type 8", 4),
        ("-p icmp -m icmp", 4),
        ("-p icmp --icmp-type 256", 4),
        ("-p icmp --icmp-type 3/256", 4),
        ("-p icmp --icmp-type 3/", 4),
        ("-p icmp --icmp-type 3/1:", 4),
        ("-p icmp --icmp-type echo", 4),
        ("-p icmp --icmp-type network", 4),
        ('-p icmp --icmp-type ""', 4),
        ("-p icmp --icmp-type 8 --icmp-type 0", 4),
        ("-p icmp -m icmp --icmp-type 8", 6),
        ("-p icmpv6 -m icmp6 --icmpv6-type 1", 4),
        ("-p icmpv6 --icmpv6-type any", 6),
        ("-p icmpv6 --icmpv6-type router", 6),
        ("-m icmpv6", 6),
    ],
)
def test_refused(rule: str, family: int) -> None:
    assert refusals(rule, family)


def packet(kind: int, code: int, proto: int = 1) -> dict[str, object]:
    return {"proto": proto, "frag": "whole", "icmp": kind * 256 + code}


def test_codes() -> None:
    assert matches("-p icmp --icmp-type 3", packet(3, 13))
    assert not matches("-p icmp --icmp-type 3/1:4", packet(3, 5))
    assert matches("-p icmp ! --icmp-type 3/1:4", packet(3, 5))
    assert not matches("-p icmp ! --icmp-type 3/1:4", packet(3, 5) | {"frag": "later"})


def test_type_255_is_any_type_in_ipv4_alone() -> None:
    for spelled in ("any", "255", "255/7"):
        assert matches(f"-p icmp --icmp-type {spelled}", packet(8, 0))
        assert not matches(f"-p icmp ! --icmp-type {spelled}", packet(8, 0))
    assert not matches("-p icmpv6 --icmpv6-type 255", packet(128, 0, 58), 6)
