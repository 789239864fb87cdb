"""The host of a recorded case: routing rules as `ip rule` takes them, and all that is wrong at once."""

from __future__ import annotations

from typing import Any

import pytest

from policyc.diagnostics import InputError
from policyc.host.host import RouteKind
from policyc.host.routing_rule import RoutingRule, RuleAction
from policyc.readers.topology import host_of_topology

GOOD: dict[str, Any] = {
    "interfaces": [
        {"name": "eth0", "addrs": ["203.0.113.2/24"], "mac": "02:00:00:00:00:01", "peer_mac": "02:00:00:00:00:02"}
    ],
    "routes": [{"dst": "default", "via": "203.0.113.1"}, {"type": "blackhole", "dst": "100.64.0.0/10"}],
    "sysctls": {"net.ipv4.ip_forward": 1},
}


def problems(**changes: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        host_of_topology({**GOOD, **changes})
    return [found.message for found in caught.value.diagnostics]


def test_a_host_with_what_follows_from_it() -> None:
    host = host_of_topology(GOOD, "create s hash:ip\nadd s 10.0.0.1\n", 4)
    assert [one.name for one in host.interfaces] == ["lo", "eth0"]
    given = [route for route in host.routes if not route.derived]
    assert [(route.kind, route.device, route.metric) for route in given] == [
        (RouteKind.UNICAST, "eth0", 0), (RouteKind.BLACKHOLE, "", 0)]  # fmt: skip
    assert host.sysctls.forwards(4, "eth0")
    assert not host.sysctls.forwards(6, "eth0")
    assert not host.sysctls.either(4, "eth0", "send_redirects")
    assert list(host.sets) == ["s"]


def rule(text: str, family: int = 4) -> RoutingRule:
    standard = host_of_topology(GOOD, family=family).rules
    (found,) = [
        one for one in host_of_topology({**GOOD, "ip_rules": [text]}, family=family).rules if one not in standard
    ]
    return found


def test_routing_rules() -> None:
    assert rule("fwmark 0x2 lookup 102 pref 100") == RoutingRule(4, 100, 102, mark=2, mark_mask=0xFFFFFFFF)
    assert rule("fwmark 0x10/0xf0 table main prio 7".replace("prio", "priority")) == RoutingRule(
        4, 7, 254, mark=16, mark_mask=240
    )
    assert rule("iif eth0 unreachable").action is RuleAction.UNREACHABLE
    assert rule("uidrange 5-9 ipproto tcp dport 80-90 lookup 9 pref 1") == RoutingRule(
        4, 1, 9, uids=(5, 9), protocol=6, dport=(80, 90)
    )
    assert rule("from 2001:db8::/32 lookup 9").family == 6


def test_a_rule_without_a_preference_comes_before_main() -> None:
    rules = host_of_topology({**GOOD, "ip_rules": ["fwmark 1 lookup 5", "fwmark 2 lookup 6"]}, family=4).rules
    assert [(one.preference, one.table) for one in rules if one.family == 4] == [
        (0, 255), (32764, 6), (32765, 5), (32766, 254), (32767, 253)]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"interfaces": 5}, "interfaces: a list is expected"),
        ({"interfaces": [{"name": "a-name-of-16-chr"}]}, "an interface has the name `a-name-of-16-chr`; it needs one of at most 15 characters"),
        ({"interfaces": [{"name": "eth0", "addrs": ["203.0.113.2/40"]}]}, "interface `eth0`: `40` in `203.0.113.2/40` is not a prefix length from 0 to 32"),
        ({"interfaces": [*GOOD["interfaces"], {"name": "e", "mac": "02"}]}, "interface `e`: `02` is not a MAC address like 02:00:00:00:00:01"),
        ({"interfaces": GOOD["interfaces"] * 2}, "the interface `eth0` is there twice"),
        ({"interfaces": [{**GOOD["interfaces"][0], "colour": 1}]}, "an interface has the unknown key `colour`; known are name, addrs, mac, peer_mac, up, mtu, group"),
        ({"routes": [{"dst": "10.0.0.1/8", "dev": "eth0"}]}, "the route to `10.0.0.1/8` has address bits behind its prefix, which `ip route` refuses"),
        ({"routes": [{"dst": "10.0.0.0/8", "dev": "eth9"}]}, "the route to `10.0.0.0/8` leaves by `eth9`, which is no interface of the topology"),
        ({"routes": [{"dst": "10.0.0.0/8"}]}, "the route to `10.0.0.0/8` has neither `via` nor `dev`"),
        ({"routes": [{"dst": "10.0.0.0/8", "type": "nowhere"}]}, "the route to `10.0.0.0/8` is of type `nowhere`; there are unicast, local, broadcast, anycast, multicast, unreachable, prohibit, blackhole, throw"),
        ({"ip_rules": ["fwmark 1"]}, "ip_rules: the rule `fwmark 1` says neither `lookup TABLE` nor another action"),
        ({"ip_rules": ["from 10.0.0.0/8 tun_id 5 lookup 1"]}, "ip_rules: `tun_id` is no word of a routing rule that policyc knows"),
        ({"sysctls": []}, "`sysctls` is not an object of names and values"),
    ],
)  # fmt: skip
def test_faults_are_told(changes: dict[str, Any], message: str) -> None:
    assert message in problems(**changes)


def test_faults_are_told_together() -> None:
    assert (
        len(problems(interfaces=[*GOOD["interfaces"], {"name": "b", "addrs": ["x"]}], ip_rules=["fwmark z lookup 1"]))
        == 2
    )
