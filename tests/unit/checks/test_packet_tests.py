"""What decides a packet of a `test` block: the meaning of verdict, `by`, `becomes`, and of what a fresh ruleset knows."""

from __future__ import annotations

import pytest

from policyc import api

HEAD = """\
policy edge { ownership exclusive; default input drop, forward drop, output accept }
zone wan = interface eth0 address 198.51.100.1/24
zone lan = interface eth1 network 10.0.0.0/24, fd00:10::/64
address web = 10.0.0.5, 10.0.0.6, fd00:10::5
set mine = address
set theirs = address owner others name "theirs"
limit few = 1/hour burst 1
filter any -> self { use baseline }
"""


def states(rules: str, *tests: str) -> list[str]:
    lines = "\n".join(tests)
    return [found.state for found in api.test(f'{HEAD}{rules}\ntest "t" {{\n{lines}\n}}\n').packets]


@pytest.mark.parametrize(
    ("rule", "accept", "drop", "reject"),
    [
        ("otherwise accept", "passed", "failed", "failed"),
        ("otherwise drop", "failed", "passed", "failed"),
        ("otherwise reject", "failed", "failed", "passed"),
        ("otherwise reject with tcp-reset", "failed", "failed", "passed"),
    ],
)
def test_a_verdict_is_that_one(rule: str, accept: str, drop: str, reject: str) -> None:
    packet = "tcp 203.0.113.9 -> self:22 in wan"
    rule = rule.replace("otherwise reject with", "reject tcp with")
    found = states(f"filter wan -> self {{ {rule} }}", *(f"{word} {packet}" for word in ("accept", "drop", "reject")))
    assert found == [accept, drop, reject]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("becomes 10.0.0.5:80", "passed"),
        ("becomes 10.0.0.5", "passed"),
        ("becomes :80", "passed"),
        ("becomes 10.0.0.4-10.0.0.9:80", "passed"),
        ("becomes 10.0.0.0/24:79-81", "passed"),
        ("becomes web", "passed"),
        ("becomes 203.0.113.9 -> web:80", "passed"),
        ("becomes 203.0.113.9:40000 -> web", "passed"),
        ("becomes 10.0.0.5:81", "failed"),
        ("becomes 10.0.0.6:80", "failed"),
        ("becomes fd00:10::5", "failed"),
        ("becomes self", "failed"),
        ("becomes self -> 10.0.0.5:80", "failed"),
        ("becomes 203.0.113.9:1 -> 10.0.0.5:80", "failed"),
        ("becomes 10.0.0.5:80 by site", "passed"),
        ("by other", "failed"),
    ],
)
def test_what_it_becomes(text: str, state: str) -> None:
    rules = (
        "publish wan -> self tcp/8080 becomes 10.0.0.5:80 family ip as site\nfilter lan -> wan { accept ssh as other }"
    )
    assert states(rules, f"accept tcp 203.0.113.9 -> self:8080 in wan {text}") == [state]


def test_the_sets_of_a_fresh_policy_are_empty_and_those_of_others_unknown() -> None:
    for name, state in (("mine", "passed"), ("theirs", "undecided")):
        rules = f"filter wan -> self {{ drop from {name}; accept ssh; otherwise drop }}"
        assert states(rules, "accept tcp 203.0.113.9 -> self:22 in wan") == [state]


def test_what_no_unknown_condition_changes_is_decided() -> None:
    rules = "filter wan -> self { drop from theirs; otherwise drop }"
    assert states(rules, "drop tcp 203.0.113.9 -> self:22 in wan") == ["passed"]
    rules = "filter wan -> self { accept from theirs; otherwise accept }"
    assert states(rules, "drop tcp 203.0.113.9 -> self:22 in wan") == ["failed"]


def test_no_packet_of_a_test_uses_up_a_limit() -> None:
    """Each packet meets the ruleset as it was loaded, whatever the lines before it sent."""
    rules = "filter wan -> self { accept ssh limit few; otherwise drop }"
    line = "accept tcp 203.0.113.9 -> self:22 in wan"
    assert states(rules, *[line] * 3) == ["passed"] * 3


def test_connections_of_other_lines_are_not_known() -> None:
    rules = "filter lan -> wan { accept ssh; otherwise drop }\nfilter wan -> lan { otherwise drop }"
    opening = "accept tcp 10.0.0.7:40000 -> 203.0.113.9:22 in lan out wan"
    answer = "drop tcp 203.0.113.9:22 -> 10.0.0.7:40000 in wan flags SYN, ACK"
    assert states(rules, opening, answer) == ["passed", "passed"]


def test_a_name_is_one_test_for_each_address() -> None:
    found = api.test(
        f'{HEAD}filter wan -> lan {{ accept http to 10.0.0.5, fd00:10::5 ; otherwise drop }}\n'
        'test "t" { accept tcp 203.0.113.9 -> web:80 in wan; accept tcp 2001:db8::9 -> web:80 in wan }\n'
    ).packets  # fmt: skip
    assert [(one.packet_text, one.state, one.several) for one in found] == [
        ("tcp 203.0.113.9:40000 -> 10.0.0.5:80 in eth0", "passed", True),
        ("tcp 203.0.113.9:40000 -> 10.0.0.6:80 in eth0", "failed", True),
        ("tcp [2001:db8::9]:40000 -> [fd00:10::5]:80 in eth0", "passed", False),
    ]


def test_the_kernels_own_drop_is_a_drop_and_says_so() -> None:
    (found,) = api.test(
        f'{HEAD}require sysctl net.ipv4.conf.all.rp_filter = 1\nfilter wan -> self {{ accept ssh }}\n'
        'test "t" { drop tcp 10.0.0.7 -> self:22 in wan }\n'
    ).packets  # fmt: skip
    assert found.state == "passed"
    assert (
        found.courses[0].fate == "dropped by the kernel itself: an answer would leave by another interface (rp_filter)"
    )


def test_a_dump_has_no_tests() -> None:
    results = api.test("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n")
    assert (results.packets, results.proofs, results.passed) == ((), (), True)


def test_a_rule_is_exercised_where_a_packet_matches_it() -> None:
    coverage = api.test(
        f"{HEAD}filter wan -> self {{ accept ssh as one; accept http, udp/80 as two; drop icmp as three; otherwise drop }}\n"
        'test "t" { accept tcp 203.0.113.9 -> self:80 in wan; drop udp 203.0.113.9 -> self:9 in wan }\n'
    ).coverage
    assert [(one.statement.name, one.exercised) for one in coverage.statements] == [
        ("one", 0), ("two", 1), ("three", 0), ("", 1),
    ]  # fmt: skip
    assert (coverage.exercised, coverage.percent) == (2, 50.0)
    assert [one.statement.name for one in coverage.unexercised] == ["one", "three"]
    assert coverage.rules_exercised < coverage.rules


def test_rules_of_presets_do_not_count() -> None:
    coverage = api.test(f'{HEAD}test "t" {{ accept ping 203.0.113.9 -> self in wan by baseline.ping }}\n').coverage
    assert (coverage.statements, coverage.percent) == ((), 100.0)
