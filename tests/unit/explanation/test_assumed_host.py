"""Where a source has no host: what is assumed from its zones and rules, what is named, and which alternatives there are."""

from __future__ import annotations

import pytest

from policyc import api
from policyc.diagnostics import InputError
from policyc.explanation.placing import Placement, place
from policyc.explanation.sentence import questions_of
from policyc.net.headers import Headers
from policyc.netfilter.ruleset import Ruleset
from policyc.simulation.state import State
from policyc.simulation.trace import Trace
from policyc.simulation.walk import Simulation

POLICY = """\
policy edge { ownership exclusive; default input accept, forward accept, output accept }
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/24, fd00:10::/64
zone vms = interface br-+, virbr+ network 10.7.0.0/16
zone lab = network 10.8.0.0/16
filter any -> self { use baseline }
"""
DOCKER = """\
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
-A PREROUTING -p tcp -m tcp --dport 9090 -j DNAT --to-destination 10.66.0.2:80
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
-A INPUT -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT
-A FORWARD -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
COMMIT
"""
PLAIN = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
IP_FORWARD = "net.ipv4.ip_forward is 1"


def walked(found: Placement) -> Trace:
    return Simulation(RULESETS["none"], State.of(found.host)).walk(found.packet.copy())


def ways(text: str, source: str, *, strict: bool = False) -> list[tuple[str, str, tuple[str, ...]]]:
    """Verdict and interface without any rule, and the assumptions, of each alternative."""
    ruleset = RULESETS[source]
    found = place(questions_of(text, ruleset.intent), ruleset, strict=strict)
    return [(trace.verdict, trace.device, one.assumptions) for one in found for trace in [walked(one)]]


RULESETS: dict[str, Ruleset] = {
    "policy": api.load(POLICY),
    "docker": api.load(DOCKER, family=4),
    "plain": api.load(PLAIN, family=4),
    "none": api.load("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", family=4),
}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp 203.0.113.9 -> self:22 in wan", ("LOCAL", "eth0", ("192.0.2.1 is the address of this host on eth0",))),
        ("tcp 10.0.0.7 -> self:22", ("LOCAL", "eth1", ("it comes in by eth1", "192.0.2.2 is the address of this host on eth1"))),
        ("tcp 203.0.113.9 -> 10.0.0.7:22 in wan", ("FORWARDED", "eth1", (IP_FORWARD,))),
        ("tcp 10.0.0.7 -> 203.0.113.9:22 in lan out wan", ("FORWARDED", "eth0", (IP_FORWARD,))),
        ("tcp 10.0.0.7 -> 10.7.0.9:22 in lan", ("FORWARDED", "br-0", ("br-0 is an interface of zone vms (br-+)", IP_FORWARD))),
        ("tcp 10.7.0.9 -> 10.0.0.7:22 in virbr7", ("FORWARDED", "eth1", (IP_FORWARD,))),
        ("tcp self -> 203.0.113.9:22", ("SENT", "eth0", ("192.0.2.1 is the address of this host on eth0",))),
        ("tcp self -> 10.0.0.7:22", ("SENT", "eth1", ("192.0.2.2 is the address of this host on eth1",))),
        ("udp 0.0.0.0:68 -> 255.255.255.255:67 in lan", ("LOCAL", "eth1", ())),
        ("udp 10.0.0.7 -> 127.0.0.1:53 in lan", ("KERNEL_DROP", "", ())),
    ],
)  # fmt: skip
def test_what_a_policy_says(text: str, expected: tuple[str, str, tuple[str, ...]], strict: bool) -> None:
    assert ways(text, "policy", strict=strict) == [expected]


def test_an_interface_that_stands_for_a_pattern_is_named() -> None:
    assert ways("tcp 10.7.0.9 -> 10.0.0.7:22 in vms", "policy") == [
        ("FORWARDED", "eth1", ("br-0 is an interface of zone vms (br-+)", IP_FORWARD))
    ]


def test_an_interface_of_no_zone_is_named() -> None:
    ((_, device, said),) = ways("tcp 203.0.113.9 -> self:22 in eth9", "policy")
    assert (device, said[0]) == ("eth9", "eth9 is an interface of this host that no zone lists")


def test_a_zone_of_networks_only_has_an_interface_of_its_own() -> None:
    ((_, device, said),) = ways("tcp 10.8.0.9 -> self:22 in lab", "policy")
    assert device not in {"eth0", "eth1", "br-0", "virbr0", ""}
    assert said[0] == f"zone lab is reached through {device}: it names no interface"


def test_an_unknown_destination_from_outside_is_taken_for_this_host() -> None:
    """It would leave by the interface that it came in by."""
    assert ways("tcp 203.0.113.9 -> 198.51.100.1:22 in wan", "policy") == [
        ("LOCAL", "eth0", ("198.51.100.1 is an address of this host",))
    ]


def test_an_unknown_destination_from_inside_is_outside_or_this_host() -> None:
    assert ways("tcp 10.0.0.7 -> 198.51.100.1:22", "policy") == [
        ("FORWARDED", "eth0", ("it comes in by eth1", "198.51.100.1 is not this host; it is reached through eth0", IP_FORWARD)),
        ("LOCAL", "eth1", ("it comes in by eth1", "198.51.100.1 is an address of this host")),
    ]  # fmt: skip


def test_a_neighbour_may_be_this_host() -> None:
    """A router that sees a packet between two hosts of one network is mostly its destination."""
    assert [way[:2] for way in ways("tcp 10.0.0.7 -> 10.0.0.1:22", "policy")] == [("LOCAL", "eth1")]


