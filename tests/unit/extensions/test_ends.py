"""-m addrtype, devgroup, owner, cgroup, socket, rpfilter: what the host knows of a packet's two ends."""

from __future__ import annotations

import pytest
from reading import hooks, matches, predicate, printed, refusals

from policyc.netfilter import fields
from policyc.netfilter.predicate import Ask, Not

CAME_IN = {"PREROUTING", "INPUT", "FORWARD"}
GOES_OUT = {"FORWARD", "OUTPUT", "POSTROUTING"}


def test_types_printed() -> None:
    for given, canonical in [
        ("--src-type LOCAL,UNICAST", "--src-type UNICAST,LOCAL"),
        ("--dst-type local ! --src-type UN", "! --src-type UNSPEC --dst-type LOCAL"),
        ("--limit-iface-in ! --dst-type multi", "! --dst-type MULTICAST --limit-iface-in"),
        ("--dst-type UNREACHABLE,ANYCAST --limit-iface-out", "--dst-type ANYCAST,UNREACHABLE --limit-iface-out"),
    ]:
        for family in (4, 6):
            assert printed(f"-m addrtype {given}", family, chain="FORWARD") == f"-m addrtype {canonical}"
    every = "UNSPEC,UNICAST,LOCAL,BROADCAST,ANYCAST,MULTICAST,BLACKHOLE,UNREACHABLE,PROHIBIT,THROW,NAT,XRESOLVE"
    assert printed(f"-m addrtype --src-type {every}") == f"-m addrtype --src-type {every}"


def test_types_refused() -> None:
    for wrong in (
        "",
        "--limit-iface-in",
        "--src-type FOO",
        "--src-type LOCAL,",
        "--src-type LOCAL --src-type UNICAST",
        "--src-type LOCAL --limit-iface-in --limit-iface-out",
        "! --limit-iface-in --src-type LOCAL",
    ):
        assert refusals(f"-m addrtype {wrong}")
    assert refusals("-m addrtype ! --dst-type LOCAL,BROADCAST,NAT", 6) == [
        "`--dst-type`: the kernel does not tell `BROADCAST`, `NAT` addresses of IPv6"
    ]


def test_types_where_and_what() -> None:
    assert hooks("-m addrtype --dst-type LOCAL --limit-iface-in") == CAME_IN
    assert hooks("-m addrtype --dst-type LOCAL --limit-iface-out") == GOES_OUT
    assert len(hooks("-m addrtype --dst-type LOCAL")) == 5
    rule = "-m addrtype --dst-type LOCAL ! --src-type UNICAST,LOCAL"
    assert matches(rule, {"dst.type": "LOCAL", "src.type": "BROADCAST"})
    assert not matches(rule, {"dst.type": "LOCAL", "src.type": "UNICAST"})
    elsewhere = {"dst.type": "LOCAL", "dst.type.iif": "UNICAST"}  # the address of another interface
    assert matches("-m addrtype ! --dst-type LOCAL --limit-iface-in", elsewhere)
    assert not matches("-m addrtype ! --dst-type LOCAL", elsewhere)


def test_an_ipv6_address_has_several_types() -> None:
    own, other = {"dst.type": {"UNICAST", "LOCAL"}}, {"dst.type": {"UNICAST"}}
    assert matches("-m addrtype --dst-type UNICAST", own, 6)
    assert matches("-m addrtype --dst-type UNICAST,LOCAL,ANYCAST", own, 6)
    assert not matches("-m addrtype --dst-type UNICAST,LOCAL,ANYCAST", other, 6)  # one type of routing is wanted too
    assert matches("-m addrtype ! --dst-type UNICAST,LOCAL", other, 6)
    assert matches("-m addrtype --dst-type UNICAST,LOCAL", {"dst.type": "UNICAST"}, 4)


def test_interface_groups() -> None:
    for given, canonical in [
        ("--src-group 3", "--src-group 0x3"),
        ("--dst-group 0x1f/15 ! --src-group 5/0xffffffff", "! --src-group 0x5 --dst-group 0x1f/0xf"),
        ("--src-group default", "--src-group 0x0"),
        ("--src-group 3/0", "--src-group 0x3/0x0"),
    ]:
        assert printed(f"-m devgroup {given}", chain="FORWARD") == f"-m devgroup {canonical}"
    for wrong in ("", "--src-group 4294967296", "--src-group 1 --src-group 2", "--src-group 1/"):
        assert refusals(f"-m devgroup {wrong}")
    assert "number" in refusals("-m devgroup --src-group office")[0]
    assert hooks("-m devgroup --src-group 3") == CAME_IN
    assert hooks("-m devgroup --dst-group 3") == GOES_OUT
    assert hooks("-m devgroup --dst-group 3 --src-group 3") == {"FORWARD"}
    assert matches("-m devgroup --src-group 0x1f/0xf", {"devgroup.in": 0x2F})  # both sides are masked
    assert not matches("-m devgroup ! --src-group 0x1f/0xf", {"devgroup.in": 0x2F})


def owned(rule: str) -> str:
    return printed(rule, chain="OUTPUT")


