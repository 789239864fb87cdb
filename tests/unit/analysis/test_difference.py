"""Two rulesets compared: what is told, what is equal although it reads otherwise, what is not known."""

from __future__ import annotations

import pytest

from policyc import api
from policyc.analysis import compared
from policyc.analysis.difference import Difference

SSH, BAD = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", "-A INPUT -s 203.0.113.0/24 -j DROP"


def table(
    *rules: str, name: str = "filter", policies: str = "INPUT DROP;FORWARD DROP;OUTPUT ACCEPT", chains: str = ""
) -> str:
    heads = [f":{each} [0:0]" for each in policies.split(";")] + [f":{each} - [0:0]" for each in chains.split()]
    return "\n".join((f"*{name}", *heads, *rules, "COMMIT", ""))


def mangle(*rules: str) -> str:
    return table(
        *rules, name="mangle", policies="PREROUTING ACCEPT;INPUT ACCEPT;FORWARD ACCEPT;OUTPUT ACCEPT;POSTROUTING ACCEPT"
    )


def nat(*rules: str) -> str:
    return table(*rules, name="nat", policies="PREROUTING ACCEPT;INPUT ACCEPT;OUTPUT ACCEPT;POSTROUTING ACCEPT")


def diff(a: str, b: str, family: int = 4) -> Difference:
    return api.diff(api.load(a, family=family), api.load(b, family=family))


def told(found: Difference) -> list[tuple[str, str, str, int, int]]:
    return [(one.hook, one.before, one.now, one.a.place.number, one.b.place.number) for one in found.changes]


# ---------------------------------------------------------------- equal
@pytest.mark.parametrize(
    ("a", "b"),
    [
        (table(SSH, BAD), table(SSH, BAD)),
        (table(SSH, "-A INPUT -p udp -j ACCEPT"), table("-A INPUT -p udp -j ACCEPT", SSH)),
        (table(SSH), table(SSH.replace("-j", "-m comment --comment door -j"))),
        (table(SSH), table("-A INPUT -j LOG", SSH)),
        (table(SSH), table("-A INPUT -j door", "-A door -p tcp -m tcp --dport 22 -j ACCEPT", chains="door")),
        (table(SSH), table(SSH, "-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j DROP")),
        (table("-A INPUT -s 10.0.0.0/8 -j DROP"), table("-A INPUT -s 10.0.0.0/9 -j DROP", "-A INPUT -s 10.128.0.0/9 -j DROP")),
        (table(SSH), table(SSH) + mangle()),
        # Dropped in both, in one earlier than in the other.
        (mangle("-A INPUT -p udp -j DROP") + table(SSH), table(SSH)),
        (table("-A INPUT -p udp -m limit --limit 5/min -j ACCEPT"), table("-A INPUT -p udp -m limit --limit 5/min -j ACCEPT", BAD)),
        (mangle("-A FORWARD -j CONNMARK --restore-mark"), mangle("-A FORWARD -j CONNMARK --restore-mark", "-A FORWARD -j CONNMARK --restore-mark")),
        (mangle("-A FORWARD -j MARK --set-mark 1", "-A FORWARD -j MARK --set-mark 2"), mangle("-A FORWARD -j MARK --set-mark 2")),
    ],
)  # fmt: skip
def test_equal(a: str, b: str) -> None:
    found = diff(a, b)
    assert found.equal, found.to_dict()
    assert diff(b, a).equal


# ---------------------------------------------------------------- different
def test_a_moved_rule() -> None:
    found = diff(table(BAD, SSH), table(SSH, BAD))
    assert told(found) == [("INPUT", "DROP", "ACCEPT", 1, 1)]
    packet = found.changes[0].witness.packet
    assert (packet["src"][:10], packet["dport"], packet["ctstate"]) == ("203.0.113.", 22, "NEW")


