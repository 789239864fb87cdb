"""-m policy: the IPsec policy of a packet, described element by element."""

from __future__ import annotations

import pytest
from reading import hooks, matches, printed, refusals


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--dir in", "--dir in --pol ipsec"),
        ("--pol none --dir out", "--dir out --pol none"),
        ("--dir in --pol ipsec --spi 1 ! --reqid 0x10", "--dir in --pol ipsec ! --reqid 16 --spi 0x1"),
        ("--dir in --pol ipsec ! --mode transport --proto 50", "--dir in --pol ipsec --proto esp ! --mode transport"),
        (
            "--strict --reqid 1 --next --proto ah --spi 0x1f --next --mode tunnel --dir in",
            "--dir in --pol ipsec --strict --reqid 1 --next --spi 0x1f --proto ah --next --mode tunnel",
        ),
    ],
)
def test_printed(given: str, canonical: str) -> None:
    for family in (4, 6):
        assert printed(f"-m policy {given}", family, chain="FORWARD") == f"-m policy {canonical}"


def test_tunnels_printed() -> None:
    head = "-m policy --dir in --pol ipsec"
    assert printed(f"{head} --tunnel-src 10.1.2.3/255.0.0.0 ! --tunnel-dst 1.2.3.4 --mode tunnel") == (
        f"{head} --mode tunnel ! --tunnel-dst 1.2.3.4 --tunnel-src 10.1.2.3/8"
    )
    assert printed(f"{head} ! --mode transport --tunnel-src 2001:db8::1/32", 6) == (
        f"{head} ! --mode transport --tunnel-src 2001:db8::1/32"
    )


@pytest.mark.parametrize(
    "given",
    [
        "",
        "--pol ipsec",
        "--dir fwd --pol ipsec",
        "--dir in --dir out",
        "--dir in --pol foo",
        "! --dir in",
        "--dir in ! --pol ipsec",
        "--dir in --strict",
        "--dir in ! --strict --reqid 1",
        "--dir in --pol none --strict",
        "--dir in --pol none --reqid 1",
        "--dir in --reqid 1 --next --reqid 2",
        "--dir in --strict --reqid 1 --next",
        "--dir in --strict --next --reqid 1",
        "--dir in --strict --reqid 1 --reqid 2",
        "--dir in --strict --reqid 1 --next --reqid 2 --next --reqid 3 --next --reqid 4 --next --reqid 5",
        "--dir in --reqid 4294967296",
        "--dir in --proto tcp",
        "--dir in --mode foo",
        "--dir in --tunnel-src 10.0.0.1",
        "--dir in --mode transport --tunnel-src 10.0.0.1",
        "--dir in ! --mode tunnel --tunnel-dst 10.0.0.1",
        "--dir in --mode tunnel --tunnel-src 2001:db8::1",
    ],
)
def test_refused(given: str) -> None:
    assert refusals(f"-m policy {given}")


def test_where_and_what() -> None:
    assert hooks("-m policy --dir in") == {"PREROUTING", "INPUT", "FORWARD"}
    assert hooks("-m policy --dir out") == {"FORWARD", "OUTPUT", "POSTROUTING"}
    assert matches("-m policy --dir in --pol none", {"ipsec.in": "none"})
    assert not matches("-m policy --dir in", {"ipsec.in": "none"})
    assert matches("-m policy --dir in", {"ipsec.in": "another"})
    rule = "-m policy --dir in --pol ipsec ! --reqid 1"
    for known in (True, False):
        assert matches(rule, {"ipsec.in": "another"}, assume={rule: known}) is known
        assert not matches(rule, {"ipsec.in": "none"}, assume={rule: known})
