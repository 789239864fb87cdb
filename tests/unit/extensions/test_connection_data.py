"""-m mark, connmark, connlabel, helper, connbytes, connlimit: what a packet or its connection carries along."""

from __future__ import annotations

import pytest
from reading import hooks, matches, predicate, printed, refusals

from policyc import api
from policyc.netfilter import fields
from policyc.netfilter.counters import ConnectionBytes, ConnectionCount
from policyc.netfilter.effect import Assign, Effect
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.predicate import May, Not, Predicate, nodes


def effects(rule: str, family: int = 4) -> tuple[Effect, ...]:
    """What the rule's only match does beside matching."""
    ruleset = api.load(f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT {rule}\nCOMMIT\n", family=family)
    ((_, _, _, found),) = ruleset.rules()
    (match,) = found.matches
    return match.extension.side_effects(match.options, Surroundings(family))


def may(found: Predicate) -> May:
    """The only nondeterministic node."""
    (node,) = [node for node in nodes(found) if isinstance(node, May)]
    return node


@pytest.mark.parametrize("name", ["mark", "connmark"])
def test_marks_printed(name: str) -> None:
    for given, canonical in [
        ("--mark 1", "--mark 0x1"),
        ("! --mark 010/0xFF", "! --mark 0x8/0xff"),
        ("--mark 0x1ff/0xff", "--mark 0x1ff/0xff"),
        ("--mark 4294967295/0xffffffff", "--mark 0xffffffff"),
        ("--mark 1/0", "--mark 0x1/0x0"),
    ]:
        assert printed(f"-m {name} {given}", 4) == printed(f"-m {name} {given}", 6) == f"-m {name} {canonical}"
    for wrong in ("", "--mark 4294967296", "--mark 1/", "--mark /1", "--mark -1", "--mark x", "--mark 1 --mark 2"):
        assert refusals(f"-m {name} {wrong}")


def test_a_mark_is_masked_before_it_is_compared() -> None:
    assert matches("-m mark --mark 1/0xff", {"mark": 0x101})
    assert not matches("-m mark --mark 1", {"mark": 0x101})
    assert not matches("-m mark --mark 0x1ff/0xff", {"mark": 0x1FF})
    assert matches("-m mark ! --mark 0x1ff/0xff", {"mark": 0x1FF})
    assert matches("-m mark --mark 0/0", {"mark": 5})


@pytest.mark.parametrize("rule", ["-m connmark --mark 0", "-m connmark ! --mark 1"])
def test_a_mark_of_a_connection_needs_an_entry(rule: str) -> None:
    assert matches(rule, {"ct.state": "NEW", "ct.mark": 0})
    assert not any(matches(rule, {"ct.state": state}) for state in ("none", "INVALID", "UNTRACKED"))
    assert not matches("-m connmark ! --mark 1", {"ct.state": "NEW", "ct.mark": 1})


def test_labels() -> None:
    assert printed("-m connlabel ! --label 0x3 --set") == '-m connlabel ! --label "3" --set'
    assert printed('-m connlabel --label "127"', 6) == '-m connlabel --label "127"'
    for wrong in ("", "--set", "--label 128", "--label -1", "--label 3 --label 4", "--label 3 ! --set"):
        assert refusals(f"-m connlabel {wrong}")
    assert "number" in refusals("-m connlabel --label customer")[0]
    assert matches("-m connlabel --label 3", {"ct.state": "NEW", "ct.label": {3, 5}})
    assert not matches("-m connlabel --label 4", {"ct.state": "NEW", "ct.label": {3, 5}})
    assert matches("-m connlabel ! --label 3", {"ct.state": "UNTRACKED"})
    assert matches("-m connlabel --label 3 --set", {"ct.state": "NEW", "ct.label": set()})
    assert not matches("-m connlabel --label 3 --set", {"ct.state": "INVALID"})
    assert effects("-m connlabel --label 3 --set") == (Assign(fields.CT_LABEL, 8, 8),)
    assert effects("-m connlabel --label 3") == ()


def test_helpers() -> None:
    for text in ("--helper ftp", "! --helper ftp-2121", '--helper ""', '--helper "a b"'):
        assert printed(f"-m helper {text}") == f"-m helper {text}"
    for wrong in ("", "--helper ftp --helper irc", f"--helper {'x' * 30}"):
        assert refusals(f"-m helper {wrong}")
    assert matches("-m helper --helper ftp-2121", {"ct.helper": "ftp"})  # the kernel compares the helper's own length
    assert matches("-m helper --helper ftp-2121", {"ct.helper": "ftp-2121"})
    assert not matches("-m helper --helper ftp", {"ct.helper": "ftp-2121"})
    assert matches('-m helper --helper ""', {"ct.helper": "sip"})
    assert not matches('-m helper --helper ""', {})
    assert matches("-m helper ! --helper ftp", {})


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--connbytes 10", "--connbytes 10"),
        ("! --connbytes 10:", "! --connbytes 10"),
        ("--connbytes :20", "--connbytes 0:20"),
        ("--connbytes :", "--connbytes 0"),
        ("--connbytes 5:18446744073709551615", "--connbytes 5"),
        ("--connbytes 0x10:0x10", "--connbytes 16:16"),
        ("--connbytes 0:0", "--connbytes 0:0"),
    ],
)
def test_bytes_printed(given: str, canonical: str) -> None:
    rule = f"-m connbytes --connbytes-dir both {given} --connbytes-mode avgpkt"
    assert printed(rule) == f"-m connbytes {canonical} --connbytes-mode avgpkt --connbytes-dir both"