def test_a_policy() -> None:
    found = diff(table(SSH), table(SSH, policies="INPUT ACCEPT;FORWARD DROP;OUTPUT ACCEPT"))
    assert told(found) == [("INPUT", "DROP", "ACCEPT", 0, 0)]
    assert found.changes[0].a.rule is None


def test_the_kind_of_reject() -> None:
    found = diff(table("-A INPUT -p tcp -j REJECT --reject-with tcp-reset"), table("-A INPUT -p tcp -j REJECT"))
    assert told(found) == [("INPUT", "REJECT", "REJECT", 1, 1)]
    assert found.changes[0].becomes == {"reject_with": ("tcp-reset", "icmp-port-unreachable")}


def test_a_translation() -> None:
    rule = "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:8080"
    open_table = table("-A FORWARD -j ACCEPT")
    found = diff(nat(rule) + open_table, nat(rule.replace("0.5", "0.6")) + open_table)
    assert told(found) == [("PREROUTING", "ACCEPT", "ACCEPT", 1, 1)]
    assert found.changes[0].becomes["translation"][1] == "DNAT --to-destination 10.0.0.6:8080"
    assert found.changes[0].witness.packet["ctstate"] == "NEW"


def test_marks_that_no_rule_tests() -> None:
    found = diff(mangle("-A FORWARD -j MARK --set-mark 1"), mangle("-A FORWARD -j MARK --set-mark 2"))
    assert found.changes[0].becomes == {"mark": ("0x1", "0x2")}


def test_a_mark_that_is_saved_before_it_is_taken_back() -> None:
    rules = (
        "-A FORWARD -j MARK --set-mark {}",
        "-A FORWARD -j CONNMARK --save-mark",
        "-A FORWARD -j MARK --set-mark 0",
    )
    found = diff(*(mangle(*(rule.format(mark) for rule in rules)) for mark in (1, 2)))
    assert found.changes[0].becomes == {"connmark": ("0x1", "0x2")}


@pytest.mark.parametrize(("what", "name"), [("--save-mark", "connmark"), ("--restore-mark", "mark")])
def test_marks_that_are_copied(what: str, name: str) -> None:
    found = diff(mangle(), mangle(f"-A FORWARD -i eth0 -j CONNMARK {what}"))
    assert [list(one.becomes) for one in found.changes] == [[name]]


def test_a_mark_that_a_later_rule_tests() -> None:
    tested = "-A PREROUTING -m mark --mark 1 -j DROP"
    found = diff(
        mangle("-A PREROUTING -i eth0 -j MARK --set-mark 1", tested),
        mangle("-A PREROUTING -i eth1 -j MARK --set-mark 1", tested),
    )
    assert {one.witness.packet["in"] for one in found.changes} == {"eth0", "eth1"}
    assert {(one.before, one.now) for one in found.changes} == {("DROP", "ACCEPT"), ("ACCEPT", "DROP")}