def test_owners_printed() -> None:
    for given, canonical in [
        ("--uid-owner root --gid-owner root", "--uid-owner 0 --gid-owner 0"),
        ("! --uid-owner 5-10", "! --uid-owner 5-10"),
        ("--gid-owner 5:5 ! --socket-exists", "! --socket-exists --gid-owner 5"),
        ("--uid-owner 0x10 --gid-owner 0-4294967294 --suppl-groups", "--uid-owner 16 --gid-owner 0-4294967294 --suppl-groups"),
    ]:  # fmt: skip
        assert owned(f"-m owner {given}") == f"-m owner {canonical}"


def test_owners_refused() -> None:
    for wrong in (
        "",
        "--uid-owner 10-5",
        "--uid-owner 5-",
        "--uid-owner 4294967295",
        "--uid-owner 1 --uid-owner 2",
        "--suppl-groups",
        "--uid-owner 1 --suppl-groups",
        "--suppl-groups --gid-owner 3",
        "--gid-owner 3 ! --suppl-groups",
        "--pid-owner 3",
    ):
        assert refusals(f"-m owner {wrong}")
    assert refusals("-m owner --uid-owner www-data") == [
        "--uid-owner: `www-data` stands for a number of the host's /etc/passwd, which is not read here; write the number"
    ]


@pytest.mark.parametrize(
    ("rule", "mine", "other", "nobodys"),
    [
        ("--uid-owner 5", True, False, False),
        ("! --uid-owner 5", False, True, True),
        ("! --uid-owner 5 --gid-owner 7", False, True, False),
        ("--socket-exists ! --uid-owner 9", True, True, False),
        ("! --socket-exists", False, False, True),
        ("! --socket-exists ! --uid-owner 9", False, False, True),
        ("! --socket-exists --uid-owner 5", False, False, False),
    ],
)
def test_a_packet_without_a_socket_has_only_negated_owners(rule: str, mine: bool, other: bool, nobodys: bool) -> None:
    assert matches(f"-m owner {rule}", {"uid": 5, "gid": 7}) is mine
    assert matches(f"-m owner {rule}", {"uid": 6, "gid": 7}) is other
    assert matches(f"-m owner {rule}", {}) is nobodys


def test_further_groups_are_unknown_and_need_a_socket() -> None:
    rule = "-m owner --gid-owner 7 --suppl-groups"
    for known in (True, False):
        assumed = {"-m owner --gid-owner 7-7 --suppl-groups": known}
        assert matches(rule, {"uid": 5, "gid": 7}, assume=assumed)
        assert matches(rule, {"uid": 5, "gid": 8}, assume=assumed) is known
        assert not matches(rule, {}, assume=assumed)
    assert hooks(rule) == {"OUTPUT", "POSTROUTING"}


def test_control_groups() -> None:
    assert printed("-m cgroup --cgroup 0x100001") == "-m cgroup --cgroup 1048577"
    assert printed("-m cgroup ! --path /", 6) == '-m cgroup ! --path "/"'
    for wrong in ("", "--cgroup 1 --path /", "--cgroup 4294967296", "--cgroup 1 --cgroup 2", f"--path {'x' * 512}"):
        assert refusals(f"-m cgroup {wrong}")
    assert hooks("-m cgroup --cgroup 1") == {"INPUT", "OUTPUT", "POSTROUTING"}
    assert matches("-m cgroup --cgroup 1", {"cgroup": 1})
    assert matches("-m cgroup ! --cgroup 1", {"cgroup": 2})
    assert not matches("-m cgroup ! --cgroup 1", {})
    for known in (True, False):
        came_in = {"iif": "eth0"}  # its receiver's group is known to the host alone
        assert matches("-m cgroup ! --cgroup 1", came_in, assume={"-m cgroup ! --cgroup 1": known}) is known
        path = "-m cgroup ! --path /a"
        assert matches(path, {"uid": 5}, assume={'-m cgroup ! --path "/a"': known}) is known
    assert not matches("-m cgroup ! --path /a", {})


def test_sockets() -> None:
    for given, canonical in [
        ("", ""),
        ("--restore-skmark --nowildcard --transparent", " --transparent --nowildcard --restore-skmark"),
    ]:
        assert printed(f"-m socket {given}", 6, "mangle", "PREROUTING") == f"-m socket{canonical}"
    for wrong in ("! --transparent", "--transparent --transparent", "--loose"):
        assert refusals(f"-m socket {wrong}")
    assert hooks("-m socket") == {"PREROUTING", "INPUT"}
    found = predicate("-m socket --transparent --restore-skmark")
    assert isinstance(found, Ask)
    assert (found.kind, found.subject) == ("socket", ("transparent",))


def test_reverse_paths() -> None:
    rule = "-m rpfilter --invert --accept-local --validmark --loose"
    canonical = "-m rpfilter --loose --validmark --accept-local --invert"
    assert printed(rule, 4, "raw", "PREROUTING") == printed(rule, 6, "mangle", "PREROUTING") == canonical
    for wrong in ("! --loose", "! --invert", "--loose --loose"):
        assert refusals(f"-m rpfilter {wrong}")
    assert hooks("-m rpfilter") == {"PREROUTING"}
    found = predicate(rule)
    assert isinstance(found, Not)
    assert isinstance(found.part, Ask)
    assert found.part.subject == ("loose", "validmark", "accept-local")
    assert fields.MARK in found.part.reads
    plain = predicate("-m rpfilter")
    assert isinstance(plain, Ask)
    assert fields.MARK not in plain.reads
