"""What a Ruleset keeps of its policy besides the rules: zones, statements, settings, sets; and what `ids` changes."""

from __future__ import annotations

import pytest

from policyc.diagnostics import InputError
from policyc.lowering import PASSES, lower_source
from policyc.netfilter.intent import Intent
from policyc.netfilter.ruleset import Ruleset
from policyc.source import Source
from policyc.writers.save import iptables_save

HEAD = """\
policy edge { ownership shared }
zone wan = interface eth0 address 192.0.2.1/24
zone lan = interface eth1 network 10.0.0.0/24, 10.1.0.0-10.1.0.2, fd00:10::/64 owner libvirt
"""


def lowered(text: str, *, ids: bool = True) -> Ruleset:
    return lower_source(Source("edge.pol", HEAD + text), ids=ids)


def intent(text: str) -> Intent:
    found = lowered(text).intent
    assert found
    return found


def settings(text: str) -> dict[str, str]:
    return {one.name: one.value for one in intent(text).sysctls}


def test_a_pass_stands_in_the_file_of_its_name() -> None:
    for run in PASSES:
        assert run.__module__.rpartition(".")[2] == run.__name__


def test_zones_and_their_networks() -> None:
    wan, lan = intent("filter wan -> lan { accept ssh }").zones
    assert [str(network) for network in wan.addresses] == ["192.0.2.1/24"]
    assert (lan.interfaces, lan.owner) == (("eth1",), "libvirt")
    assert [str(network) for network in lan.networks] == ["10.0.0.0/24", "10.1.0.0/31", "10.1.0.2/32", "fd00:10::/64"]


def test_every_statement_is_recorded_once_with_its_line() -> None:
    found = intent("filter wan -> self, lan {\n  accept ssh as door  # for the admins\n  otherwise drop\n}").statements
    assert [(one.name, one.span.line, one.description) for one in found] == [("door", 5, "for the admins"), ("", 6, "")]
    assert all(len(one.id) == 8 for one in found)


def test_comments_lead_back_to_statements() -> None:
    ruleset = lowered("filter wan -> self, lan { accept ssh, domain as door; otherwise drop }")
    assert ruleset.intent
    known = {f"pc:{one.id}" + (f" {one.name}" if one.name else "") for one in ruleset.intent.statements}
    comments = {rule.comment for _, _, _, rule in ruleset.rules() if rule.comment}
    assert comments == known


def test_without_ids_there_are_no_comments_and_no_ids_in_log_lines() -> None:
    text = 'log edge = "edge"\nfilter wan -> self { otherwise drop log edge }'
    assert '--log-prefix "edge "' in iptables_save(lowered(text, ids=False), 4)
    assert "--comment" not in iptables_save(lowered(text, ids=False), 4)
    assert '--log-prefix "edge kuq' not in iptables_save(lowered(text, ids=False), 4)
    assert iptables_save(lowered(text), 4).count("pc:") == 2


FORWARD4, FORWARD6 = "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("filter wan -> self { accept ssh }", {}),
        ("filter any -> any { use baseline }", {}),  # answers to nothing: a laptop
        ("filter wan -> lan { otherwise drop }", {}),
        ("filter wan -> lan { accept ssh }", {FORWARD4: "1", FORWARD6: "1"}),
        ("filter wan -> lan { accept ssh family ip }", {FORWARD4: "1"}),
        ("nat lan -> wan { otherwise masquerade family ip }", {FORWARD4: "1"}),
        ("nat wan -> self { redirect tcp/80 becomes :8080 }", {}),
        ("nat wan -> self { dnat tcp/80 becomes 10.0.0.5 }", {FORWARD4: "1"}),
        ("nat self -> any { dnat tcp/80 becomes 10.0.0.5 }", {}),
        ("netmap fd00:1::/64 <-> fd00:2::/64 on wan", {FORWARD6: "1"}),
        ("synproxy wan -> self tcp/80", {"net.netfilter.nf_conntrack_tcp_loose": "0"}),
        (
            "nat wan -> self { dnat tcp/80 becomes 127.0.0.1:8080 }",
            {FORWARD4: "1", "net.ipv4.conf.all.route_localnet": "1"},
        ),
        ("require sysctl net.ipv4.ip_forward = 1\nfilter wan -> lan { accept ssh family ip }", {FORWARD4: "1"}),
    ],
)
def test_settings_that_statements_need(text: str, wanted: dict[str, str]) -> None:
    assert settings(text) == wanted


def test_a_requirement_of_the_policy_says_so() -> None:
    (found,) = intent("require sysctl net.ipv4.ip_forward = 1\nfilter wan -> lan { accept ssh family ip }").sysctls
    assert found.why == "require sysctl"


def test_a_set_for_each_family_and_others_sets_by_their_name() -> None:
    sets = lowered(
        'set a = network timeout 1h\nset b = address owner f2b name "f2b-sshd"\nfilter wan -> self { drop from a }'
    ).sets
    assert [(one.name, one.kind, one.family, one.timeout, one.owner) for one in sets] == [
        ("a.4", "hash:net", 4, 3600, ""),
        ("a.6", "hash:net", 6, 3600, ""),
        ("f2b-sshd", "hash:ip", 4, None, "f2b"),
        ("f2b-sshd", "hash:ip", 6, None, "f2b"),
    ]


def test_all_errors_come_at_once_and_none_twice() -> None:
    text = 'filter wan, lan -> self { drop proto/0; drop tcp/1 match "--nothing"; jump "NFQUEUE --queue-num x" tcp/2 }'
    with pytest.raises(InputError) as error:
        lowered(text)
    assert len(error.value.diagnostics) == 3


def test_warnings_are_notes_of_the_ruleset() -> None:
    text = "limit few = 5 connections\nfilter wan -> self { accept ssh limit few; drop ssh over few }"
    assert [found.name for found in lowered(text).notes] == ["separate-counts"]
