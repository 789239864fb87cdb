"""One iptables command after the other, carried out on a Ruleset, and what iptables would refuse."""

from __future__ import annotations

import pytest

from policyc import api
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.command import apply_command
from policyc.source import Source

START = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [7:420]
:mine - [0:0]
:spare - [0:0]
-A INPUT -s 10.0.0.1/32 -j mine
-A INPUT -s 10.0.0.2/32 -j DROP
-A mine -j RETURN
COMMIT
"""


def after(*commands: str) -> Ruleset:
    ruleset = api.load(START, family=4)
    for command in commands:
        ruleset = apply_command(ruleset, Source("commands", command), command)
    return ruleset


def chain(ruleset: Ruleset, name: str, table: str = "filter", family: int = 4) -> list[str]:
    return [rule.text for rule in ruleset.table(family, table).chain(name).rules]


def names(ruleset: Ruleset) -> list[str]:
    return [one.name for one in ruleset.table(4, "filter").chains]


def refusal(*commands: str) -> str:
    with pytest.raises(api.InputError) as caught:
        after(*commands)
    (found,) = caught.value.diagnostics
    return f"{found.span.column} {found.name} {found.message}"


FIRST, SECOND = "-s 10.0.0.1/32 -j mine", "-s 10.0.0.2/32 -j DROP"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("iptables -A INPUT -p tcp --dport 22 -j ACCEPT", [FIRST, SECOND, "-p tcp -m tcp --dport 22 -j ACCEPT"]),
        ("/sbin/iptables -w 5 --append INPUT -j DROP", [FIRST, SECOND, "-j DROP"]),
        ("-p tcp -A INPUT -j DROP", [FIRST, SECOND, "-p tcp -j DROP"]),
        ("iptables -I INPUT -j DROP", ["-j DROP", FIRST, SECOND]),
        ("iptables -I INPUT 2 -j DROP", [FIRST, "-j DROP", SECOND]),
        ("iptables --insert INPUT 3 -j DROP", [FIRST, SECOND, "-j DROP"]),
        ("iptables -A INPUT -s 1.1.1.1,2.2.2.2", [FIRST, SECOND, "-s 1.1.1.1/32", "-s 2.2.2.2/32"]),
        ("iptables -R INPUT 1 -j LOG", ["-j LOG", SECOND]),
        ("iptables -D INPUT 1", [SECOND]),
        ("iptables -D INPUT -s 10.0.0.2 -j DROP", [FIRST]),
        ("iptables --delete INPUT --source 10.0.0.2/32 -j DROP", [FIRST]),
        ("iptables -F INPUT", []),
        ("iptables -F", []),
        ("iptables -C INPUT -s 10.0.0.2 -j DROP", [FIRST, SECOND]),
        ("iptables -L INPUT -n -v", [FIRST, SECOND]),
        ("iptables -Z", [FIRST, SECOND]),
    ],
)
def test_rules(command: str, expected: list[str]) -> None:
    assert chain(after(command), "INPUT") == expected


def test_only_the_first_equal_rule_is_deleted() -> None:
    twice = ("iptables -A INPUT -s 10.0.0.2 -j DROP", "iptables -A INPUT -j LOG")
    assert chain(after(*twice, "iptables -D INPUT -s 10.0.0.2 -j DROP"), "INPUT") == [FIRST, SECOND, "-j LOG"]


def test_the_table_and_the_family_are_those_of_the_command() -> None:
    found = after("iptables -t nat -A POSTROUTING -j MASQUERADE", "ip6tables -A INPUT -s fd00::1 -j DROP")
    assert chain(found, "POSTROUTING", "nat") == ["-j MASQUERADE"]
    assert chain(found, "INPUT", family=6) == ["-s fd00::1/128 -j DROP"]
    assert chain(found, "INPUT") == [FIRST, SECOND]


def test_chains_come_and_go() -> None:
    assert names(after("iptables -N more"))[-1] == "more"
    assert "spare" not in names(after("iptables -X spare"))
    assert names(after("iptables -F", "iptables -X")) == ["INPUT", "FORWARD"]
    found = after("iptables -E spare better", "iptables -A better -j DROP")
    assert chain(found, "better") == ["-j DROP"]
    assert "spare" not in names(found)


def test_a_policy_is_set() -> None:
    assert after("iptables -P INPUT DROP").table(4, "filter").chain("INPUT").policy == "DROP"


def test_what_was_there_stays_as_it_was() -> None:
    before = api.load(START, family=4)
    apply_command(before, Source("commands", ""), "iptables -F")
    assert chain(before, "INPUT") == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("iptables", "9 unreadable-line the command is empty"),
        ("iptables frob", "10 unreadable-line `frob` is no command"),
        ("iptables -A", "10 unreadable-line `-A` needs a chain name"),
        ("iptables -A INPUT -s 10.0.0.300", "22 unreadable-line `300` in `10.0.0.300` is over 255"),
        ("iptables -A INPUT --dport 22", "19 unreadable-line unknown option `--dport`"),
        ("iptables -A nowhere -j DROP", "1 undefined-chain the table filter has no chain `nowhere` yet"),
        ("iptables -A PREROUTING -j DROP", "1 undefined-chain the table filter has no chain `PREROUTING`"),
        ("iptables -I INPUT 4 -j DROP", "1 unreadable-line `INPUT` has 2 rules, so that nothing can be inserted at 4"),
        ("iptables -I INPUT 0 -j DROP", "19 unreadable-line rules are numbered from 1"),
        ("iptables -R INPUT -j DROP", "19 unreadable-line `-R` needs a rule number"),
        ("iptables -R INPUT 3 -j DROP", "1 unreadable-line `INPUT` has no rule 3"),
        ("iptables -R INPUT 1 -s 1.1.1.1,2.2.2.2", "1 unreadable-line `-R` replaces one rule by one rule"),
        ("iptables -D INPUT 3", "1 unreadable-line `INPUT` has no rule 3"),
        ("iptables -D INPUT -j DROP", "1 unreadable-line `INPUT` has no such rule to delete: `-j DROP`"),
        ("iptables -C INPUT -j DROP", "1 unreadable-line `INPUT` has no such rule: `-j DROP`"),
        ("iptables -N mine", "1 duplicate-chain the chain `mine` exists already"),
        ("iptables -N INPUT", "1 duplicate-chain the chain `INPUT` exists already"),
        ("iptables -X mine", "1 unreadable-line the chain `mine` is not empty and cannot be deleted"),
        ("iptables -X INPUT", "1 unreadable-line the chain `INPUT` is built in and cannot be deleted"),
        ("iptables -E mine yours", "1 unreadable-line the chain `mine` is in use; renaming it is not read here"),
        ("iptables -E INPUT yours", "1 unreadable-line the chain `INPUT` cannot be renamed to `yours`"),
        ("iptables -P mine DROP", "1 unreadable-line the chain `mine` is not built in and has no policy"),
        ("iptables -P INPUT REJECT", "1 unreadable-line `REJECT` is no chain policy; it is ACCEPT or DROP"),
        ("iptables -P INPUT", "10 unreadable-line `-P` lacks its second word"),
        ("iptables -t cat -L", "13 unreadable-line `cat` is none of the tables "),
        ("iptables -L -t", "13 unreadable-line `-t` has no value"),
        ("iptables -F INPUT -j DROP", "19 unreadable-line `-j` has no place behind `-F`"),
        ('iptables -A INPUT -m comment --comment "open', "40 unreadable-line a double quote is opened and not closed"),
    ],
)
def test_refused(command: str, expected: str) -> None:
    assert refusal(command).startswith(expected)


def test_a_chain_in_use_is_not_deleted() -> None:
    assert refusal("iptables -F mine", "iptables -X mine").startswith(
        "1 unreadable-line the chain `mine` is in use by `INPUT`"
    )
