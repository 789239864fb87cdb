"""-m conntrack, state: the state of a connection and its entry, with and without an entry."""

from __future__ import annotations

import pytest
from reading import matches, printed, refusals

NO_ENTRY = ("none", "INVALID", "UNTRACKED")
ENTRY = ("NEW", "ESTABLISHED", "RELATED")


def states(rule: str, **more: object) -> set[str]:
    """The states in which a packet with these further fields matches."""
    return {state for state in (*NO_ENTRY, *ENTRY) if matches(rule, {"ct.state": state, **more})}


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--ctstate RELATED,established", "--ctstate RELATED,ESTABLISHED"),
        (
            "--ctstate DNAT,SNAT,UNTRACKED,ESTAB,REL,N,INV",
            "--ctstate INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED,SNAT,DNAT",
        ),
        ("! --ctstate NEW,NEW", "! --ctstate NEW"),
        ("--ctdir reply --ctstate NEW --ctproto tcp", "--ctstate NEW --ctproto 6 --ctdir REPLY"),
        ("! --ctproto 0x11", "! --ctproto 17"),
        ("--ctorigdstport : --ctorigsrcport http:8080", "--ctorigsrcport 80:8080 --ctorigdstport 0:65535"),
        ("! --ctrepldstport 4:4 --ctreplsrcport :4", "--ctreplsrcport 0:4 ! --ctrepldstport 4"),
        ("--ctstatus NONE", "--ctstatus NONE"),
        ("! --ctstatus CONF,NONE,expected", "! --ctstatus EXPECTED,CONFIRMED"),
        ("--ctexpire 10: --ctstatus ASSURED,SEEN_REPLY", "--ctstatus SEEN_REPLY,ASSURED --ctexpire 10:4294967295"),
        ("! --ctexpire 3:3", "! --ctexpire 3"),
    ],
)
def test_printed(given: str, canonical: str) -> None:
    assert printed(f"-m conntrack {given}", 4) == printed(f"-m conntrack {given}", 6) == f"-m conntrack {canonical}"


@pytest.mark.parametrize(
    ("given", "canonical", "family"),
    [
        ("--ctorigsrc 1.1.1.7/255.255.255.0", "--ctorigsrc 1.1.1.7/24", 4),
        ("! --ctrepldst 10.0.0.0/8 --ctorigdst 1.2.3.4/32", "--ctorigdst 1.2.3.4 ! --ctrepldst 10.0.0.0/8", 4),
        ("--ctorigsrc ::/0 ! --ctreplsrc 2001:db8::1/128", "--ctorigsrc ::/0 ! --ctreplsrc 2001:db8::1", 6),
    ],
)
def test_addresses_printed(given: str, canonical: str, family: int) -> None:
    assert printed(f"-m conntrack {given}", family) == f"-m conntrack {canonical}"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "--ctstate wrong",
        "--ctstate NEW,",
        '--ctstate ""',
        "--ctstate NEW --ctstate RELATED",
        "--ctstatus SNAT",
        "--ctproto 0",
        "! --ctproto all",
        "--ctproto 256",
        "--ctorigsrc 2001:db8::1",
        "--ctorigsrc 1.1.1.1,2.2.2.2",
        "--ctorigsrc example.org",
        "--ctorigsrc 10.0.0.1/255.0.0.255",
        "--ctorigsrcport 65536",
        "--ctorigsrcport 4:3",
        "--ctexpire 4:3",
        "--ctexpire 4294967296",
        "--ctexpire -1",
        "! --ctdir REPLY",
        "--ctdir orig",
    ],
)
def test_refused(given: str) -> None:
    assert refusals(f"-m conntrack {given}")


