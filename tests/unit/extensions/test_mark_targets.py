"""-j MARK, CONNMARK, HMARK: marks of packets and connections."""

from __future__ import annotations

import pytest
from reading import effects, printed, refusals

from policyc.netfilter.effect import Assign, Mutate
from policyc.netfilter.fields import CT_MARK, MARK

ALL = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("given", "value", "mask"),
    [
        ("--set-mark 1", 1, ALL),
        ("--set-mark 1/2", 1, 3),
        ("--set-mark 0x3/0x1", 3, 3),
        ("--set-mark 0/0", 0, 0),
        ("--set-m 010", 8, ALL),
        ("--set-xmark 1", 1, ALL),
        ("--set-xmark 0x3/0x1", 3, 1),
        ("--and-mark 0xff", 0, 0xFFFFFF00),
        ("--or-mark 0xff", 0xFF, 0xFF),
        ("--xor-mark 0xff", 0xFF, 0),
    ],
)
def test_five_ways_to_set_a_mark(given: str, value: int, mask: int) -> None:
    for target, field in (("MARK", MARK), ("CONNMARK", CT_MARK)):
        for family in (4, 6):
            assert printed(f"-j {target} {given}", family) == f"-j {target} --set-xmark {value:#x}/{mask:#x}"
        assert effects(f"-j {target} {given}") == (Assign(field, mask, value),)


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--save-mark", "--save-mark --nfmask 0xffffffff --ctmask 0xffffffff"),
        ("--restore", "--restore-mark --nfmask 0xffffffff --ctmask 0xffffffff"),
        ("--save-mark --mask 255", "--save-mark --nfmask 0xff --ctmask 0xff"),
        ("--nfmask 1 --save-mark", "--save-mark --nfmask 0x1 --ctmask 0xffffffff"),
        ("--restore-mark --ctmask 0xff --nfmask 0", "--restore-mark --nfmask 0x0 --ctmask 0xff"),
        ("--set-mark 1/2 --mask 0xff", "--set-xmark 0x1/0xff"),
        ("--mask 0xff --set-mark 1/2", "--set-xmark 0x1/0x3"),
        ("--set-mark 1 --ctmask 0xf", "--set-xmark 0x1/0xf"),
        ("--set-mark 1 --left-shift-mark 3", "--set-xmark 0x1/0xffffffff --left-shift-mark 3"),
        ("--save-mark --right 31", "--save-mark --nfmask 0xffffffff --ctmask 0xffffffff --right-shift-mark 31"),
        ("--save-mark --left-shift-mark 0", "--save-mark --nfmask 0xffffffff --ctmask 0xffffffff"),
    ],
)
def test_connmark(given: str, canonical: str) -> None:
    assert printed(f"-j CONNMARK {given}") == f"-j CONNMARK {canonical}"


def test_copies() -> None:
    assert effects("-j CONNMARK --save-mark --nfmask 0xf --ctmask 0xff") == (Assign(CT_MARK, 0xFF, 0, MARK, 0xF),)
    assert effects("-j CONNMARK --restore-mark --nfmask 0xf --ctmask 0xff --right-shift-mark 4") == (
        Assign(MARK, 0xF, 0, CT_MARK, 0xFF, -4),
    )
    assert effects("-j CONNMARK --set-xmark 1/1 --left-shift-mark 4") == (
        Assign(CT_MARK, 1, 1),
        Assign(CT_MARK, ALL, 0, CT_MARK, ALL, 4),
    )


@pytest.mark.parametrize(
    "rule",
    [
        "MARK",
        *(f"MARK --set-mark {mark}" for mark in ("0x100000000", "-1", "1/", "/1", "x", "08", "1/0x100000000")),
        "MARK --and-mark 1/2",
        "MARK --set-mark 1 --set-mark 2",
        "MARK --set-mark 1 --or-mark 2",
        "MARK ! --set-mark 1",
        "MARK --set 1",
        "CONNMARK",
        "CONNMARK --mask 1",
        "CONNMARK --left-shift-mark 3",
        "CONNMARK --save-mark --restore-mark",
        "CONNMARK --set-mark 1 --save-mark",
        "CONNMARK --set-xmark 1 --set-mark 1",
        "CONNMARK --save-mark --mask 1 --nfmask 1",
        "CONNMARK --save-mark --ctmask 1 --mask 1",
        "CONNMARK --save-mark --mask 0x100000000",
        "CONNMARK --save-mark --left-shift-mark 32",
        "CONNMARK --save-mark --left-shift-mark 1 --right-shift-mark 1",
    ],
)
def test_refused(rule: str) -> None:
    assert refusals(f"-j {rule}")


HASHED = "--hmark-rnd 4 --hmark-mod 10"


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--hmark-tuple src,dst", "--hmark-src-prefix {} --hmark-dst-prefix {}"),
        ("--hmark-src-prefix 24", "--hmark-src-prefix 24"),
        ("--hmark-tuple sport,dport", "--hmark-sport-mask 0xffff --hmark-dport-mask 0xffff"),
        ("--hmark-tuple spi", "--hmark-spi-mask 0xffffffff"),
        ("--hmark-tuple proto", "--hmark-proto-mask 0xffff"),
        ("--hmark-proto-mask 5", "--hmark-proto-mask 0x05"),
        ("--hmark-tuple sport --hmark-sport 5", "--hmark-sport-mask 0xffff --hmark-sport 0x0005"),
        ("--hmark-spi 80 --hmark-spi-mask 0xff", "--hmark-spi-mask 0x000000ff --hmark-spi 0x00000050"),
    ],
)
def test_hmark(given: str, canonical: str) -> None:
    for family, width in ((4, 32), (6, 128)):
        expected = f"-j HMARK {canonical.replace('{}', str(width))} --hmark-rnd 0x00000004 --hmark-mod 10"
        assert printed(f"-j HMARK {given} {HASHED}", family) == expected
        assert printed(expected, family) == expected


def test_hmark_over_the_connection() -> None:
    rule = f"-j HMARK --hmark-offset 7 --hmark-tuple ct {HASHED}"
    assert printed(rule) == "-j HMARK --hmark-rnd 0x00000004 --hmark-mod 10 --hmark-offset 7 --hmark-tuple ct"
    assert effects(rule) == (Mutate("mark", "7-16 by a hash", (MARK,)),)
    assert printed(f"-j HMARK --hmark-src-prefix 255.255.0.0 {HASHED}").startswith("-j HMARK --hmark-src-prefix 16 ")


@pytest.mark.parametrize(
    "options",
    [
        "",
        "--hmark-tuple src --hmark-rnd 4",
        "--hmark-tuple src --hmark-mod 4",
        "--hmark-tuple src --hmark-rnd 4 --hmark-mod 0",
        HASHED,
        f"--hmark-offset 4 {HASHED}",
        f"--hmark-tuple foo {HASHED}",
        f"--hmark-tuple ct, {HASHED}",
        f"--hmark-tuple spi,sport {HASHED}",
        f"--hmark-sport-mask 1 --hmark-spi-mask 4 {HASHED}",
        f"--hmark-spi 1 --hmark-dport 1 {HASHED}",
        f"--hmark-tuple src --hmark-src-prefix 16 {HASHED}",
        f"--hmark-src-prefix 33 {HASHED}",
        f"--hmark-sport-mask 0x10000 {HASHED}",
        f"--hmark-proto-mask 0x10000 {HASHED}",
        f"--hmark-sport http {HASHED}",
    ],
)
def test_hmark_refused(options: str) -> None:
    assert refusals(f"-j HMARK {options}")
