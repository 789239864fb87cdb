"""A sentence is read as what packets must be: networks as a whole, `any` left open, names of a policy as what they stand for."""

from __future__ import annotations

import pytest

from policyc import api
from policyc.diagnostics import InputError
from policyc.net.addresses import parse_address
from policyc.netfilter.intent import Intent
from policyc.observation.criteria import MOST, Criteria, criteria_of


def v4(text: str) -> int:
    return parse_address(text, 4)


POLICY = """\
zone net = interface eth0, ppp+
address office = 192.0.2.0/28, 2001:db8::/64
filter net -> self { accept ssh from office as door }
"""


@pytest.fixture(scope="module")
def intent() -> Intent:
    found = api.load(POLICY, name="host.pol").intent
    assert found is not None
    return found


def test_a_network_is_taken_as_a_whole() -> None:
    (found,) = criteria_of("tcp 10.0.0.0/8:1000-2000 -> 192.0.2.1:22 in eth0 flags SYN ttl 64")
    assert found.source == (v4("10.0.0.0"), v4("10.255.255.255"))
    assert found.destination == (v4("192.0.2.1"), v4("192.0.2.1"))
    assert (found.sport, found.dport, found.flags, found.ttl) == ((1000, 2000), (22, 22), 2, 64)
    assert (found.entry, found.received, found.sent) == ("eth0", True, False)


def test_any_leaves_an_end_open_in_both_families() -> None:
    assert criteria_of("any -> any") == (Criteria(4), Criteria(6))
    assert criteria_of("icmp any -> any") == (Criteria(4, proto=1),)


def test_what_this_host_sends() -> None:
    (found, _) = criteria_of("any -> any out eth1")
    assert (found.exit, found.received, found.sent) == ("eth1", False, True)


def test_this_host_is_filled_in_later() -> None:
    assert [(one.family, one.to_self, one.destination) for one in criteria_of("any -> self")] == [
        (4, True, None),
        (6, True, None),
    ]


def test_a_service_of_two_protocols_is_two_criteria() -> None:
    found = criteria_of("dns 192.0.2.1 -> any")
    assert {(one.proto, one.dport) for one in found} == {(6, (53, 53)), (17, (53, 53))}


def test_an_icmp_type_with_and_without_its_code() -> None:
    assert criteria_of("icmp/echo-request any -> any")[0].icmp == (8, None)
    assert criteria_of("icmp/3/4 any -> any")[0].icmp == (3, 4)


def test_names_of_a_policy(intent: Intent) -> None:
    found = criteria_of("tcp office -> self:22 in net", intent)
    assert [(one.family, one.entry) for one in found] == [(4, "eth0"), (6, "eth0"), (4, "ppp+"), (6, "ppp+")]
    assert found[0].source == (v4("192.0.2.0"), v4("192.0.2.15"))


def test_answers_go_the_other_way() -> None:
    (found,) = criteria_of("tcp 192.0.2.9:1000 -> 192.0.2.1:80 in eth0 flags SYN")
    back = found.mirrored()
    assert (back.source, back.destination) == (found.destination, found.source)
    assert (back.sport, back.dport, back.flags) == ((80, 80), (1000, 1000), None)
    assert (back.entry, back.exit, back.received, back.sent) == ("", "eth0", True, True)


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("tcp any -> any state new", "before connection tracking"),
        ("any -> any in eth0 out eth1", "by which interface it leaves"),
        ("tcp office -> any", "nothing defines address `office`"),
        ("icmp any -> any:80", "`icmp` has no ports"),
        ("udp any -> any flags SYN", "`flags` are TCP's"),
        ("any -> any mark blue", "`blue` is a name"),
        ("192.0.2.1 -> 2001:db8::1", "no family in common"),
        ("nonsense", ""),
    ],
)
def test_what_no_trace_can_look_for(sentence: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        criteria_of(sentence)
    assert words in str(caught.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InputError) as caught:
        criteria_of("icmp here:1 -> there:2 state new")
    assert len(caught.value.diagnostics) == 5


def test_too_many_combinations() -> None:
    many = ", ".join(f"192.0.2.{number}" for number in range(2, 22))
    intent = api.load(f"address many = {many}\nzone z = interface eth0\n", name="host.pol").intent
    with pytest.raises(InputError, match=f"at most {MOST}"):
        criteria_of("many -> many", intent)