def test_a_packet_that_conntrack_has_not_seen_is_invalid() -> None:
    assert states("-m conntrack --ctstate INVALID") == {"none", "INVALID"}
    assert states("-m conntrack ! --ctstate INVALID") == {"UNTRACKED", *ENTRY}
    assert states("-m conntrack --ctstate NEW,UNTRACKED") == {"NEW", "UNTRACKED"}
    assert states("-m conntrack ! --ctstate NEW,ESTABLISHED") == {*NO_ENTRY, "RELATED"}


def test_without_an_entry_the_state_alone_counts() -> None:
    rule = "-m conntrack --ctstate INVALID,NEW --ctorigsrc 1.1.1.1"
    assert states(rule) == {"none", "INVALID"}
    assert states(rule, **{"ct.orig.src": 0x01010101}) == {"none", "INVALID", "NEW"}
    assert states("-m conntrack --ctstate UNTRACKED --ctdir REPLY") == {"UNTRACKED"}
    assert states("-m conntrack ! --ctstate NEW --ctdir REPLY", **{"ct.dir": "REPLY"}) == {
        *NO_ENTRY, "ESTABLISHED", "RELATED",
    }  # fmt: skip


@pytest.mark.parametrize(
    "test", ["--ctdir ORIGINAL", "! --ctorigsrc 1.1.1.1", "! --ctstatus ASSURED", "! --ctexpire 5", "! --ctproto 6"]
)
def test_without_an_entry_and_a_state_nothing_matches(test: str) -> None:
    fields = {"ct.dir": "ORIGINAL", "ct.status": 0, "ct.expire": 1, "ct.proto": 17, "ct.orig.src": 2}
    assert states(f"-m conntrack {test}", **fields) == set(ENTRY)


def test_translated_is_a_state_of_entries() -> None:
    rule = "-m conntrack --ctstate INVALID,NEW,DNAT"
    assert states(rule, **{"ct.status": 0}) == {"none", "INVALID", "NEW"}
    assert states(rule, **{"ct.status": 32}) == {"none", "INVALID", *ENTRY}
    assert states("-m conntrack ! --ctstate SNAT", **{"ct.status": 16}) == set(NO_ENTRY)
    assert states("-m conntrack ! --ctstate SNAT", **{"ct.status": 32}) == {*NO_ENTRY, *ENTRY}
    assert states("-m conntrack --ctstate DNAT --ctdir REPLY", **{"ct.status": 32, "ct.dir": "ORIGINAL"}) == set()


def test_statuses_are_alternatives_and_none_is_never() -> None:
    rule = "-m conntrack --ctstatus EXPECTED,ASSURED"
    assert states(rule, **{"ct.status": 4 | 8}) == set(ENTRY)
    assert states(rule, **{"ct.status": 2 | 8}) == set()
    assert states("-m conntrack --ctstatus NONE", **{"ct.status": 0}) == set()
    assert states("-m conntrack ! --ctstatus NONE", **{"ct.status": 0}) == set(ENTRY)


def test_addresses_and_ports_of_the_entry() -> None:
    packet = {"ct.orig.src": 0x0A000105, "ct.orig.dport": 80, "ct.reply.sport": 8080, "ct.expire": 9}
    assert states("-m conntrack --ctorigsrc 10.0.0.9/16 --ctorigdstport 80 --ctexpire :9", **packet) == set(ENTRY)
    assert states("-m conntrack --ctorigdstport 80 ! --ctreplsrcport 8080", **packet) == set()


def test_state() -> None:
    for family in (4, 6):
        assert printed("-m state --state NEW,RELATED,EST,INVALID,untracked", family) == (
            "-m state --state INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED"
        )
        assert printed("-m state ! --state new", family) == "-m state ! --state NEW"
    assert states("-m state --state INVALID,NEW") == {"none", "INVALID", "NEW"}
    assert states("-m state ! --state INVALID,NEW") == {"UNTRACKED", "ESTABLISHED", "RELATED"}
    for wrong in ("", "--state SNAT", "--state NEW --state RELATED", "--ctstate NEW", '--state ""'):
        assert refusals(f"-m state {wrong}")
