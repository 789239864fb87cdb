"""-m frag, rt, hbh, dst, ipv6header, mh, srh, eui64: the headers that only IPv6 has."""

from __future__ import annotations

import pytest
from reading import matches, predicate, printed, refusals

from policyc.netfilter.predicate import Opaque, nodes

SIXTEEN = ",".join(f"::{n:x}" for n in range(1, 17))


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("-m frag", "-m frag"),
        ("-m frag --fragid 1:", "-m frag --fragid 1:4294967295"),
        ("-m frag --fragid :", "-m frag"),
        ("-m frag ! --fragid :", "-m frag ! --fragid 0:4294967295"),
        ("-m frag ! --fraglen 42", "-m frag ! --fraglen 42"),
        (
            "-m frag --fragmore --fragres --fraglen 8 --fragfirst --fragid 1",
            "-m frag --fragid 1 --fraglen 8 --fragres --fragfirst --fragmore",
        ),
        ("-m frag --fragfirst --fraglast", "-m frag --fragfirst --fraglast"),
        ("-m rt", "-m rt"),
        ("-m rt ! --rt-type 1 ! --rt-segsleft 12:23 ! --rt-len 42", "-m rt ! --rt-type 1 ! --rt-segsleft 12:23 ! --rt-len 42"),
        ("-m rt --rt-segsleft :", "-m rt"),
        ("-m rt --rt-segsleft :5", "-m rt --rt-segsleft 0:5"),
        (
            "-m rt --rt-type 0 --rt-0-addrs ::1,2001:db8:0::0 --rt-0-not-strict --rt-0-res",
            "-m rt --rt-type 0 --rt-0-res --rt-0-addrs ::1,2001:db8:: --rt-0-not-strict",
        ),
        (f"-m rt --rt-type 0 --rt-0-addrs {SIXTEEN}", f"-m rt --rt-type 0 --rt-0-addrs {SIXTEEN}"),
        ("-m hbh", "-m hbh"),
        ("-m hbh --hbh-opts 1:2,0x17:42,4:6,42,0 ! --hbh-len 42", "-m hbh ! --hbh-len 42 --hbh-opts 1:2,23:42,4:6,42,0"),
        ("-m hbh --hbh-opts 1:255", "-m hbh --hbh-opts 1"),
        ("-m dst --dst-opts 149:92,12:12 --dst-len 0", "-m dst --dst-len 0 --dst-opts 149:92,12:12"),
        ("-m ipv6header --header hop", "-m ipv6header --header hop-by-hop"),
        ("-m ipv6header --soft ! --header prot,esp", "-m ipv6header ! --header esp,protocol --soft"),
        (
            "-m ipv6header --header 255,0,60,43,44,51,50,59",
            "-m ipv6header --header hop-by-hop,ipv6-opts,ipv6-route,ipv6-frag,ah,esp,ipv6-nonxt,protocol",
        ),
        ("-p mh -m mh", "-p mobility-header -m mh"),
        ("-p ipv6-mh --mh-type brr", "-p mobility-header -m mh --mh-type 0"),
        ("-p mh ! --mh-type binding-update:BE", "-p mobility-header -m mh ! --mh-type 5:7"),
        ("-p mh -m mh --mh-type :", "-p mobility-header -m mh"),
        ("-p mh --mh-type 5:", "-p mobility-header -m mh --mh-type 5:255"),
        ("-m srh", "-m srh"),
        (
            "-m srh --srh-lsid c::1/64 ! --srh-psid a:: --srh-tag 6 --srh-next-hdr 17",
            "-m srh --srh-next-hdr 17 --srh-tag 6 ! --srh-psid a::/128 --srh-lsid c::1/64",
        ),
        ("-m srh ! --srh-hdr-len-eq 8 --srh-hdr-len-gt 8", "-m srh ! --srh-hdr-len-eq 8 --srh-hdr-len-gt 8"),
        (
            "-m srh --srh-last-entry-lt 4 --srh-segs-left-gt 1 --srh-nsid b::/ffff::",
            "-m srh --srh-segs-left-gt 1 --srh-last-entry-lt 4 --srh-nsid b::/16",
        ),
        ("-m eui64", "-m eui64"),
    ],
)  # fmt: skip
def test_printed(given: str, canonical: str) -> None:
    assert printed(given, 6) == canonical
    assert printed(canonical, 6) == canonical


