"""What `show` prints of a policy: statements in source order, their ids and descriptions, every kernel rule they made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from policyc import api
from policyc.netfilter.intent import Intent, Statement, Sysctl
from policyc.netfilter.ipset import IpSet
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Ruleset
from policyc.report.show import show_json, show_text
from policyc.report.style import Style
from policyc.source import Source, Span

HERE = Path(__file__).parent

POLICY = Source(
    "edge.pol",
    "filter any -> self {\n"
    "  use baseline\n"
    "}\n"
    "publish wan -> self tcp/8080 becomes web:80\n"
    "        hairpin lan, self as site   # the shop\n",
)
DUMP = """\
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 8080 -m comment --comment "pc:kmqzplwt site" -j ACCEPT
COMMIT
*filter
:INPUT ACCEPT [0:0]
:edge.input - [0:0]
-A INPUT -j edge.input
-A edge.input -i lo -m comment --comment "pc:aaaabbbb baseline.lo" -j ACCEPT
-A edge.input -p icmp -m comment --comment "pc:ccccdddd baseline.ping" -j ACCEPT
-A edge.input -p tcp -m tcp --dport 8080 -m comment --comment "pc:kmqzplwt site" -j ACCEPT
COMMIT
"""


def place(text: str) -> Span:
    start = POLICY.text.index(text)
    return POLICY.span(start, start + len(text))


USE = place("use baseline")
PUBLISH = place("publish wan -> self tcp/8080 becomes web:80\n        hairpin lan, self as site")


def lowered() -> Ruleset:
    """A ruleset as the lowering makes it: rules with places in the policy, statements in the intent."""

    def moved(rule: Rule) -> Rule:
        span = USE if "baseline" in rule.comment else PUBLISH if "site" in rule.comment else None
        return Rule(rule.parts, span, rule.counters, rule.owner)

    read = api.load(DUMP, family=4)
    tables = tuple(
        replace(t, chains=tuple(replace(c, rules=tuple(map(moved, c.rules))) for c in t.chains)) for t in read.tables
    )
    statements = (
        Statement("aaaabbbb", "baseline.lo", USE),
        Statement("ccccdddd", "baseline.ping", USE),
        Statement("kmqzplwt", "site", PUBLISH, "the shop"),
    )
    intent = Intent("edge", sysctls=(Sysctl("net.ipv4.ip_forward", "1", "publish"),), statements=statements)
    return Ruleset(tables, (IpSet("banned.4", "hash:ip", 4, timeout=3600),), intent)


def test_what_show_prints_of_a_policy(golden) -> None:
    golden(HERE / "policy.show", show_text(lowered()))
    golden(HERE / "policy.show-json", show_json(lowered()))


def test_every_rule_is_shown_once() -> None:
    text = show_text(lowered())
    for table, chain, number, _ in lowered().rules():
        assert text.count(f" {table.name}/{chain.name} #{number} ") == 1


def test_colours_change_nothing_but_colours() -> None:
    import re

    coloured = show_text(lowered(), Style(colour=True))
    assert coloured != show_text(lowered())
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == show_text(lowered())
