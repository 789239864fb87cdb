"""Members of ipsets: the kinds that few kernels have, time, and what `-j SET` changes."""

from __future__ import annotations

from typing import Any

import pytest

from policyc.host.membership import is_member
from policyc.host.probe import Probe
from policyc.host.set_changes import with_packet, without_packet
from policyc.host.set_values import MemberSet
from policyc.net.addresses import parse_address
from policyc.netfilter.ipset import IpSet
from policyc.readers.ipset import member_set, read_ipsets
from policyc.source import Source


def sets(text: str) -> dict[str, MemberSet]:
    return read_ipsets(Source("sets", text))


def probe(of: str = "10.0.0.1", to: str = "10.0.1.1", **more: Any) -> Probe:
    return Probe(4, parse_address(of, 4), parse_address(to, 4), **{"protocol": 6, "sport": 1000, "dport": 80, **more})


def test_marks_and_macs() -> None:
    found = sets("""
create mac hash:mac
add mac 02:00:00:00:00:0a
create ipmac hash:ip,mac
add ipmac 10.0.0.1,02:00:00:00:00:0a
create mark hash:ip,mark markmask 0xff
add mark 10.0.0.1,0x105
create fill bitmap:ip,mac range 10.0.0.0/24
add fill 10.0.0.1
""")
    mine = probe(source_mac=0x02000000000A, mark=0x305)
    assert is_member(found, "mac", ["src"], mine)
    assert not is_member(found, "mac", ["dst"], mine)  # no MAC of the destination is known
    assert is_member(found, "ipmac", ["src", "src"], mine)
    assert is_member(found, "mark", ["src", "src"], mine)
    assert not is_member(found, "mark", ["src", "src"], probe(mark=6))
    assert is_member(found, "fill", ["src", "src"], mine)
    assert not is_member(found, "fill", ["src", "src"], probe())


def test_time_runs_from_reading() -> None:
    found = sets("create s hash:ip timeout 10\nadd s 10.0.0.1\nadd s 10.0.0.2 timeout 99\nadd s 10.0.0.3 timeout 0\n")
    alive = {
        now: [is_member(found, "s", ["src"], probe(f"10.0.0.{n}"), now=now) for n in (1, 2, 3)] for now in (9, 10, 99)
    }
    assert alive == {9: [True, True, True], 10: [False, True, True], 99: [False, False, True]}


def test_too_few_directions_or_another_family_match_nothing() -> None:
    found = sets("create s hash:ip,port\nadd s 10.0.0.1,80\ncreate t hash:ip family inet6\nadd t ::1\n")
    assert is_member(found, "s", ["src", "dst"], probe())
    assert not is_member(found, "s", ["src"], probe())
    assert is_member(found, "s", ["src", "dst", "src"], probe())
    assert not is_member(found, "t", ["src"], probe("0.0.0.1"))
    assert not is_member(found, "s", ["src", "dst"], probe(is_later_fragment=True))


def test_an_entry_is_added_refreshed_and_deleted() -> None:
    start = sets("create s hash:ip timeout 10 maxelem 2\n")
    one = with_packet(start, "s", ["src"], probe())
    assert is_member(one, "s", ["src"], probe(), now=9)
    assert not is_member(start, "s", ["src"], probe())
    assert with_packet(one, "s", ["src"], probe(), now=5) is one
    again = with_packet(one, "s", ["src"], probe(), exist=True, now=5)
    assert is_member(again, "s", ["src"], probe(), now=14)
    assert is_member(with_packet(one, "s", ["src"], probe(), exist=True, timeout=0), "s", ["src"], probe(), now=999)
    full = with_packet(one, "s", ["src"], probe("10.0.0.2"))
    assert with_packet(full, "s", ["src"], probe("10.0.0.3")) is full
    assert not is_member(without_packet(full, "s", ["src"], probe()), "s", ["src"], probe())
    assert without_packet(start, "s", ["src"], probe()) is start


def test_a_network_is_added_with_the_longest_prefix_of_the_set() -> None:
    start = sets("create s hash:net\nadd s 192.0.2.0/24\n create list list:set\nadd list s\n")
    added = with_packet(start, "list", ["src"], probe("10.0.0.77"))
    assert is_member(added, "s", ["src"], probe("10.0.0.1"))
    assert not is_member(added, "s", ["src"], probe("10.0.1.1"))


def test_a_policy_s_set_has_the_same_members() -> None:
    declared = IpSet("s", "hash:net", 4, members=("10.0.0.0/8", "10.0.0.0/24 nomatch"))
    found = {"s": member_set(declared)}
    assert is_member(found, "s", ["dst"], probe())
    assert not is_member(found, "s", ["src"], probe())
    assert is_member(found, "s", ["src"], probe(), return_nomatch=True)
    with pytest.raises(ValueError, match="no kind of set"):
        member_set(IpSet("s", "hash:nothing", 4))
