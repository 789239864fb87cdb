"""-m limit, hashlimit, quota, rateest, nfacct, statistic: how much and how often."""

from __future__ import annotations

import pytest
from reading import predicate, printed, refusals

from policyc.netfilter import fields
from policyc.netfilter.counters import Nth, Quota, TokenBucket
from policyc.netfilter.predicate import Always, May, Never, Not, Predicate


def may(found: Predicate) -> May:
    """The predicate, which is one nondeterministic node."""
    assert isinstance(found, May)
    return found


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("", "3/hour"),
        ("--limit 5", "5/sec"),
        ("--limit 5/S", "5/sec"),
        ("--limit 5/mi", "5/min"),
        ("--limit 3/hour --limit-burst 5", "3/hour"),
        ("--limit-burst 0x10 --limit 5/d", "5/day --limit-burst 16"),
        ("--limit 60/minute", "1/sec"),
        ("--limit 90/min", "90/min"),
        ("--limit 24/day", "1/hour"),
        ("--limit 25/day", "25/day"),
        ("--limit 864000/day", "10/sec"),
        ("--limit 7/sec", "7/sec"),
        ("--limit 6000/sec", "10000/sec"),
        ("--limit 3333/sec", "3333/sec"),
    ],
)
def test_limits_printed(given: str, canonical: str) -> None:
    assert printed(f"-m limit {given}") == printed(f"-m limit {given}", 6) == f"-m limit --limit {canonical}"


@pytest.mark.parametrize(
    "given",
    [
        "--limit 0/s",
        "--limit 5/",
        "--limit 5/x",
        "--limit 5/seconds",
        "--limit 5min",
        "--limit 10001/sec",
        "--limit 600001/min",
        "--limit -1/s",
        "--limit 5/s --limit 6/s",
        "! --limit 5/s",
        "--limit-burst 0",
        "--limit-burst 10001",
    ],
)
def test_limits_refused(given: str) -> None:
    assert refusals(f"-m limit {given}")


def test_limits_mean_a_full_bucket() -> None:
    assert may(predicate("-m limit")).counter == TokenBucket(1, 1_200_000_000, 5)
    assert may(predicate("-m limit --limit 10/sec --limit-burst 7")).counter == TokenBucket(1, 100_000, 7)
    assert predicate("-m limit --limit 60/min") == predicate("-m limit --limit 1/sec")


