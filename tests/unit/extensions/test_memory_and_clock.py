"""-m recent, set, time: lists that rules or others keep, and the clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from reading import predicate, printed, refusals

from policyc import api
from policyc.netfilter import fields
from policyc.netfilter.counters import Clock, RecentList
from policyc.netfilter.effect import Record
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.predicate import All, Always, Ask, May, Never, Not

ALL_OF_4 = "--mask 255.255.255.255"
ALL_OF_6 = "--mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"


@pytest.mark.parametrize(
    ("given", "head", "tail"),
    [
        ("--set", "--set --name DEFAULT", "--rsource"),
        ("! --rcheck --hitcount 0", "! --rcheck --name DEFAULT", "--rsource"),
        ("--rdest --rttl --hitcount 4 --reap --name foo --seconds 0x3c --update",
         "--update --seconds 60 --reap --hitcount 4 --rttl --name foo", "--rdest"),
        ('--remove --name "a b"', '--remove --name "a b"', "--rsource"),
    ],
)  # fmt: skip
def test_recent_printed(given: str, head: str, tail: str) -> None:
    assert printed(f"-m recent {given}") == f"-m recent {head} {ALL_OF_4} {tail}"
    assert printed(f"-m recent {given}", 6) == f"-m recent {head} {ALL_OF_6} {tail}"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "--name foo",
        "--set --rcheck",
        "--set --set",
        "--set --seconds 5",
        "--set --hitcount 5",
        "--set --rttl",
        "--remove --seconds 5",
        "--rcheck --reap",
        "--rcheck --seconds 0",
        "--rcheck --seconds 4294967296",
        "--rcheck --hitcount 65536",
        "--rcheck ! --rttl",
        "--set --rsource --rdest",
        '--set --name ""',
        "--set --name a/b",
        "--set --name ..",
        f"--set --name {'x' * 200}",
        "--set --mask 24",
        "--set --mask ffff::",
    ],
)
def test_recent_refused(given: str) -> None:
    assert refusals(f"-m recent {given}")


def test_setting_always_matches_and_records() -> None:
    assert predicate("-m recent --set") == Always()
    assert predicate("-m recent ! --set") == Never()
    for mark in ("", "! "):
        text = f"*filter\n:INPUT ACCEPT\n-A INPUT -m recent {mark}--set --mask 255.255.255.0 --rdest\nCOMMIT\n"
        ((_, _, _, found),) = api.load(text, family=4).rules()
        (match,) = found.matches
        (effect,) = match.extension.side_effects(match.options, Surroundings(4))
        assert effect == Record(RecentList("DEFAULT", "set", fields.DST, 0xFFFFFF00))


def test_checking_counts() -> None:
    found = predicate("-m recent --update --seconds 60 --reap --hitcount 4 --rttl --name foo")
    assert isinstance(found, May)
    assert found.counter == RecentList(
        "foo", "update", fields.SRC, 0xFFFFFFFF, seconds=60, hits=4, same_ttl=True, reap=True
    )
    negated = predicate("-m recent ! --remove", 6)
    assert isinstance(negated, Not)
    assert isinstance(negated.part, May)


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--match-set x dst,src,dst", "--match-set x dst,src,dst"),
        ("! --match-set x src --update-counters --update-subcounters", "! --match-set x src"),
        ("--set x src,src,src,src,src,src", "--match-set x src,src,src,src,src,src"),
        ("--match-set ! x src", "! --match-set x src"),
        ('--match-set "a b" src', '--match-set "a b" src'),
        (
            "--bytes-lt 5 ! --packets-eq 0x10 ! --update-subcounters ! --update-counters --return-nomatch --match-set x src",
            "--match-set x src --return-nomatch ! --update-counters ! --update-subcounters ! --packets-eq 16 --bytes-lt 5",
        ),
    ],
)
def test_sets_printed(given: str, canonical: str) -> None:
    assert printed(f"-m set {given}") == printed(f"-m set {given}", 6) == f"-m set {canonical}"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "--match-set x",
        "--match-set x SRC",
        "--match-set x src,",
        "--match-set x src,src,src,src,src,src,src",
        "--match-set abcdefghijklmnopqrstuvwxyz123456 src",
        "--match-set x src --match-set x dst",
        "--match-set x src ! --return-nomatch",
        "--match-set x src --bytes-gt 5 --bytes-lt 10",
        "--match-set x src ! --packets-lt 5",
        "--match-set x src --packets-eq 18446744073709551616",
        "--return-nomatch",
    ],
)
def test_sets_refused(given: str) -> None:
    assert refusals(f"-m set {given}")


def test_sets_are_asked_for() -> None:
    found = predicate("-m set ! --match-set x src --return-nomatch")
    assert isinstance(found, Not)
    assert isinstance(found.part, Ask)
    assert (found.part.kind, found.part.subject) == ("set", ("x", "src", "return-nomatch"))
    assert fields.SRC in found.part.reads
    assert fields.DST not in found.part.reads
    counted = predicate("-m set --match-set x src,dst --packets-gt 5")
    assert isinstance(counted, All)
    ask, may = counted.parts
    assert isinstance(ask, Ask)
    assert {fields.SRC, fields.DST, fields.DPORT} <= set(ask.reads)
    assert isinstance(may, May)


END = "--datestop 2038-01-19T03:14:07"  # iptables 1.8.9 gives this end to every rule that has none


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("", END),
        ("--timestart 10:00", f"--timestart 10:00:00 --timestop 23:59:59 {END}"),
        ("--timestop 1:2:3", f"--timestart 00:00:00 --timestop 01:02:03 {END}"),
        ("--timestop 23:59:59 --timestart 0:0", END),
        ("--contiguous --timestart 23:00 --timestop 01:00", f"--timestart 23:00:00 --timestop 01:00:00 {END} --contiguous"),
        ("--weekdays Su,Monday,3", f"--weekdays Mon,Wed,Sun {END}"),
        ("! --weekdays Mon", f"--weekdays Tue,Wed,Thu,Fri,Sat,Sun {END}"),
        ("--weekdays 1,2,3,4,5,6,7", END),
        ("--weekdays Mon --monthdays 31,2", f"--monthdays 2,31 --weekdays Mon {END}"),
        ("! --monthdays 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29", f"--monthdays 30,31 {END}"),
        ("--datestart 2020", f"--datestart 2020-01-01T00:00:00 {END}"),
        ("--datestart 1970 --datestop 2020-5-1T10:11", "--datestop 2020-05-01T10:11:00"),
        ("--datestop 2038-12-31T23:59:59", "--datestop 2038-12-31T23:59:59"),
        ("--localtz", f"{END} --kerneltz"),
        ("--utc", END),
    ],
)  # fmt: skip
def test_times_printed(given: str, canonical: str) -> None:
    assert printed(f"-m time {given}") == printed(f"-m time {given}", 6) == f"-m time {canonical}"


@pytest.mark.parametrize(
    "given",
    [
        "--timestart 24:00",
        "--timestart 10:60",
        "--timestart 01",
        "--timestart 1:2:3:4",
        "! --timestart 10:00",
        "--timestart 10:00 --timestart 11:00",
        "--contiguous",
        "--timestart 01:00 --timestop 23:00 --contiguous",
        "--weekdays mon",
        "--weekdays 0",
        "--weekdays 8",
        "--weekdays M",
        "! --weekdays 1,2,3,4,5,6,7",
        "--monthdays 0",
        "--monthdays 32",
        "--monthdays 1-5",
        "--datestart 1969",
        "--datestop 2039",
        "--datestart 2020-02-31",
        "--datestart 2020-01-01T10:11:12Z",
        "--utc --kerneltz",
    ],
)
def test_times_refused(given: str) -> None:
    assert refusals(f"-m time {given}")


def test_times_mean_a_window_of_the_clock() -> None:
    found = predicate("-m time --timestart 22:00 --timestop 06:00 --weekdays Sat --datestart 2030-01-01 --kerneltz")
    assert isinstance(found, May)
    assert found.counter == Clock(
        month_days=frozenset(range(1, 32)),
        week_days=frozenset((6,)),
        day_start=22 * 3600,
        day_stop=6 * 3600,
        date_start=int(datetime(2030, 1, 1, tzinfo=UTC).timestamp()),
        date_stop=2**31 - 1,
        contiguous=False,
        local=True,
    )
