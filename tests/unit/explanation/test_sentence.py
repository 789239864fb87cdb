"""The sentence that describes a packet: every form that a person may write, and what is said about what is none."""

from __future__ import annotations

import pytest

from policyc import api
from policyc.diagnostics import InputError
from policyc.explanation.sentence import questions_of
from policyc.net.addresses import format_address, parse_address
from policyc.netfilter.question import Question

POLICY = """\
zone wan = interface eth0
address admins = 203.0.113.9, 203.0.113.0/28, 2001:db8:aa::9
address web = 10.0.0.5, fd00:10::5
filter any -> self { use baseline }
"""


def one(text: str) -> Question:
    (question,) = questions_of(text)
    return question


def said(question: Question) -> dict[str, object]:
    """What the headers say beside the addresses."""
    headers = question.headers
    names = set(headers.__slots__) - {"family", "src", "dst"}
    values = {name: getattr(headers, name) for name in names}
    return {name: value for name, value in values.items() if value not in {None, ""} and value is not False}


def test_everything_that_may_be_said() -> None:
    text = "tcp 203.0.113.9:51000 -> 198.51.100.1:443 in eth0 flags SYN state NEW mark 0x1 ttl 64"
    question = one(text)
    assert (question.headers.family, question.headers.src) == (4, parse_address("203.0.113.9", 4))
    assert said(question) == {
        "proto": 6, "sport": 51000, "dport": 443, "entry": "eth0", "flags": 2, "state": "NEW", "mark": 1, "ttl": 64,
    }  # fmt: skip
    assert question.span is not None
    assert question.entry_span is not None
    assert (question.span.text, question.entry_span.text) == (text, "eth0")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1 -> 10.0.0.2", {}),
        ("tcp 10.0.0.1 → 10.0.0.2:80", {"proto": 6, "dport": 80}),
        ("tcp 10.0.0.1->10.0.0.2", {"proto": 6}),
        ("icmp/echo-request 10.0.0.1 -> 10.0.0.2 in eth1", {"proto": 1, "icmp": 8 << 8, "entry": "eth1"}),
        ("icmp echo-request 10.0.0.1 -> 10.0.0.2", {"proto": 1, "icmp": 8 << 8}),
        ("icmp/3/4 10.0.0.1 -> 10.0.0.2", {"proto": 1, "icmp": 3 << 8 | 4}),
        ("icmp 10.0.0.1 -> 10.0.0.2", {"proto": 1}),
        ("ping fd00::1 -> fd00::2", {"proto": 58, "icmp": 128 << 8}),
        ("udp [2001:db8::1]:53 -> [2001:db8::2]:443", {"proto": 17, "sport": 53, "dport": 443}),
        ("gre 10.0.0.1 -> 10.0.0.2", {"proto": 47}),
        ("proto/47 10.0.0.1 -> 10.0.0.2", {"proto": 47}),
        ("ssh 10.0.0.1 -> 10.0.0.2", {"proto": 6, "dport": 22}),
        ("tcp 10.0.0.1 -> 10.0.0.2 flags none", {"proto": 6, "flags": 0}),
        ("tcp 10.0.0.1 -> 10.0.0.2 flags ack,fin", {"proto": 6, "flags": 0x11}),
        ("tcp 10.0.0.1 -> 10.0.0.2 in eth0 out eth1", {"proto": 6, "entry": "eth0", "exit": "eth1"}),
        ("tcp 10.0.0.1 -> 10.0.0.2 out", {"proto": 6, "local": True}),
        ("tcp 10.0.0.1 -> 10.0.0.2 out eth1 state established", {"proto": 6, "local": True, "exit": "eth1", "state": "ESTABLISHED"}),
        ("tcp self -> 10.0.0.2", {"proto": 6, "local": True}),
    ],
)  # fmt: skip
def test_a_form(text: str, expected: dict[str, object]) -> None:
    assert said(one(text)) == expected


def test_words_of_a_command_line_are_joined() -> None:
    words = ["tcp", "10.0.0.1:5", "->", "10.0.0.2:80", "in", "eth0"]
    assert (
        questions_of(words)
        == questions_of(" ".join(words))
        == questions_of("  tcp 10.0.0.1:5\n->10.0.0.2:80   in eth0")
    )


def test_this_host_at_either_end() -> None:
    assert (one("tcp self -> 10.0.0.2:80").from_self, one("tcp self -> 10.0.0.2:80").to_self) == (True, False)
    assert (one("tcp 10.0.0.2 -> self:80").from_self, one("tcp 10.0.0.2 -> self:80").to_self) == (False, True)
    assert [question.headers.family for question in questions_of("tcp self -> self:80")] == [4, 6]
    assert [question.headers.family for question in questions_of("ping self -> self")] == [4, 6]


