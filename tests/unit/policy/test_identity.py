"""Ids: stable under edits elsewhere and under `fmt`, distinct for equal lines."""

from __future__ import annotations

import pytest

from policyc.language.format import format_text
from policyc.language.parser import parse
from policyc.language.print_rules import BREAK, rule_text
from policyc.language.rules import Rule as WrittenRule
from policyc.language.tree import RuleBlock
from policyc.policy.identity import canonical_text
from policyc.policy.model import Block, Rule
from policyc.policy.resolve import resolve
from policyc.source import Source

HEAD = "zone wan = interface eth0\nzone lan = interface eth1\n"


def rules(text: str) -> list[Rule]:
    file, syntax = parse(Source("test.pol", HEAD + text))
    policy, found = resolve(file)
    assert policy, (syntax, found)
    return [rule for item in policy.items if isinstance(item, Block) for rule in item.rules]


def ids(text: str) -> list[str]:
    return [rule.id for rule in rules(text)]


def test_an_id_is_eight_letters() -> None:
    (found,) = ids("filter wan -> self { accept ssh }")
    assert len(found) == 8
    assert found.isalpha()
    assert found.islower()


def test_edits_elsewhere_change_no_id() -> None:
    before = ids("filter wan -> self { accept ssh; drop tcp }")
    after = ids("filter lan -> self { accept ssh }\nfilter wan -> self { accept http; accept ssh; drop tcp }")
    assert after[2:] == before


def test_equal_lines_have_different_ids_and_keep_them_when_more_follow() -> None:
    two = ids("filter wan -> self { accept ssh; accept ssh }")
    three = ids("filter wan -> self { accept ssh; accept ssh; accept ssh }")
    assert len(set(three)) == 3
    assert three[:2] == two


def test_the_pair_and_the_table_are_part_of_an_id() -> None:
    found = ids(
        "filter wan -> self { accept tcp }\nfilter lan -> self { accept tcp }\nmangle wan -> self { accept tcp }"
    )
    assert len(set(found)) == 3


def test_a_named_rule_keeps_its_id_whatever_it_says() -> None:
    one = ids("filter wan -> self { accept ssh as door }")
    other = ids("filter lan -> self { drop tcp from 10.0.0.1 as door }")
    assert one == other


def test_a_definition_may_change_and_the_id_stays() -> None:
    one = ids("address web = 10.0.0.5\nfilter wan -> self { accept tcp to web }")
    other = ids("address web = 10.0.0.6\nfilter wan -> self { accept tcp to web }")
    assert one == other


def test_the_call_is_part_of_an_id() -> None:
    define = "define reach(host: address) { accept tcp to host as it }\n"
    calls = "filter wan -> self { use reach(10.0.0.1); use reach(10.0.0.2); use reach(10.0.0.1) }"
    found = rules(define + calls)
    assert [rule.name for rule in found] == ["reach.it"] * 3
    assert len({rule.id for rule in found}) == 3
    assert [rule.id for rule in rules(define + calls.replace("10.0.0.2", "10.0.0.3"))][0::2] == [
        found[0].id,
        found[2].id,
    ]


@pytest.mark.parametrize(
    "line",
    [
        "accept  tcp/80   to 10.0.0.1 from 10.0.0.2",
        "accept tcp/0080",
        "drop tcp/80-80 from 10.0.0.0/8,10.0.0.1",
        "accept udp to 2001:DB8:0::1",
        "drop tcp marked 512",
        "drop tcp match '-m ttl --ttl-eq 1'  # why",
    ],
)
def test_the_formatter_changes_no_id(line: str) -> None:
    text = f"{HEAD}filter wan -> self {{\n  {line}\n}}\n"
    formatted = format_text(Source("test.pol", text))
    assert ids(text.removeprefix(HEAD)) == ids(formatted.removeprefix(HEAD).lstrip("\n")), formatted


@pytest.mark.parametrize(
    "line",
    [
        "accept tcp/80",
        "drop udp/8080-8083 from 10.0.0.0/8",
        "reject tcp/1 from 192.0.2.1 to 0.0.0.0/0",
        "accept tcp/080 from 10.0.0.1",
        "accept tcp/5-5",
        "accept from 10.0.0.1/32",
        "accept tcp from 10.0.0.1, 10.0.0.2",
        "accept tcp  from 10.0.0.1",
    ],
)
def test_the_short_way_to_a_rules_text_is_the_long_one(line: str) -> None:
    file, _ = parse(Source("test.pol", f"{HEAD}filter wan -> self {{ {line} }}"))
    (block,) = (statement for statement in file.statements if isinstance(statement, RuleBlock))
    (rule,) = block.lines
    assert isinstance(rule, WrittenRule)
    assert canonical_text(rule) == rule_text(rule).replace(BREAK, " ")