HASH = "-m hashlimit --hashlimit-name a"


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--hashlimit 5/min", "--hashlimit-upto 5/min --hashlimit-burst 5 --hashlimit-name a"),
        ("! --hashlimit-upto 5", "--hashlimit-above 5/sec --hashlimit-burst 5 --hashlimit-name a"),
        ("! --hashlimit-above 5/d --hashlimit-burst 9", "--hashlimit-upto 5/day --hashlimit-burst 9 --hashlimit-name a"),
        ("--hashlimit-upto 300000/sec", "--hashlimit-upto 333333/sec --hashlimit-burst 5 --hashlimit-name a"),
        (
            "--hashlimit-mode dstport,srcip,dstip,srcport --hashlimit-above 1/hour --hashlimit-htable-expire 3600000",
            "--hashlimit-above 1/hour --hashlimit-burst 5 --hashlimit-mode srcip,srcport,dstip,dstport --hashlimit-name a",
        ),
        (
            ("--hashlimit-dstmask 9 --hashlimit-srcmask 8 --hashlimit-htable-expire 50 --hashlimit-htable-gcinterval 40"
            " --hashlimit-htable-max 30 --hashlimit-htable-size 20 --hashlimit-upto 5/sec"),
            ("--hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-name a --hashlimit-htable-size 20"
            " --hashlimit-htable-max 30 --hashlimit-htable-gcinterval 40 --hashlimit-htable-expire 50"
            " --hashlimit-srcmask 8 --hashlimit-dstmask 9"),
        ),
        (
            "--hashlimit-upto 5/s --hashlimit-htable-gcinterval 1000 --hashlimit-htable-max 0 --hashlimit-htable-size 0",
            "--hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-name a",
        ),
        # the lifetime of an entry follows the unit that was written
        (
            "--hashlimit-upto 60/min",
            "--hashlimit-upto 1/sec --hashlimit-burst 5 --hashlimit-name a --hashlimit-htable-expire 60000",
        ),
        (
            "--hashlimit-upto 90/min --hashlimit-rate-match",
            ("--hashlimit-upto 90/sec --hashlimit-burst 5 --hashlimit-name a --hashlimit-htable-expire 60000"
            " --hashlimit-rate-match --hashlimit-rate-interval 60"),
        ),
        (
            "--hashlimit-upto 5/min --hashlimit-rate-match --hashlimit-rate-interval 10 --hashlimit-htable-expire 1000",
            ("--hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-name a"
            " --hashlimit-rate-match --hashlimit-rate-interval 10"),
        ),
        (
            "--hashlimit-upto 5/sec --hashlimit-rate-match --hashlimit-rate-interval 1",
            "--hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-name a --hashlimit-rate-match",
        ),
        ("--hashlimit-upto 1024b/s", "--hashlimit-upto 1kb/s --hashlimit-name a"),
        ("--hashlimit-upto 1025b/sec", "--hashlimit-upto 1kb/s --hashlimit-name a"),
        ("--hashlimit-upto 1536kb/s", "--hashlimit-upto 1536kb/s --hashlimit-name a"),
        ("--hashlimit-upto 31b/s", "--hashlimit-upto 16b/s --hashlimit-name a"),
        ("--hashlimit-upto 4096mb/s", "--hashlimit-upto 4581298432b/s --hashlimit-name a"),
        ("--hashlimit-upto 1mb/s --hashlimit-htable-expire 15000", "--hashlimit-upto 1mb/s --hashlimit-name a"),
        (
            "--hashlimit-upto 1mb/s --hashlimit-burst 2mb --hashlimit-htable-expire 15000",
            "--hashlimit-upto 1mb/s --hashlimit-burst 2mb --hashlimit-name a --hashlimit-htable-expire 15000",
        ),
        ("--hashlimit-upto 4kb/s --hashlimit-burst 400000", "--hashlimit-upto 4kb/s --hashlimit-burst 392kb --hashlimit-name a"),
        ("--hashlimit-upto 512kb/s --hashlimit-burst 513kb", "--hashlimit-upto 512kb/s --hashlimit-burst 1mb --hashlimit-name a"),
    ],
)  # fmt: skip
def test_hash_limits_printed(given: str, canonical: str) -> None:
    assert printed(f"{HASH} {given}") == printed(f"{HASH} {given}", 6) == f"-m hashlimit {canonical}"


def test_a_whole_address_needs_no_mask() -> None:
    rule = f"{HASH} --hashlimit-upto 1/sec --hashlimit-srcmask 32 --hashlimit-dstmask 255.255.255.255"
    assert printed(rule) == "-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 5 --hashlimit-name a"
    rule = f"{HASH} --hashlimit-upto 1/sec --hashlimit-srcmask 32 --hashlimit-dstmask 128"
    assert printed(rule, 6).endswith("--hashlimit-name a --hashlimit-srcmask 32")


def test_a_burst_is_printed_so_that_it_loads_again() -> None:
    for burst, text in [("1536kb", "1536kb"), ("1500kb", "1536kb"), ("1mb", "1mb"), ("4095mb", "4095mb")]:
        whole = printed(f"{HASH} --hashlimit-upto 512kb/s --hashlimit-burst {burst}")
        assert whole == f"-m hashlimit --hashlimit-upto 512kb/s --hashlimit-burst {text} --hashlimit-name a"
        assert printed(whole) == whole


