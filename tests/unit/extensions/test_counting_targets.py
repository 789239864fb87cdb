"""-j SET, RATEEST, IDLETIMER, LED, CLUSTERIP: what is kept outside the packet."""

from __future__ import annotations

import pytest
from reading import effects, printed, refusals

from policyc.netfilter.effect import Mutate, Note
from policyc.netfilter.fields import MARK

CLUSTER = "--new --hashmode sourceip --clustermac 01:aa:7b:47:f7:d7 --total-nodes 2 --local-node 1"


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("SET --add-set s src,dst", "SET --add-set s src,dst"),
        ("SET --timeout 0x10 --exist --add-set s src", "SET --add-set s src --exist --timeout 16"),
        ("SET --add-set s src --timeout 4294967294", "SET --add-set s src --timeout 4294967294"),
        ("SET --del-set t dst --add-set s src --exist", "SET --add-set s src --exist --del-set t dst"),
        (
            "SET --map-queue --map-prio --map-mark --map-set m src",
            "SET --map-set m src --map-mark --map-prio --map-queue",
        ),
        ("SET --map-set m src --map-mark --del-set s src", "SET --del-set s src --map-set m src --map-mark"),
        (
            "RATEEST --rateest-ewma 500ms --rateest-interval 250ms --rateest-name R",
            "RATEEST --rateest-name R --rateest-interval 250.0ms --rateest-ewmalog 500.0ms",
        ),
        ("IDLETIMER --alarm --label foo --timeout 42", "IDLETIMER --timeout 42 --label foo --alarm"),
        ("IDLETIMER --timeout 2147482 --label " + 27 * "x", "IDLETIMER --timeout 2147482 --label " + 27 * "x"),
        ('IDLETIMER --timeout 42 --label "a b"', 'IDLETIMER --timeout 42 --label "a b"'),
        ("LED --led-trigger-id foo --led-delay 0", 'LED --led-trigger-id "foo"'),
        (
            "LED --led-always-blink --led-delay inf --led-trigger-id foo",
            'LED --led-trigger-id "foo" --led-delay inf --led-always-blink',
        ),
    ],
)
def test_printed(given: str, canonical: str) -> None:
    assert printed(f"-j {given}", 4) == printed(f"-j {given}", 6) == f"-j {canonical}"


@pytest.mark.parametrize(
    ("interval", "averaging", "kept"),
    [
        ("1s", "2s", "1.0s 2.0s"),
        ("8s", "60s", "8.0s 64.0s"),
        ("1s", "10s", "1.0s 8.0s"),
        ("250ms", "600ms", "250.0ms 500.0ms"),
        ("250ms", "1000s", "250.0ms 512.0s"),
        ("100ms", "1s", "250.0ms 2.0s"),
        ("250000", "500000", "250.0ms 500.0ms"),
        ("1sec", "2secs", "1.0s 2.0s"),
        ("250msec", "500MSECS", "250.0ms 500.0ms"),
        ("250000us", "500000usecs", "250.0ms 500.0ms"),
        ("0.25s", "1.5s", "250.0ms 1.0s"),
    ],
)
def test_durations_are_rounded_as_the_kernel_keeps_them(interval: str, averaging: str, kept: str) -> None:
    def rule(interval: str, averaging: str) -> str:
        return f"-j RATEEST --rateest-name R --rateest-interval {interval} --rateest-ewmalog {averaging}"

    canonical = rule(*kept.split())
    assert printed(rule(interval, averaging)) == canonical
    assert printed(canonical) == canonical


@pytest.mark.parametrize(
    "rule",
    [
        "SET",
        "SET --exist",
        "SET --map-mark",
        "SET --map-set m src",
        "SET --add-set s",
        *(f"SET --add-set s {ways}" for ways in ("foo", "SRC", "src,", "src,dst,src,dst,src,dst,src")),
        f"SET --add-set {32 * 'x'} src",
        "SET --add-set s src --timeout 4294967295",
        "SET --add-set s src --timeout -1",
        "SET --del-set s src --exist",
        "SET --del-set s src --timeout 10",
        "SET --map-set m src --map-mark --exist",
        "SET --add-set s src --add-set t src",
        "SET ! --add-set s src",
        "RATEEST",
        "RATEEST --rateest-name R",
        "RATEEST --rateest-name R --rateest-interval 1s",
        "RATEEST --rateest-interval 1s --rateest-ewmalog 2s",
        f"RATEEST --rateest-name {16 * 'x'} --rateest-interval 1s --rateest-ewmalog 2s",
        "RATEEST --rateest-name R --rateest-interval 250ms --rateest-ewmalog 250ms",
        "RATEEST --rateest-name R --rateest-interval 9s --rateest-ewmalog 60s",
        *(
            f"RATEEST --rateest-name R --rateest-interval {span} --rateest-ewmalog 2s"
            for span in ("0ms", "foo", "1m", "-1s")
        ),
        "IDLETIMER",
        "IDLETIMER --timeout 42",
        "IDLETIMER --label a",
        *(f"IDLETIMER --label a --timeout {seconds}" for seconds in ("0", "-1", "2147483", "4294967296")),
        *(
            f"IDLETIMER --timeout 42 --label {label}"
            for label in ('""', 28 * "x", "power", "subsystem", "uevent", "a/b")
        ),
        "LED",
        "LED --led-delay 4",
        "LED --led-trigger-id " + 17 * "x",
        'LED --led-trigger-id ""',
        "LED --led-trigger-id x --led-delay foo",
        "LED --led-trigger-id x --led-delay -1",
        "CLUSTERIP --new",
        "CLUSTERIP --hashmode sourceip",
        f"CLUSTERIP {CLUSTER.replace('sourceip', 'foo')}",
        f"CLUSTERIP {CLUSTER.replace('01:aa', '02:aa')}",
        f"CLUSTERIP {CLUSTER.replace('nodes 2', 'nodes 17')}",
        f"CLUSTERIP {CLUSTER.replace('node 1', 'node 0')}",
        f"CLUSTERIP {CLUSTER.replace('node 1', 'node 3')}",
    ],
)
def test_refused(rule: str) -> None:
    assert refusals(f"-j {rule}")


def test_clusterip() -> None:
    canonical = f"-j CLUSTERIP {CLUSTER.replace('01:aa:7b:47:f7:d7', '01:AA:7B:47:F7:D7')} --hash-init 0"
    assert printed(f"-j CLUSTERIP {CLUSTER}") == printed(canonical) == canonical
    assert printed("-j CLUSTERIP") == "-j CLUSTERIP"
    assert effects("-j CLUSTERIP") == (Note("unknown", "CLUSTERIP"),)
    assert refusals("-j CLUSTERIP", 6) == ["the target `CLUSTERIP` does not exist for IPv6"]


def test_effects() -> None:
    assert effects("-j SET --add-set s src,dst --del-set t dst") == (
        Note("set", "add s src,dst"),
        Note("set", "del t dst"),
    )
    assert effects("-j SET --map-set m src --map-mark") == (Mutate("mark and class of a set", "m src", (MARK,)),)
    assert effects("-j SET --map-set m src --map-prio") == (Mutate("mark and class of a set", "m src"),)
    assert effects("-j RATEEST --rateest-name R --rateest-interval 1s --rateest-ewmalog 2s") == (Note("counter", "R"),)
    assert effects("-j IDLETIMER --timeout 4 --label a") == (Note("timer", "a"),)
    assert effects("-j LED --led-trigger-id a") == (Note("led", "a"),)