def test_only_later_packets_of_connections() -> None:
    rules = (
        "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT",
        "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    )
    found = diff(*(table(rule) for rule in rules))
    assert [one.witness.packet["ctstate"] for one in found.changes] == ["RELATED"]


def test_ipv6() -> None:
    found = diff(table("-A INPUT -s 2001:db8::/32 -j ACCEPT"), table("-A INPUT -s 2001:db8::/33 -j ACCEPT"), family=6)
    assert told(found) == [("INPUT", "ACCEPT", "DROP", 1, 0)]
    assert found.changes[0].witness.packet["src"].startswith("2001:db8:8000:")


def test_every_pair_of_deciding_rules_is_told() -> None:
    ports = [f"-A INPUT -p tcp -m tcp --dport {port} -j ACCEPT" for port in (22, 80, 443)]
    found = diff(table(*ports), table("-A INPUT -s 203.0.113.0/24 -j DROP", *ports))
    assert told(found) == [("INPUT", "ACCEPT", "DROP", number, 1) for number in (1, 2, 3)]


def test_many_changes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policyc.analysis.difference.MOST_CHANGES", 2)
    ports = [f"-A INPUT -p tcp -m tcp --dport {port} -j ACCEPT" for port in range(20, 30)]
    found = diff(table(*ports), table("-A INPUT -p tcp -j DROP", *ports))
    assert (len(found.changes), found.more) == (2, 8)


# ---------------------------------------------------------------- conditions, and what is not compared
def test_conditions_that_differ() -> None:
    rule = "-A INPUT -p udp -m limit --limit {}/min -j ACCEPT"
    found = diff(table(rule.format(5)), table(rule.format(10)))
    assert (found.equal, found.changes) == (False, ())
    assert found.conditions == ("-m limit --limit 5/min (filter INPUT)", "-m limit --limit 10/min (filter INPUT)")


def test_a_condition_that_both_have_is_part_of_the_witness() -> None:
    rule = '-A INPUT -m string --string "x" --algo bm -j {}'
    found = diff(table(rule.format("ACCEPT")), table(rule.format("REJECT")))
    assert told(found) == [("INPUT", "ACCEPT", "REJECT", 1, 1)]
    assert [text.split("` ")[1] for text in found.changes[0].witness.assumes] == ["holds"]


def test_the_queues_of_programs_are_told_apart() -> None:
    rule = "-A INPUT -p udp -j NFQUEUE --queue-num {}"
    found = diff(table(rule.format(1)), table(rule.format(2)))
    assert (found.equal, len(found.conditions)) == (False, 2)


@pytest.mark.parametrize(
    "rule",
    [
        "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1400",
        "-j TTL --ttl-set 64",
        "-m recent --set --name seen",
    ],
)
def test_effects_that_are_not_compared_are_named(rule: str) -> None:
    found = diff(mangle(), mangle(f"-A FORWARD {rule}"))
    assert (found.equal, found.changes) == (False, ())
    assert [(one.side, one.seen.place.chain) for one in found.beside] == [("b", "FORWARD")]


def test_too_much_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compared, "MOST_NODES", 20)
    found = diff(table(SSH), table(SSH.replace("22", "23")))
    assert (found.equal, found.exact, found.differs) == (False, False, False)
    assert "too entangled" in found.doubts[0]


def test_a_circle_of_jumps_is_undecided() -> None:
    found = diff(table("-A INPUT -j a", "-A a -j b", "-A b -j a", chains="a b"), table(SSH))
    assert not found.equal
    assert "circle" in found.doubts[0]


# ---------------------------------------------------------------- a policy and a host
POLICY = """\
policy edge { ownership shared }
zone wan = interface eth0
filter any -> self { use baseline }
filter wan -> self { accept ssh as door; otherwise drop }
"""
AROUND = """\
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
-A FORWARD -j DOCKER
-A DOCKER -o docker0 -j ACCEPT
"""


def on_a_host(policy: str) -> str:
    """The tables of a host that the policy was loaded on, beside Docker."""
    texts = []
    for family, word in ((4, "iptables"), (6, "ip6tables")):
        text = (
            api.compile(policy, family)
            .replace("*filter\n", f"*filter\n{AROUND}", 1)
            .replace("-I INPUT 1 ", "-A INPUT ")
        )
        texts.append(f"# Generated by {word}-save\n{text}")
    return "".join(texts)


def test_a_shared_policy_is_compared_with_its_part_of_a_host() -> None:
    found = api.diff(on_a_host(POLICY), POLICY)
    assert (found.equal, found.ours) == (True, True), found.to_dict()


@pytest.mark.parametrize(
    ("was", "now"), [("--dport 22 ", "--dport 23 "), ("-A INPUT -j edge.input", "-A INPUT -i eth9 -j ACCEPT")]
)
def test_drift_of_a_shared_policy(was: str, now: str) -> None:
    host = on_a_host(POLICY)
    assert was in host
    found = api.diff(host.replace(was, now), POLICY)
    assert found.changes
    assert all(one.hook == "INPUT" for one in found.changes)