@pytest.mark.parametrize(
    "given",
    [
        "",
        "--hashlimit-upto 5/s --hashlimit-above 5/s",
        "--hashlimit-upto 0/sec",
        "--hashlimit-upto 1000001/sec",
        "--hashlimit-upto 5/x",
        "--hashlimit-upto 15b/s",
        "--hashlimit-upto 40000mb/s",
        "--hashlimit-upto 1gb/s",
        "--hashlimit-upto 512KB/s",
        "--hashlimit-upto 512kb/S",
        "--hashlimit-upto 512kb/min",
        "--hashlimit-upto 512kb",
        "--hashlimit-upto 512kb/s --hashlimit-burst 10",
        "--hashlimit-upto 512kb/s --hashlimit-burst 5000mb",
        "--hashlimit-upto 5/s --hashlimit-burst 0",
        "--hashlimit-upto 5/s --hashlimit-burst 1000001",
        "--hashlimit-upto 5/s --hashlimit-burst 5kb",
        "--hashlimit-upto 5/s ! --hashlimit-burst 5",
        "--hashlimit-upto 1/day",
        "--hashlimit-upto 3/day --hashlimit-burst 10",
        "--hashlimit-upto 10000000/min --hashlimit-rate-match",
        "--hashlimit-upto 5/s --hashlimit-rate-match --hashlimit-rate-interval 0",
        "--hashlimit-upto 5/s --hashlimit-rate-interval 10",
        "--hashlimit-upto 5/s --hashlimit-mode SRCIP",
        "--hashlimit-upto 5/s --hashlimit-srcmask 33",
        "--hashlimit-upto 5/s --hashlimit-htable-expire 0",
        "--hashlimit-upto 5/s --hashlimit-htable-gcinterval 0",
        "--hashlimit-upto 5/s --hashlimit-name b",
    ],
)
def test_hash_limits_refused(given: str) -> None:
    assert refusals(f"{HASH} {given}")


@pytest.mark.parametrize("name", ["a/b", ".", "..", '""', "x" * 256])
def test_the_name_of_a_table_is_that_of_a_file(name: str) -> None:
    assert refusals(f"-m hashlimit --hashlimit-upto 1/sec --hashlimit-name {name}")


def test_hash_limits_mean_a_bucket_for_each() -> None:
    rule = f"{HASH} --hashlimit-above 10/sec --hashlimit-mode srcip,dstport --hashlimit-srcmask 24"
    per = ((fields.SRC, 24), (fields.DPORT, 16))
    assert may(predicate(rule)).counter == TokenBucket(1, 100_000, 5, per, "a", above=True)
    rule = f"{HASH} --hashlimit-upto 1mb/s --hashlimit-burst 2mb --hashlimit-mode dstip"
    size = 3 * 2**20  # one second of the rate, and the burst
    assert may(predicate(rule, 6)).counter == TokenBucket(
        2**20, 1_000_000, size, ((fields.DST, 128),), "a", in_bytes=True
    )
    assert may(predicate(f"{HASH} --hashlimit-upto 5/sec --hashlimit-rate-match")).counter is None


def test_quotas() -> None:
    assert printed("-m quota --quota 0x10") == "-m quota --quota 16"
    assert printed("-m quota ! --quota 18446744073709551615", 6) == "-m quota ! --quota 18446744073709551615"
    for wrong in ("", "--quota 18446744073709551616", "--quota -1", "--quota 1 --quota 2"):
        assert refusals(f"-m quota {wrong}")
    assert may(predicate("-m quota --quota 10")).counter == Quota(10)
    found = predicate("-m quota ! --quota 10")
    assert isinstance(found, Not)
    assert may(found.part).counter == Quota(10)


