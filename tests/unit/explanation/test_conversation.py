"""A conversation turn by turn, with the connection that it makes."""

from __future__ import annotations

from router import SYN, filter_table, router

from policyc import api
from policyc.explanation.outcomes import Situation
from policyc.explanation.replies import answer_to, conversation
from policyc.simulation.recorded import packet_of
from policyc.simulation.view import PacketView

REPLIES = "FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
NAT = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i w0 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.2.15:8443\nCOMMIT\n"


def turns(dump: str, **packet: object) -> list[tuple[str, str, str]]:
    host = router()
    found = conversation(Situation(api.load(dump), host), packet_of(SYN | packet, host))
    return [(turn.name, turn.way.packet.ct_state, turn.way.trace.verdict) for turn in found]


def test_a_whole_tcp_conversation() -> None:
    assert turns(filter_table(REPLIES, "FORWARD -p tcp --syn -j ACCEPT")) == [
        ("SYN", "NEW", "FORWARDED"),
        ("SYN,ACK", "ESTABLISHED", "FORWARDED"),
        ("ACK", "ESTABLISHED", "FORWARDED"),
        ("data", "ESTABLISHED", "FORWARDED"),
        ("ACK", "ESTABLISHED", "FORWARDED"),
        ("FIN", "ESTABLISHED", "FORWARDED"),
        ("FIN", "ESTABLISHED", "FORWARDED"),
    ]


def test_without_a_rule_for_replies_the_answer_is_the_end() -> None:
    assert turns(filter_table("FORWARD -i w0 -j ACCEPT")) == [
        ("SYN", "NEW", "FORWARDED"),
        ("SYN,ACK", "ESTABLISHED", "DROPPED"),
    ]


def test_an_answer_of_this_host_goes_out() -> None:
    found = turns(filter_table("OUTPUT -m conntrack --ctstate INVALID -j DROP"), dst="203.0.113.1", proto="udp")
    assert found == [("packet", "NEW", "LOCAL"), ("packet", "ESTABLISHED", "SENT")]


def test_a_ping_and_its_answer() -> None:
    found = turns(filter_table(REPLIES, "FORWARD -p icmp -j ACCEPT"), proto="icmp", icmp_type=8, icmp_id=7)
    assert found == [("packet", "NEW", "FORWARDED"), ("packet", "ESTABLISHED", "FORWARDED")]


def test_the_answer_is_translated_back() -> None:
    host = router()
    situation = Situation(api.load(NAT), host)
    there = situation.walk(packet_of(SYN | {"dst": "203.0.113.1"}, host))
    answer = answer_to(there)
    assert answer is not None
    assert PacketView.of(answer).text == "tcp 10.0.2.15:8443 -> 203.0.113.9:51000"
    back = Situation(situation.ruleset, host, (there.sent,)).walk(answer)
    assert PacketView.of(back.packet).text == "tcp 203.0.113.1:443 -> 203.0.113.9:51000"


def test_nobody_answers_what_did_not_arrive() -> None:
    host = router()
    way = Situation(api.load(filter_table()), host).walk(packet_of(SYN, host))
    assert answer_to(way) is None


def test_neighbours_answer_each_other_past_this_host() -> None:
    hairpin = filter_table(REPLIES, "FORWARD -p tcp --syn -j ACCEPT") + NAT.replace("-i w0", "-d 203.0.113.1")
    assert turns(hairpin, iface="d0", src="10.0.2.7", dst="203.0.113.1") == [("SYN", "NEW", "FORWARDED")]


def test_neighbours_whose_source_is_translated_answer_through_this_host() -> None:
    both = NAT.replace("-i w0", "-d 203.0.113.1").replace(
        "COMMIT", ":POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o d0 -j MASQUERADE\nCOMMIT"
    )
    hairpin = filter_table(REPLIES, "FORWARD -p tcp --syn -j ACCEPT") + both
    assert len(turns(hairpin, iface="d0", src="10.0.2.7", dst="203.0.113.1")) == 7