def test_names_of_the_policy_are_one_question_for_each_address() -> None:
    questions = questions_of("tcp admins -> web:443 in wan", api.load(POLICY).intent)
    ends = [
        (
            format_address(one.headers.src, one.headers.family),
            format_address(one.headers.dst, one.headers.family),
            one.notes,
        )
        for one in questions
    ]
    assert ends == [
        ("203.0.113.9", "10.0.0.5", ()),
        ("203.0.113.1", "10.0.0.5", ("203.0.113.1 stands for all of admins (203.0.113.0/28)",)),
        ("2001:db8:aa::9", "fd00:10::5", ()),
    ]


def test_a_service_of_several_protocols_is_one_question_for_each() -> None:
    assert [(one.headers.proto, one.headers.dport) for one in questions_of("domain 10.0.0.1 -> self")] == [
        (6, 53),
        (17, 53),
    ]


@pytest.mark.parametrize(
    ("text", "code", "at", "hint"),
    [
        ("", "PC001", "", "write `tcp 203.0.113.9 -> 198.51.100.1:443 in eth0`"),
        ("tcp 10.0.0.1 10.0.0.2", "PC001", "2", ""),
        ("tcp 10.0.0.1 -> 10.0.0.2 via eth0", "PC001", "via", ""),
        ("tcp 10.0.0.1 -> web", "PC002", "web", "a name needs the policy that defines it; write the address"),
        ("tcp 10.0.0.1 -> any", "PC002", "any", "name one address: `explain` follows one packet"),
        ("tpc 10.0.0.1 -> 10.0.0.2", "PC002", "tpc", "did you mean `tcp"),
        ("tcp example.com -> self", "PC807", "example.com", "write its address"),
        ("tcp 10.0.0.0/8 -> self", "PC003", "10.0.0.0/8", "write one of its addresses"),
        ("tcp 10.0.0.300 -> self", "PC003", "10.0.0.300", ""),
        ("tcp 10.0.0.1:70000 -> self", "PC003", "70000", ""),
        ("tcp 10.0.0.1:1-9 -> self", "PC003", "10.0.0.1:1-9", ""),
        ("tcp/22 10.0.0.1 -> self", "PC016", "tcp/22", "write `tcp` here and the port after the address"),
        ("icmp 10.0.0.1:5 -> self", "PC016", "10.0.0.1:5", ""),
        ("ssh 10.0.0.1 -> self:23", "PC016", "self:23", "leave one of the two out"),
        ("udp 10.0.0.1 -> self flags SYN", "PC016", "udp 10.0.0.1 -> self flags SYN", ""),
        ("tcp 10.0.0.1 -> self flags SIN", "PC003", "SIN", "did you mean `syn`?"),
        ("tcp 10.0.0.1 -> self state dnat", "PC003", "dnat", "the states are `new`"),
        ("tcp 10.0.0.1 -> self ttl 256", "PC003", "256", ""),
        ("tcp 10.0.0.1 -> self mark vip", "PC005", "vip", "write `mark 0x1`"),
        ("tcp 10.0.0.1 -> self in eth+", "PC003", "eth+", "a packet goes by one interface"),
        ("tcp 10.0.0.1 -> self in eth0 in eth1", "PC016", "in", ""),
        ("tcp 10.0.0.1 -> self by door", "PC016", "by", ""),
        ("tcp 10.0.0.1 -> fd00::1", "PC007", "tcp 10.0.0.1 -> fd00::1", ""),
        ("icmp6 10.0.0.1 -> self", "PC007", "icmp6 10.0.0.1 -> self", ""),
    ],
)
def test_what_is_no_packet(text: str, code: str, at: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        questions_of(text)
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.text if found.span else None) == (code, at)
    assert found.help.startswith(hint)
    assert found.span is not None
    assert found.span.source.name == "PACKET"


def test_all_mistakes_are_said_at_once() -> None:
    with pytest.raises(InputError) as caught:
        questions_of("tcp nobody -> nowhere:80", api.load(POLICY).intent)
    assert [found.span.text for found in caught.value.diagnostics if found.span] == ["nobody", "nowhere"]


def test_a_misspelt_name_of_the_policy_is_suggested() -> None:
    with pytest.raises(InputError) as caught:
        questions_of("tcp admin -> web:443", api.load(POLICY).intent)
    assert caught.value.diagnostics[0].help == "did you mean `admins`?"


def test_a_port_behind_an_address_without_brackets_is_pointed_out() -> None:
    (note,) = one("tcp 2001:db8::9 -> 2001:db8::1:5432").notes
    assert note == "2001:db8::1:5432 is an address; with port 5432 it is [2001:db8::1]:5432"
    assert one("tcp 2001:db8::9 -> 2001:db8::5432").notes == ()
    assert one("tcp 2001:db8::9 -> [2001:db8::1:5432]:80").notes == ()
    assert one("icmp6/neighbour-solicitation fe80::9 -> ff02::1:ff00:1").notes == ()