def test_accounts() -> None:
    assert printed('-m nfacct --nfacct-name "x y"') == '-m nfacct --nfacct-name "x y"'
    for wrong in ("", '--nfacct-name ""', f"--nfacct-name {'x' * 32}", "! --nfacct-name x"):
        assert refusals(f"-m nfacct {wrong}")
    assert may(predicate("-m nfacct --nfacct-name x")).counter is None


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--rateest R --rateest-gt --rateest-bps 5kbit", "--rateest R --rateest-gt --rateest-bps 5000bit"),
        ("--rateest R ! --rateest-lt --rateest-bps 5MBps", "--rateest R ! --rateest-lt --rateest-bps 40000Kbit"),
        ("--rateest-bps 2gbit --rateest R --rateest-eq", "--rateest R --rateest-eq --rateest-bps 2000Mbit"),
        ("--rateest R --rateest-gt --rateest-bps 2.5mibit", "--rateest R --rateest-gt --rateest-bps 2621440bit"),
        ("--rateest R --rateest-gt --rateest-bps 9", "--rateest R --rateest-gt --rateest-bps 8bit"),
        ("--rateest R --rateest-gt --rateest-pps 0x10", "--rateest R --rateest-gt --rateest-pps 16"),
        (
            "--rateest R --rateest-delta --rateest-lt --rateest-bps2 16bit",
            "--rateest-delta --rateest R --rateest-bps1 0bit --rateest-lt --rateest-bps2 16bit",
        ),
        ("--rateest2 S --rateest-bps ! --rateest-lt --rateest R", "--rateest1 R ! --rateest-lt --rateest-bps --rateest2 S"),
        ("--rateest1 R --rateest-pps --rateest-gt --rateest2 S", "--rateest1 R --rateest-gt --rateest-pps --rateest2 S"),
        (
            "--rateest-delta --rateest1 R --rateest-pps1 1 --rateest-eq --rateest2 S",
            "--rateest-delta --rateest1 R --rateest-pps1 1 --rateest-eq --rateest-pps2 0 --rateest2 S",
        ),
    ],
)  # fmt: skip
def test_estimates_printed(given: str, canonical: str) -> None:
    assert printed(f"-m rateest {given}") == printed(f"-m rateest {given}", 6) == f"-m rateest {canonical}"
    assert may(predicate(f"-m rateest {given}")).key == f"-m rateest {canonical}"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "--rateest R --rateest-gt",
        "--rateest R --rateest-bps 5",
        "--rateest-gt --rateest-bps 5",
        "--rateest R --rateest-gt --rateest-lt --rateest-bps 5",
        "--rateest R --rateest-gt --rateest-bps",
        "--rateest R --rateest-gt --rateest-bps 5foo",
        "--rateest R --rateest-gt --rateest-bps 1tbit",
        "--rateest R --rateest-gt --rateest-bps 5 --rateest-pps 6",
        "--rateest R --rateest-gt --rateest-pps 5000000000",
        "--rateest1 R --rateest-gt --rateest-bps 5",
        "--rateest R --rateest1 S --rateest-gt --rateest-bps 5",
        "--rateest1 R --rateest2 S --rateest-gt --rateest-bps 5",
        "--rateest1 R --rateest2 S --rateest-gt --rateest-bps1 5",
        "--rateest R --rateest-delta --rateest-gt --rateest-bps 5",
        "! --rateest R --rateest-gt --rateest-bps 5",
        "--rateest 0123456789abcdef --rateest-gt --rateest-bps 5",
    ],
)
def test_estimates_refused(given: str) -> None:
    assert refusals(f"-m rateest {given}")


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--mode random --probability .1", "--mode random --probability 0.10000000009"),
        ("--probability 1e-3 --mode random", "--mode random --probability 0.00100000016"),
        ("--mode random ! --probability 0.33332999982", "--mode random ! --probability 0.33332999982"),
        ("--mode random --probability 1", "--mode random --probability 1.00000000000"),
        ("--packet 1 ! --every 0x3 --mode nth", "--mode nth ! --every 3 --packet 1"),
    ],
)
def test_samples_printed(given: str, canonical: str) -> None:
    assert printed(f"-m statistic {given}") == printed(f"-m statistic {given}", 6) == f"-m statistic {canonical}"
    assert printed(f"-m statistic {canonical}") == f"-m statistic {canonical}"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "--probability 0.5",
        "--mode random",
        "--mode nth",
        "--mode foo --probability 0.5",
        "--mode random --probability 1.1",
        "--mode random --probability -0.1",
        "--mode random --probability nan",
        "--mode random --every 3 --packet 1",
        "--mode nth --every 3",
        "--mode nth --packet 1",
        "--mode nth --every 3 --packet 3",
        "--mode nth --every 0 --packet 0",
        "--mode nth --every 4294967296 --packet 0",
    ],
)
def test_samples_refused(given: str) -> None:
    assert refusals(f"-m statistic {given}")


def test_samples_mean() -> None:
    assert may(predicate("-m statistic --mode nth --every 3 --packet 1")).counter == Nth(3, 1)
    assert predicate("-m statistic --mode nth --every 1 --packet 0") == Always()
    assert predicate("-m statistic --mode random --probability 1") == Always()
    assert predicate("-m statistic --mode random ! --probability 1") == Never()
    assert predicate("-m statistic --mode random --probability 0.0") == Never()
    assert may(predicate("-m statistic --mode random --probability 0.5")).counter is None
