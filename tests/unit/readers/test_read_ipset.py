"""ipset dumps: what `ipset save` prints is read, and every bad line is told at its place."""

from __future__ import annotations

import pytest

from policyc.diagnostics import InputError
from policyc.host.set_values import Entry
from policyc.net.addresses import parse_address
from policyc.readers.ipset import read_ipsets
from policyc.source import Source

SAVED = """\
create b hash:net,iface family inet hashsize 1024 maxelem 65536 timeout 100 counters comment bucketsize 12 initval 0x0a3cdefd
add b 10.0.0.0/8,eth timeout 99 wildcard packets 0 bytes 0 comment "a \\"b"
add b 10.1.0.0/16,physdev:eth2 timeout 0 nomatch packets 0 bytes 0
create c bitmap:ip range 10.0.0.0-10.0.255.255 netmask 24
add c 10.0.3.0
create i hash:ip family inet hashsize 1024 maxelem 65536 skbinfo bucketsize 12 initval 0x52a002e7
add i 1.1.1.1 skbmark 0x1/0xff skbprio 1:2 skbqueue 3
create l list:set size 8
add l b
add l i before b
"""


def test_what_ipset_prints_is_read() -> None:
    found = read_ipsets(Source("sets", SAVED))
    network = parse_address("10.0.0.0", 4)
    assert found["b"].entries[(network, 8), "eth"] == Entry(timeout=99, wildcard=True)
    assert found["b"].entries[(network + (1 << 16), 16), "physdev:eth2"] == Entry(nomatch=True)
    assert list(found["c"].entries) == [(parse_address("10.0.3.0", 4),)]
    assert list(found["l"].entries) == [("i",), ("b",)]


def test_ranges_are_written_out() -> None:
    text = "create n hash:net\nadd n 10.0.0.1-10.0.0.6\ncreate p hash:ip,port\nadd p 10.0.0.0/30,udp:53-54\n"
    found = read_ipsets(Source("sets", text))
    start = parse_address("10.0.0.0", 4)
    assert [(address - start, prefix) for (address, prefix) in (key[0] for key in found["n"].entries)] == [
        (1, 32), (2, 31), (4, 31), (6, 32)]  # fmt: skip
    assert len(found["p"].entries) == 8


def test_commands_of_a_restore_file() -> None:
    text = "# comment\ncreate s hash:ip -exist\nadd s 10.0.0.1\nadd s 10.0.0.2\ndel s 10.0.0.1\ncreate t hash:ip\nadd t 1.1.1.1\nflush t\n"
    found = read_ipsets(Source("sets", text))
    assert [len(found[name].entries) for name in "st"] == [1, 0]


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("create s hash:nothing", "`hash:nothing` is no kind of set that policyc knows", "hash:nothing"),
        ("create s hash:ip family ipx", "`ipx` is neither `inet` nor `inet6`", "ipx"),
        ("create s hash:ip range 1-2", "`range` is no option of hash:ip", "range"),
        ("create s bitmap:port", "`bitmap:port` needs a `range`", "bitmap:port"),
        ("create s hash:ip\nadd s 10.0.0.999", "`999` in `10.0.0.999` is over 255, the largest number in an IPv4 address", "10.0.0.999"),
        ("create s hash:ip\nadd s ::1", "`::1` looks like an IPv6 address where an IPv4 address is expected", "::1"),
        ("create s hash:ip,port\nadd s 10.0.0.1", "`10.0.0.1` has 1 parts; a member of hash:ip,port has 2", "10.0.0.1"),
        ("create s hash:net\nadd s 0.0.0.0/0", "`0.0.0.0/0`: hash:net takes no prefix of length 0; use two of length 1", "0.0.0.0/0"),
        ("create s hash:ip\nadd s 1.1.1.1 nomatch", "`nomatch` is no option of a member of hash:ip", "nomatch"),
        ("create s hash:ip\nadd s 1.1.1.1 timeout 5", "the set `s` was created without timeouts", "timeout"),
        ("create s hash:ip\nadd s", "the member is missing", "s"),
        ("create s hash:ip maxelem 2\nadd s 10.0.0.0/24", "`10.0.0.0/24` stands for 256 members; the set takes 2", "10.0.0.0/24"),
        ("create s hash:ip\nadd s 0.0.0.0/0", "`0.0.0.0/0` stands for 4294967296 members; the set takes 65536", "0.0.0.0/0"),
        ("create s bitmap:port range 1-9\nadd s 10", "`10` is outside the set's range 1-9", "10"),
        ("create s list:set\nadd s t", "the set `t` is not created before this line", "t"),
        ("add s 1.1.1.1", "the set `s` is not created before this line", "s"),
        ("create s hash:ip\ncreate s hash:ip", "the set `s` is created twice", "s"),
        ("swap a b", "`swap` is no command that makes a set", "swap"),
        ('create s hash:ip\nadd s 1.1.1.1 comment "x', "a double quote is opened and not closed", '"x'),
    ],
)  # fmt: skip
def test_a_bad_line_is_told_at_its_place(text: str, message: str, place: str) -> None:
    with pytest.raises(InputError) as caught:
        read_ipsets(Source("sets", text))
    (found,) = caught.value.diagnostics
    assert (found.message, found.span.text) == (message, place)
    assert found.span.line == text.count("\n") + 1


def test_all_bad_lines_are_told_and_no_consequences() -> None:
    text = "create s hash:nothing\nadd s 1.1.1.1\ncreate t hash:ip\nadd t x\nadd t y\n"
    with pytest.raises(InputError) as caught:
        read_ipsets(Source("sets", text))
    assert [found.span.line for found in caught.value.diagnostics] == [1, 4, 5]