def test_strictly_an_address_is_this_host_only_where_a_zone_says_so() -> None:
    assert ways("tcp 203.0.113.9 -> 198.51.100.1:22 in wan", "policy", strict=True) == [
        ("FORWARDED", "eth0", (IP_FORWARD,))
    ]
    owned = api.load(POLICY.replace("interface eth0", "interface eth0 address 198.51.100.1/24"))
    for strict in (False, True):
        (found,) = place(questions_of("tcp 203.0.113.9 -> 198.51.100.1:22 in wan"), owned, strict=strict)
        assert (walked(found).verdict, found.assumptions) == ("LOCAL", ())


def test_required_settings_are_made_and_not_assumed() -> None:
    ruleset = api.load(
        f"{POLICY}require sysctl net.ipv4.ip_forward = 0\nrequire sysctl net.ipv4.conf.all.rp_filter = 1\n"
    )
    (found,) = place(questions_of("tcp 203.0.113.9 -> 10.0.0.7:22 in wan"), ruleset)
    assert (walked(found).reason, found.assumptions) == ("forwarding is off", ())
    (found,) = place(questions_of("tcp 10.0.0.8 -> self:22 in wan"), ruleset)
    assert "rp_filter" in walked(found).reason


@pytest.mark.parametrize("source", ["plain", "docker"])
def test_a_dump_does_not_tell_whether_a_destination_is_this_host(source: str) -> None:
    local, forwarded = ways("tcp 203.0.113.9 -> 198.51.100.1:22 in eth0", source)
    assert local == ("LOCAL", "eth0", ("198.51.100.1 is an address of this host",))
    assert forwarded == (
        "FORWARDED", "eth1", ("198.51.100.1 is not this host; it is reached through eth1", IP_FORWARD)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp 203.0.113.9 -> self:22 in eth0", ("LOCAL", "eth0")),
        ("tcp 203.0.113.9 -> 198.51.100.1:22 in eth0 out eth5", ("FORWARDED", "eth5")),
        ("tcp 203.0.113.9 -> 172.17.0.9:22 in eth0", ("FORWARDED", "docker0")),
        ("tcp self -> 203.0.113.9:22", ("SENT", "eth0")),
        ("tcp self -> 172.17.0.9:22", ("SENT", "docker0")),
        ("tcp self -> 203.0.113.9:22 out eth5", ("SENT", "eth5")),
    ],
)
def test_what_a_dump_tells(text: str, expected: tuple[str, str]) -> None:
    assert [way[:2] for way in ways(text, "docker")] == [expected]


def test_a_container_speaks_to_the_outside_first() -> None:
    assert [way[:2] for way in ways("tcp 172.17.0.9 -> 203.0.113.9:443", "docker")] == [
        ("FORWARDED", "eth0"),
        ("LOCAL", "docker0"),
    ]


def test_where_translated_packets_go_is_assumed_and_named_only_for_them() -> None:
    """One target is behind an interface that rules name, the other one is somewhere."""
    (found, _) = place(questions_of("tcp 203.0.113.9 -> 198.51.100.1:8080 in eth0"), RULESETS["docker"])
    (unknown,) = {address for address, text in found.if_translated if "reached through" in text}
    said = [text for address, text in found.if_translated if address == unknown]
    assert said == ["10.66.0.2 is reached through eth1", IP_FORWARD]
    assert not any("10.66" in text for text in found.assumptions)
    assert "172.17.0.2" not in str(found.if_translated)


def test_addresses_that_nobody_named_are_documentation_and_not_the_questions_own() -> None:
    (found,) = place(questions_of("tcp 192.0.2.1 -> self:22 in wan"), RULESETS["policy"])
    assert found.assumptions == ("192.0.2.2 is the address of this host on eth0",)


@pytest.mark.parametrize(
    ("text", "source", "strict", "message", "hint"),
    [
        ("tcp 203.0.113.9 -> self:22", "two", False, "nothing says by which interface 203.0.113.9 comes in", "say it: `in eth0`, `in eth1`"),
        ("tcp 203.0.113.9 -> self:22", "zones", True, "nothing says by which interface 203.0.113.9 comes in", "say it: `in a`, `in b`"),
        ("tcp 1.2.3.4 -> 5.6.7.8:22 in a", "zones", True, "nothing says by which interface 5.6.7.8 is reached", "say it: `out a`, `out b`"),
        ("tcp self -> 5.6.7.8:22", "zones", True, "nothing says by which interface 5.6.7.8 is reached", "say it: `out a`, `out b`"),
    ],
)  # fmt: skip
def test_what_a_question_must_say(text: str, source: str, strict: bool, message: str, hint: str) -> None:
    two = api.load(
        "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i eth0 -j DROP\n-A INPUT -i eth1 -j DROP\nCOMMIT\n", family=4
    )
    zones = api.load("zone a = interface eth0\nzone b = interface eth1\nfilter any -> self { use baseline }\n")
    with pytest.raises(InputError) as caught:
        place(questions_of(text), {"two": two, "zones": zones}[source], strict=strict)
    (found,) = caught.value.diagnostics
    assert found.message == message
    assert found.help.startswith(hint)


def test_the_frames_own_mac_is_the_interfaces() -> None:
    """A log line names the MAC that the frame was for: it was received, so it is ours."""
    seen = Headers(4, 0xCB007109, 0xC6336401, 6, 1, 2, mac_dst=0x0242AC110002, mac_src=1, entry="eth0")
    assert {one.packet.pkttype for one in place((seen,), RULESETS["plain"])} == {"unicast"}