@pytest.mark.parametrize(
    "rule",
    [
        "-m frag --fragmore --fraglast",
        "-m frag ! --fragfirst",
        "-m frag --fragid 4294967296",
        "-m frag --fragid 5:4",
        "-m rt --rt-0-res",
        "-m rt --rt-type 1 --rt-0-res",
        "-m rt ! --rt-type 0 --rt-0-addrs ::1",
        "-m rt --rt-type 0 --rt-0-not-strict",
        "-m rt --rt-type 0 --rt-0-addrs ::1/64",
        f"-m rt --rt-type 0 --rt-0-addrs {SIXTEEN},::11",
        "-m hbh --hbh-opts 256",
        "-m hbh --hbh-opts 1:256",
        "-m hbh --hbh-opts 1:",
        "-m hbh --hbh-opts 0:5",
        "-m hbh ! --hbh-opts 1",
        "-m hbh --hbh-opts " + ",".join(map(str, range(1, 18))),
        "-m dst --dst-len 4294967296",
        "-m ipv6header",
        "-m ipv6header --soft",
        "-m ipv6header --header tcp",
        "-m ipv6header --header Hop",
        '-m ipv6header --header ""',
        "-m mh --mh-type 1",
        "-p mh --mh-type 5:4",
        "-p mh --mh-type 256",
        "-p mh --mh-type binding",
        "-m srh --srh-next-hdr 256",
        "-m srh --srh-next-hdr tcp",
        "-m srh --srh-tag 65536",
        "-m srh --srh-hdr-len-eq 8 --srh-hdr-len-gt 4",
    ],
)
def test_refused(rule: str) -> None:
    assert refusals(rule, 6)


@pytest.mark.parametrize("name", ["frag", "rt", "hbh", "dst", "ipv6header", "mh", "srh", "eui64"])
def test_no_ipv4(name: str) -> None:
    assert refusals(f"-m {name}", 4) == [f"the match `{name}` does not exist for IPv4"]


def test_fragments() -> None:
    more = "-m frag --fragmore"
    first = {"v6.headers": {"frag", "prot"}, "frag": "first"}
    later, atomic = first | {"frag": "later"}, first | {"frag": "whole"}
    for outcome in (True, False):
        assumed = {more: outcome}
        assert matches("-m frag --fragfirst", first, 6, assumed)
        assert not matches("-m frag --fragfirst", later, 6, assumed)
        assert matches("-m frag --fragmore", first, 6, assumed)
        assert not matches("-m frag --fragmore", atomic, 6, assumed)
        assert matches("-m frag --fraglast", atomic, 6, assumed)
        assert matches("-m frag --fragmore", later, 6, assumed) is outcome
        assert matches("-m frag --fraglast", later, 6, assumed) is not outcome
    assert matches("-m frag ! --fraglen 42", first, 6)  # the kernel does not look at it
    assert not matches("-m frag --fragfirst", {"v6.headers": {"prot"}, "frag": "whole"}, 6)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("--header hop,prot", True),
        ("--header hop", False),
        ("! --header hop", True),
        ("--header hop,dst,prot", False),
        ("--header hop --soft", True),
        ("--header hop,dst --soft", False),
        ("! --header dst,esp --soft", True),
        ("! --header dst,hop --soft", False),
    ],
)
def test_headers_exactly_or_among_others(rule: str, expected: bool) -> None:
    assert matches(f"-m ipv6header {rule}", {"v6.headers": {"hop", "prot"}}, 6) is expected


def test_mobility_messages() -> None:
    packet = {"proto": 135, "frag": "whole", "mh.type": 5}
    assert matches("-p mh --mh-type bu", packet, 6)
    assert not matches("-p mh ! --mh-type 4:6", packet, 6)
    assert not matches("-p mh ! --mh-type 7", packet | {"proto": 6}, 6)


@pytest.mark.parametrize(
    ("rule", "header", "keys"),
    [
        ("-m rt ! --rt-type 2 --rt-len 8", "route", {"-m rt --rt-type 2", "-m rt --rt-len 8"}),
        (
            "-m rt --rt-type 0 --rt-0-addrs ::1 --rt-0-not-strict",
            "route",
            {"-m rt --rt-type 0", "-m rt --rt-0-addrs ::1 --rt-0-not-strict"},
        ),
        ("-m hbh --hbh-opts 5", "hop", {"-m hbh --hbh-opts 5"}),
        ("-m dst ! --dst-len 8", "dst", {"-m dst --dst-len 8"}),
        ("-m srh --srh-tag 1", "route", {"-m srh", "-m srh --srh-tag 1"}),
    ],
)
def test_details_of_a_header_are_opaque_and_need_the_header(rule: str, header: str, keys: set[str]) -> None:
    found = {node.key: node.reads for node in nodes(predicate(rule, 6)) if isinstance(node, Opaque)}
    assert found == dict.fromkeys(keys, ())
    for outcome in (True, False):
        assert not matches(rule, {"v6.headers": {"prot"}}, 6, dict.fromkeys(keys, outcome))
    assumed = {key: f"! {key.split()[-2]}" not in rule for key in keys if " " in key} | {"-m srh": True}
    assert matches(rule, {"v6.headers": {header, "prot"}}, 6, assumed)


def test_eui64_needs_a_frame() -> None:
    assert matches("-m eui64", {"mac.src": 5}, 6, {"-m eui64": True})
    assert not matches("-m eui64", {}, 6, {"-m eui64": True})
