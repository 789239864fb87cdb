"""-m length, ttl, hl, tcpmss, cpu, iprange: numbers in ranges."""

from __future__ import annotations

import pytest
from reading import matches, printed, refusals


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("-m length --length 1", "-m length --length 1"),
        ("-m length --length :2", "-m length --length 0:2"),
        ("-m length ! --length 4:", "-m length ! --length 4:65535"),
        ("-m length --length :", "-m length --length 0:65535"),
        ("-m length --length 0x10:20", "-m length --length 16:20"),
        ("-m length --length 4:4", "-m length --length 4"),
        ("-p tcp -m tcpmss --mss 5:", "-p tcp -m tcpmss --mss 5:65535"),
        ("-p tcp -m tcpmss ! --mss :10", "-p tcp -m tcpmss ! --mss 0:10"),
        ("-p tcp -m tcpmss --mss 5:5", "-p tcp -m tcpmss --mss 5"),
        ("-m cpu --cpu 0x1", "-m cpu --cpu 1"),
        ("-m cpu ! --cpu 4294967295", "-m cpu ! --cpu 4294967295"),
    ],
)
def test_printed(given: str, canonical: str) -> None:
    assert printed(given, 4) == printed(given, 6) == canonical


@pytest.mark.parametrize(("name", "family"), [("ttl", 4), ("hl", 6)])
def test_hop_limit(name: str, family: int) -> None:
    assert printed(f"-m {name} --{name} 5", family) == f"-m {name} --{name}-eq 5"
    assert printed(f"-m {name} ! --{name}-eq 255", family) == f"-m {name} ! --{name}-eq 255"
    for how, inside, outside in [("eq", 5, 6), ("lt", 4, 5), ("gt", 6, 5)]:
        rule = f"-m {name} --{name}-{how} 5"
        assert printed(rule, family) == rule
        assert matches(rule, {"ttl": inside}, family)
        assert not matches(rule, {"ttl": outside}, family)
    assert not any(matches(f"-m {name} --{name}-gt 255", {"ttl": ttl}, family) for ttl in (0, 255))
    assert not any(matches(f"-m {name} --{name}-lt 0", {"ttl": ttl}, family) for ttl in (0, 255))
    for wrong in ("", "--{}-eq 256", "! --{}-gt 5", "! --{}-lt 5", "--{}-lt 5 --{}-gt 3", "--{}-eq 5 --{}-gt 4"):
        assert refusals(f"-m {name} {wrong.replace('{}', name)}", family)
    assert refusals(f"-m {name} --{name}-eq 5", 10 - family) == [
        f"the match `{name}` does not exist for IPv{10 - family}"
    ]


@pytest.mark.parametrize(
    ("given", "canonical", "family"),
    [
        ("--src-range 1.2.3.4-1.2.3.5", "--src-range 1.2.3.4-1.2.3.5", 4),
        ("--src-range 1.2.3.4", "--src-range 1.2.3.4-1.2.3.4", 4),
        (
            "! --dst-range 1.2.3.4-1.2.3.5 --src-range 1.1.1.1-2.2.2.2",
            "--src-range 1.1.1.1-2.2.2.2 ! --dst-range 1.2.3.4-1.2.3.5",
            4,
        ),
        ("--dst-range 2001:db8:0::1-2001:db8::2", "--dst-range 2001:db8::1-2001:db8::2", 6),
        ("--src-range 1.2.3.5-1.2.3.4", "--src-range 1.2.3.5-1.2.3.4", 4),
    ],
)
def test_iprange(given: str, canonical: str, family: int) -> None:
    assert printed(f"-m iprange {given}", family) == f"-m iprange {canonical}"


@pytest.mark.parametrize(
    "rule",
    [
        "-m length",
        "-m length --length 0:65536",
        "-m length --length -1:65535",
        "-m length --length 4:3",
        "-m length --length 5 --length 6",
        "-m tcpmss --mss 5",
        "-p udp -m tcpmss --mss 5",
        "-p tcp -m tcpmss",
        "-p tcp -m tcpmss --mss 65536",
        "-p tcp -m tcpmss --mss 10:5",
        "-m cpu",
        "-m cpu --cpu 4294967296",
        "-m cpu --cpu 1:2",
        "-m iprange",
        "-m iprange --src-range 1.2.3.4-",
        "-m iprange --src-range 1.2.3.4/24",
        "-m iprange --src-range ::1-::2",
        "-m iprange --src-range 1.1.1.1 --src-range 1.1.1.2",
    ],
)
def test_refused(rule: str) -> None:
    assert refusals(rule)


def test_meanings() -> None:
    assert matches("-m length --length 40:60", {"length": 60})
    assert matches("-m length ! --length 40:60", {"length": 61})
    assert matches("-m cpu ! --cpu 1", {"cpu": 0})
    between, source = "-m iprange --src-range 10.0.0.1-10.0.0.9", 10 << 24
    assert matches(between, {"src": source | 9, "dst": 1})
    assert not matches(between, {"src": source | 10, "dst": 1})
    assert not matches("-m iprange --src-range 10.0.0.9-10.0.0.1", {"src": source | 5, "dst": 1})


def test_a_packet_without_segment_size_is_outside_every_range() -> None:
    packet = {"proto": 6, "frag": "whole"}
    assert not matches("-p tcp -m tcpmss --mss 0:65535", packet)
    assert matches("-p tcp -m tcpmss ! --mss 1:500", packet)
    assert not matches("-p tcp -m tcpmss ! --mss 1:500", packet | {"tcp.mss": 400})