def test_bytes_refused() -> None:
    whole = "-m connbytes --connbytes-mode bytes --connbytes-dir original"
    for wrong in ("", "--connbytes 20:10", "--connbytes -1:0", "--connbytes 0:18446744073709551616", "--connbytes 1-2"):
        assert refusals(f"{whole} {wrong}")
    assert refusals("-m connbytes --connbytes 1 --connbytes-dir both")
    assert refusals("-m connbytes --connbytes 1 --connbytes-dir orig --connbytes-mode bytes")
    assert refusals(f"{whole} ! --connbytes 7:7") == [
        "iptables loads `! --connbytes 7:7` without its `!`; write `8:` and `:6` in two rules"
    ]
    assert refusals(f"{whole} ! --connbytes 0:0") == ["iptables loads `! --connbytes 0:0` without its `!`; write `1:`"]


def test_bytes_counted() -> None:
    found = predicate("-m connbytes ! --connbytes 5 --connbytes-mode packets --connbytes-dir reply")
    assert may(found).counter == ConnectionBytes(5, 2**64 - 1, "packets", "reply")
    assert any(isinstance(node, Not) for node in nodes(found))
    assert not matches("-m connbytes ! --connbytes 5 --connbytes-mode packets --connbytes-dir reply", {})


def test_connections_printed() -> None:
    for family, width in ((4, 32), (6, 128)):
        for given, canonical in [
            ("--connlimit-above 3", f"--connlimit-above 3 --connlimit-mask {width} --connlimit-saddr"),
            ("! --connlimit-above 3", f"--connlimit-upto 3 --connlimit-mask {width} --connlimit-saddr"),
            ("! --connlimit-upto 0x3", f"--connlimit-above 3 --connlimit-mask {width} --connlimit-saddr"),
            ("--connlimit-daddr --connlimit-mask 0 --connlimit-upto 0",
             "--connlimit-upto 0 --connlimit-mask 0 --connlimit-daddr"),
        ]:  # fmt: skip
            assert printed(f"-m connlimit {given}", family) == f"-m connlimit {canonical}"
    mask = "-m connlimit --connlimit-upto 1 --connlimit-mask {} --connlimit-saddr"
    assert printed(mask.format("255.255.255.0")) == mask.format(24)
    assert printed(mask.format("ffff::"), 6) == mask.format(16)


def test_connections_refused() -> None:
    for wrong in (
        "",
        "--connlimit-mask 24",
        "--connlimit-upto 1 --connlimit-above 1",
        "--connlimit-above 3 --connlimit-saddr --connlimit-daddr",
        "--connlimit-above 4294967296",
        "--connlimit-above 3 --connlimit-mask 33",
        "--connlimit-above 3 --connlimit-mask 255.0.255.0",
        "--connlimit-above 3 ! --connlimit-mask 3",
    ):
        assert refusals(f"-m connlimit {wrong}")
    assert refusals("-m connlimit --connlimit-above 3 --connlimit-mask 129", 6)


def test_connections_counted() -> None:
    found = predicate("-m connlimit --connlimit-above 3 --connlimit-mask 24 --connlimit-daddr")
    assert may(found).counter == ConnectionCount(3, above=True, side=fields.DST, mask=24)
    assert may(predicate("-m connlimit --connlimit-upto 3", 6)).counter == ConnectionCount(3, False, fields.SRC, 128)


def test_all_hooks() -> None:
    assert len(hooks("-m connmark --mark 1")) == len(hooks("-m connlimit --connlimit-above 1")) == 5
