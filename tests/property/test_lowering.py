"""Whatever policy is written: rules that our own reader reads back as they are, or errors at their place."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from property.policies import listed, policies

from policyc import api
from policyc.diagnostics import InputError
from policyc.lowering import lower_source
from policyc.netfilter.own_part import own_part
from policyc.netfilter.ruleset import Ruleset
from policyc.source import Source
from policyc.writers.save import iptables_save, table_text

DEFINITIONS = """\
policy edge { family ip; ownership shared }
zone wan = interface eth0
zone lan = interface eth1, br-+, br-1 network 10.0.0.0/24, 10.0.0.0/25, 10.9.0.1-10.9.0.6
address web = 10.0.0.5, 10.0.0.7-10.0.0.9
set banned = address
limit slow = 6/minute burst 5 per source
limit plain = 10/second
log edge = "edge" limit 1/second burst 3
mark via2 = 0x200/0xff00
schedule office = mon-fri 08:00-12:00, 22:00-02:00 utc
"""
services = listed(
    st.sampled_from(("ssh", "domain", "tcp", "udp/53", "tcp/8000-8010", "icmp/echo-request", "icmp", "gre", "esp"))
)
addresses = listed(st.sampled_from(("web", "banned", "10.0.0.0/8", "10.0.0.5", "192.0.2.1-192.0.2.9", "lan")))
negation = st.sampled_from(("", "not "))
WORDS = (
    st.builds("from {}{}".format, negation, addresses),
    st.builds("to {}{}".format, negation, addresses),
    st.builds("in {}{}".format, negation, listed(st.sampled_from(("eth0", "eth+", "br-7")))),
    st.builds("state {}{}".format, negation, listed(st.sampled_from(("new", "established", "invalid", "untracked")))),
    st.builds("marked {}{}".format, negation, listed(st.sampled_from(("via2", "0x1", "0x4/0x4")))),
    st.builds("during {}office".format, negation),
    st.builds("limit {}".format, st.sampled_from(("slow", "plain"))),
    st.builds("over {}".format, st.sampled_from(("slow", "plain"))),
    st.just('match "-m length --length 100:200"'),
    st.just("log edge"),
)
VERBS = st.sampled_from(("accept", "drop", "reject", "return"))


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A rule of filter INPUT that means something."""
    words = [draw(word) for word in draw(st.lists(st.sampled_from(WORDS), max_size=4, unique_by=id))]
    return " ".join((draw(VERBS), draw(services), *words))


blocks = st.builds(
    "filter {} -> self {{\n  {}\n}}\n".format,
    st.sampled_from(("wan", "lan", "any", "wan, lan")),
    st.lists(lines(), min_size=1, max_size=6).map("\n  ".join),
)
sound_policies = st.lists(blocks, min_size=1, max_size=3).map(lambda found: DEFINITIONS + "".join(found))


def lowered(text: str, *, ids: bool = True) -> Ruleset | None:
    source = Source("any.pol", text)
    try:
        return lower_source(source, ids=ids)
    except InputError as error:
        assert error.diagnostics
        for found in error.diagnostics:
            assert found.span, found
            assert 0 <= found.span.start <= found.span.end <= len(found.span.source.text)
        return None


def check_rules(ruleset: Ruleset) -> None:
    for table in own_part(ruleset).tables:
        written = table_text(table)
        (again,) = api.load(written, family=table.family).tables
        assert table_text(again) == written
        names = [chain.name for chain in table.chains]
        assert len(set(names)) == len(names)
        reached = {rule.target.chain for chain in table.chains for rule in chain.rules if rule.target}
        for chain in table.user_chains:
            assert chain.owner or chain.name in reached
            assert chain.rules
            for rule in chain.rules:
                assert [part.rank for part in rule.parts] == sorted(part.rank for part in rule.parts)
                assert rule.comment.startswith("pc:") or (rule.target and rule.target.chain)


@settings(max_examples=150, deadline=None)
@given(sound_policies)
def test_a_sound_policy_becomes_rules_that_read_back_equal(text: str) -> None:
    ruleset = lowered(text)
    assert ruleset
    check_rules(ruleset)


@settings(max_examples=150, deadline=None)
@given(policies())
def test_any_policy_becomes_rules_or_errors(text: str) -> None:
    if ruleset := lowered(text):
        check_rules(ruleset)


@settings(max_examples=50, deadline=None)
@given(sound_policies)
def test_the_same_policy_gives_the_same_bytes(text: str) -> None:
    one, two, bare = lowered(text), lowered(text), lowered(text, ids=False)
    assert one
    assert two
    assert bare
    assert iptables_save(one, 4) == iptables_save(two, 4)
    assert " --comment " not in iptables_save(bare, 4)
    for table, other in zip(one.tables, bare.tables, strict=True):
        assert [(c.name, len(c.rules)) for c in table.chains] == [(c.name, len(c.rules)) for c in other.chains]


@settings(max_examples=50, deadline=None)
@given(sound_policies, blocks)
def test_what_is_added_below_changes_no_rule_above(text: str, more: str) -> None:
    before, after = lowered(text), lowered(text + more)
    assert before
    assert after
    for table in before.tables:
        for chain in table.chains:
            longer = after.table(4, table.name).chain(chain.name)
            # a limit that a new line names as well gets a counter with a name
            if "-m limit" not in table_text(table):
                assert longer.rules[: len(chain.rules)] == chain.rules
