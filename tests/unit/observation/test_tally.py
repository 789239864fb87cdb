"""Rules of the kernel and of a source find each other, and their counts come together on the source's lines."""

from __future__ import annotations

from policyc import api
from policyc.netfilter.ruleset import Ruleset
from policyc.observation.pairing import pairs
from policyc.observation.tally import Line, tally
from policyc.readers.joining import joined
from policyc.readers.save import read_save
from policyc.source import Source

POLICY = """\
zone net = interface eth0
log noted = "noted"
publish net -> self tcp/8080 becomes 10.0.0.9:80 family ip as site
filter net -> self { drop udp/9 log noted as discard; accept ssh as door; otherwise drop }
"""


def live(source: Ruleset, edit=lambda text: text) -> Ruleset:
    """What the kernel holds: the text of the source, each rule with 1 packet of 10 bytes."""
    found = []
    for family in (4, 6):
        lines = [
            f"[1:10] {line}" if line.startswith("-A ") else line
            for line in api.iptables_save(source, family).splitlines()
        ]
        found.append(read_save(Source("kernel", edit("\n".join(lines) + "\n")), family))
    return joined(found)


def policy() -> Ruleset:
    return api.load(POLICY, name="host.pol")


def line(lines: tuple[Line, ...], name: str) -> Line:
    (found,) = [one for one in lines if one.name == name]
    return found


def test_every_rule_finds_itself() -> None:
    source = policy()
    found = pairs(source, live(source))
    assert len(found.of_live) == sum(1 for _ in source.rules()) == len(found.of_source)
    assert all(here == there for here, (there, _) in found.of_live.items())


def test_rules_pair_by_their_id_whatever_the_kernel_made_of_their_text() -> None:
    source = policy()
    found = tally(source, live(source, lambda text: text.replace("--dport 22", "--dport 22:22")), "nft")
    assert line(found.lines, "door").packets == 2
    assert not found.others


def test_equal_rules_pair_in_their_order() -> None:
    text = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j LOG\n-A INPUT -s 192.0.2.1 -j DROP\n-A INPUT -j LOG\nCOMMIT\n"
    source = read_save(Source("a", text), 4)
    counted = read_save(Source("kernel", text.replace("-A INPUT -j LOG", "[3:30] -A INPUT -j LOG", 1)), 4)
    assert [one.packets for one in tally(source, counted, "nft").lines] == [3, 0, 0]


def test_only_deciding_rules_count() -> None:
    source = policy()
    found = tally(source, live(source), "nft")
    discard, site = line(found.lines, "discard"), line(found.lines, "site")
    assert (discard.packets, discard.size, len(discard.rules)) == (2, 20, 4)  # LOG and DROP of each family
    assert {rule.place.table for rule in site.rules if rule.counts} == {"filter"}
    assert {rule.place.table for rule in site.rules} == {"nat", "filter"}


def test_a_line_of_which_nothing_is_in_the_kernel_is_not_idle() -> None:
    found = tally(policy(), Ruleset(), "")
    assert all(one.missing and not one.rules and not one.is_idle for one in found.lines)
    assert found.is_policy
    assert not tally(Ruleset(), Ruleset(), "").is_policy


def test_what_only_the_kernel_has() -> None:
    source = policy()
    found = tally(
        source, live(source, lambda text: text.replace("COMMIT", "[4:5] -A INPUT -i eth9 -j DROP\nCOMMIT")), "nft"
    )
    assert {(rule.place.family, rule.packets) for rule in found.others} >= {(4, 4)}
    assert all(rule.place.span is None for rule in found.others)


def test_rules_of_an_engine_are_not_missed() -> None:
    source = api.load(
        "policy host { ownership shared }\ndocker {\n  engine 28\n  network n = bridge br-n subnet 172.30.0.0/16\n}\nzone apps = interface br-n\n",
        name="host.pol",
    )
    found = tally(source, Ruleset(), "")
    assert any(rule.owner for _, _, _, rule in source.rules())
    assert not any(place.owner for one in found.lines for place in one.missing)
    assert found.is_shared
