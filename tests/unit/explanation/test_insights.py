"""What is learnt from a packet's fate: where each insight is told, and where it would be wrong to tell it."""

from __future__ import annotations

import pytest
from router import SYN, filter_table, router

from policyc import api
from policyc.explanation.explain import explain
from policyc.explanation.insights.insight import Insight, Kind
from policyc.explanation.placing import Placement
from policyc.simulation.recorded import packet_of

KNOWN = "FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
PUBLISHED = """\
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER ! -i d0 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.2.15:8443
COMMIT
"""
TO_HOST = {"dst": "203.0.113.1"}


def learnt(dump: str, **packet: object) -> dict[Kind, Insight]:
    """Return the insights into the SYN of the tests' router, some of whose fields are changed."""
    host = router()
    found = explain(api.load(dump), (Placement(packet_of(SYN | packet, host), host),), "")
    return {one.kind: one for one in found.insights}


def rules_of(insight: Insight) -> list[str]:
    return [place.name for place in insight.places]


# ---------------------------------------------------------------------- order
def test_a_rule_for_the_packet_stands_below_one_that_closes() -> None:
    found = learnt(filter_table(KNOWN, "FORWARD -i w0 -j DROP", "FORWARD -d 10.0.2.15 -p tcp --dport 443 -j ACCEPT"))
    assert rules_of(found[Kind.ACCEPTED_BELOW]) == ["filter/FORWARD #2", "filter/FORWARD #3"]
    assert found[Kind.ACCEPTED_BELOW].help == "move filter/FORWARD #3 above filter/FORWARD #2"


def test_order_across_chains() -> None:
    found = learnt(
        filter_table("FORWARD -j early", "FORWARD -j late", "early -j DROP", "late -p tcp --dport 443 -j ACCEPT")
    )
    assert rules_of(found[Kind.ACCEPTED_BELOW]) == ["filter/early #1", "filter/late #1"]


@pytest.mark.parametrize(
    "rules",
    [
        ("FORWARD -s 203.0.113.0/24 -j DROP", "FORWARD -p tcp --dport 443 -j ACCEPT"),
        ("FORWARD -m limit --limit 1/hour -j DROP", "FORWARD -p tcp --dport 443 -j ACCEPT"),
        ("FORWARD -j early", "FORWARD -d 10.0.2.15 -p tcp --dport 443 -j ACCEPT", "early -d 10.0.2.15 -j DROP"),
        ("FORWARD -j DROP", "FORWARD -p tcp --dport 80 -j ACCEPT"),
    ],
    ids=["about somebody", "about rates", "about a server, in another chain", "nothing below accepts it"],
)
def test_what_refuses_on_purpose_is_not_about_order(rules: tuple[str, ...]) -> None:
    assert Kind.ACCEPTED_BELOW not in learnt(filter_table(*rules))


# ---------------------------------------------------------------------- published ports
def test_a_port_closed_in_forward_is_open_for_this_host() -> None:
    found = learnt(PUBLISHED + filter_table("FORWARD -d 10.0.2.15 -j REJECT"), **TO_HOST)
    assert "to 203.0.113.1:443 or 10.0.2.15:8443, pass OUTPUT" in found[Kind.OPEN_ANOTHER_WAY].text
    assert Kind.TRANSLATED_NOT_ACCEPTED not in found


def test_a_port_closed_for_this_host_too() -> None:
    closed = filter_table("FORWARD -d 10.0.2.15 -j REJECT", "OUTPUT -d 10.0.2.15 -j REJECT")
    assert Kind.OPEN_ANOTHER_WAY not in learnt(PUBLISHED + closed, **TO_HOST)


def test_a_port_that_nothing_accepts_is_not_closed_on_purpose() -> None:
    found = learnt(PUBLISHED + filter_table(KNOWN), **TO_HOST)
    assert Kind.OPEN_ANOTHER_WAY not in found
    assert Kind.TRANSLATED_NOT_ACCEPTED in found


@pytest.mark.parametrize(("policy", "told"), [("DROP", True), ("ACCEPT", False)])
def test_input_is_spoken_of_where_it_would_have_refused(policy: str, told: bool) -> None:
    rules = filter_table(forward="ACCEPT").replace(":INPUT ACCEPT", f":INPUT {policy}")
    assert (Kind.INPUT_NEVER_VISITED in learnt(PUBLISHED + rules, **TO_HOST)) is told


def test_who_forwards_a_port_by_hand_knows_that_input_is_not_visited() -> None:
    by_hand = "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp --dport 443 -j DNAT --to-destination 10.0.2.15\nCOMMIT\n"
    rules = filter_table(forward="ACCEPT").replace(":INPUT ACCEPT", ":INPUT DROP")
    assert Kind.INPUT_NEVER_VISITED not in learnt(by_hand + rules, **TO_HOST)


# ---------------------------------------------------------------------- this host's own packets
OWN = {"dir": "out", "iface": None, "src": "127.0.0.1", "dst": "127.0.0.1"}


def test_a_published_port_asked_at_loopback() -> None:
    found = learnt(PUBLISHED + filter_table(), **OWN)
    assert rules_of(found[Kind.LOOPBACK_LEFT_OUT]) == ["nat/OUTPUT #1"]
    assert Kind.OWN_TRAFFIC_UNTRANSLATED not in found


def test_a_port_that_is_not_published_asked_at_loopback() -> None:
    assert learnt(PUBLISHED + filter_table(), **OWN, dport=25) == {}


# ---------------------------------------------------------------------- sources
def test_a_server_that_does_not_see_its_clients() -> None:
    hidden = "*nat\n:PREROUTING ACCEPT\n:POSTROUTING ACCEPT\n-A PREROUTING -d 203.0.113.1 -p tcp --dport 443 -j DNAT --to-destination 10.0.2.15\n-A POSTROUTING -d 10.0.2.15 -j MASQUERADE\nCOMMIT\n"
    found = learnt(hidden + filter_table(forward="ACCEPT"), **TO_HOST)
    assert found[Kind.CLIENT_HIDDEN].text.startswith("10.0.2.15 sees 10.0.2.1 instead of 203.0.113.9; its log")
    hairpin = learnt(hidden + filter_table(forward="ACCEPT"), **TO_HOST, iface="d0", src="10.0.2.7")
    assert "so that it answers through this host" in hairpin[Kind.CLIENT_HIDDEN].text
    assert Kind.ANSWERED_DIRECTLY not in hairpin
