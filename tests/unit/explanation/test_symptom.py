"""A symptom against what the rules lead to: every pair has an answer, and the answer fits."""

from __future__ import annotations

import pytest

from policyc.explanation.sender import Seen, SenderView
from policyc.explanation.symptom import Symptom, explain_symptom, parse_symptom
from policyc.net.headers import Headers
from policyc.simulation.headers import packet_of
from policyc.simulation.view import PacketView

ERRNOS = {
    Seen.REFUSED: "ECONNREFUSED", Seen.RESET: "ECONNRESET", Seen.UNREACHABLE: "EHOSTUNREACH", Seen.PROHIBITED: "EHOSTUNREACH",
    Seen.EXPIRED: "EHOSTUNREACH", Seen.TIMEOUT: "ETIMEDOUT", Seen.EPERM: "EPERM", Seen.NO_ROUTE: "ENETUNREACH", Seen.TOO_BIG: "EMSGSIZE",
}  # fmt: skip
# What a program reports as the symptom beside what is called so: IPv4 has one errno for most of ICMP's errors.
ALIKE = {
    Symptom.UNREACHABLE: {Seen.PROHIBITED, Seen.EXPIRED, Seen.NO_ROUTE},
    Symptom.NO_ROUTE: {Seen.UNREACHABLE, Seen.PROHIBITED, Seen.EXPIRED},
}
TCP_V4 = PacketView.of(packet_of(Headers(4, 1, 0xC0000201, 6, sport=5, dport=443)))
UDP_V6 = PacketView.of(packet_of(Headers(6, 1, 2, 17, sport=5, dport=53)))


def view(
    kind: Seen, errno: str | None = None, because: str = "rule 1 of filter/INPUT drops it", program: str = "connect()"
) -> SenderView:
    return SenderView(
        kind, ERRNOS.get(kind, "") if errno is None else errno, f"sees {kind.value}", None, because, program
    )


@pytest.mark.parametrize("packet", [TCP_V4, UDP_V6], ids=["tcp", "udp"])
@pytest.mark.parametrize("kind", list(Seen))
@pytest.mark.parametrize("symptom", list(Symptom))
def test_every_pair(symptom: Symptom, kind: Seen, packet: PacketView) -> None:
    found = explain_symptom(symptom, [view(kind)], packet)
    fits = kind.value == symptom.value or kind in ALIKE.get(symptom, set())
    assert found.explained is (None if kind is Seen.UNKNOWN else fits)
    assert bool(found.causes) is (found.explained is False)
    assert found.view.kind is kind
    assert "{" not in "".join(found.causes) + found.text
    assert len(set(found.causes)) == len(found.causes)
    if found.explained:
        assert found.text == f"this explains it: rule 1 of filter/INPUT drops it (sees {kind.value})"


def test_what_leads_to_it_where_the_rules_let_it_pass() -> None:
    found = explain_symptom(Symptom.REFUSED, [view(Seen.ANSWER, because="")], TCP_V4)
    assert found.text == "the rules let the packet pass, so `refused` comes from somewhere else"
    assert found.causes == (
        "nothing listens there, or only on 127.0.0.1 or on the other address family: `ss -ltn` at the receiver",
        "the packet is not translated where that is expected: 192.0.2.1 itself answers instead of a host behind it",
        "another firewall rejects it, on the way or at the receiver",
    )
    found = explain_symptom(Symptom.TIMEOUT, [view(Seen.ANSWER, because="")], TCP_V4)
    assert found.text.startswith("the rules let the packet pass, so it is its answer that is lost")
    assert "--reply" in found.causes[0]
    unreachable = explain_symptom(Symptom.UNREACHABLE, [view(Seen.ANSWER, because="")], UDP_V6)
    assert "neighbour discovery" in unreachable.causes[0]


def test_a_timeout_where_the_rules_reject() -> None:
    found = explain_symptom(Symptom.TIMEOUT, [view(Seen.REFUSED, because="rule 1 of filter/INPUT rejects it")], TCP_V4)
    assert found.text == "this does not explain it: rule 1 of filter/INPUT rejects it (sees refused)"
    assert found.causes[0].startswith("the answer is dropped on its way back")


def test_refused_where_the_rules_drop() -> None:
    found = explain_symptom(Symptom.REFUSED, [view(Seen.TIMEOUT)], TCP_V4)
    assert (
        found.causes[0]
        == "another firewall or host nearer to the sender answers `refused` before the packet comes here"
    )
    assert any("older than the rules" in cause for cause in found.causes)


def test_the_sender_itself_refuses_and_says_it_differently() -> None:
    found = explain_symptom(Symptom.EPERM, [view(Seen.TIMEOUT)], TCP_V4)
    assert (
        found.causes[0]
        == "the sender's own host refuses it before it is sent: its rules in OUTPUT (`Operation not permitted`)"
    )
    assert explain_symptom(Symptom.TIMEOUT, [view(Seen.EPERM)], UDP_V6).causes[0].startswith("the program tries again")


def test_what_another_kind_of_program_sees_counts() -> None:
    views = [
        view(Seen.REFUSED, program="a connected UDP socket"),
        view(Seen.TIMEOUT, "", program="a UDP socket without connect()"),
    ]
    found = explain_symptom(Symptom.TIMEOUT, views, UDP_V6)
    assert (found.explained, found.view) == (True, views[1])
    assert found.text.startswith("this explains it for a UDP socket without connect(): rule 1")


def test_permission_denied_of_ipv6_and_of_routes() -> None:
    assert explain_symptom(Symptom.PROHIBITED, [view(Seen.NO_ROUTE, "EACCES")], TCP_V4).explained
    assert not explain_symptom(Symptom.UNREACHABLE, [view(Seen.PROHIBITED, "EACCES")], TCP_V4).explained


def test_a_connection_that_hangs_is_not_unreachable_before_a_quarter_of_an_hour() -> None:
    hanging = view(Seen.TIMEOUT, "EHOSTUNREACH", program="a TCP connection")
    assert explain_symptom(Symptom.UNREACHABLE, [hanging], TCP_V4).explained is False
    assert explain_symptom(Symptom.TIMEOUT, [hanging], TCP_V4).explained is True


def test_json() -> None:
    found = explain_symptom(Symptom.RESET, [view(Seen.RESET)], TCP_V4).to_dict()
    assert found == {
        "symptom": "reset", "explained": True, "expected": "reset",
        "text": "this explains it: rule 1 of filter/INPUT drops it (sees reset)", "causes": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "symptom"),
    [
        ("refused", Symptom.REFUSED), ("Connection refused", Symptom.REFUSED), ("`No route to host`.", Symptom.UNREACHABLE),
        ("ETIMEDOUT", Symptom.TIMEOUT), ("no_route", Symptom.NO_ROUTE), ("No Route", Symptom.NO_ROUTE), ("EPERM", Symptom.EPERM),
        ("Operation  not permitted", Symptom.EPERM), ("Permission denied", Symptom.PROHIBITED),
        ("Connection reset by peer", Symptom.RESET),
    ],
)  # fmt: skip
def test_words_of_programs(text: str, symptom: Symptom) -> None:
    assert parse_symptom(text) is symptom


def test_a_word_that_is_none() -> None:
    with pytest.raises(ValueError, match="`broken` is no symptom; there are `refused`, `timeout`"):
        parse_symptom("broken")
