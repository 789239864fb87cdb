"""netavark called: isolation, internal networks, DNS on another port, wildcards, and what goes with the last container."""

from __future__ import annotations

from typing import Any

import pytest

from policyc import api
from policyc.diagnostics import InputError
from policyc.netfilter.ruleset import Ruleset

SUBNETS = {"app": "10.89.0", "db": "10.89.1", "out": "10.89.2"}


def network(name: str, **more: Any) -> dict[str, Any]:
    subnet = {"subnet": f"{SUBNETS[name]}.0/24", "gateway": f"{SUBNETS[name]}.1"}
    return {
        "name": name,
        "id": f"{name}-id",
        "driver": "bridge",
        "network_interface": f"br-{name}",
        "subnets": [subnet],
        **more,
    }


def call(
    container: str, *networks: dict[str, Any], op: str = "setup", ports: Any = None, **more: Any
) -> dict[str, Any]:
    last = 2 + ord(container[0]) - ord("a")
    options = {
        "container_id": container,
        "networks": {each["name"]: {"static_ips": [f"{SUBNETS[each['name']]}.{last}"]} for each in networks},
        "network_info": {each["name"]: each for each in networks},
        "port_mappings": ports,
    }
    return {"op": op, "options": options, **more}


def port(host: int, inside: int, **more: Any) -> dict[str, Any]:
    return {"host_port": host, "container_port": inside, "protocol": "tcp", "range": 1, "host_ip": "", **more}


def after(*calls: dict[str, Any], release: str = "1.17", resolved: Any = None, pre: str = "") -> Ruleset:
    return api.preview(f"netavark@{release}", {"operations": list(calls), "pre": pre}, resolved)


def rules(ruleset: Ruleset, table: str, chain: str) -> list[str]:
    found = ruleset.table(4, table)
    chosen = found.chain(chain) if found else None
    return [rule.text for rule in chosen.rules] if chosen else []


def test_an_isolated_network_is_left_only_for_the_outside() -> None:
    ruleset = after(call("a", network("app", options={"isolate": "true"})), release="1.4")
    assert rules(ruleset, "filter", "FORWARD")[0] == "-j NETAVARK_ISOLATION_1"
    assert rules(ruleset, "filter", "NETAVARK_ISOLATION_1") == ["-i br-app ! -o br-app -j NETAVARK_ISOLATION_2"]
    assert rules(ruleset, "filter", "NETAVARK_ISOLATION_2") == ["-o br-app -j DROP"]


def test_strict_isolation_counts_networks_without_isolation_too() -> None:
    strict = network("app", options={"isolate": "strict"})
    ruleset = after(call("a", strict), call("b", network("db")), call("c", network("out", options={"isolate": "true"})))
    assert rules(ruleset, "filter", "NETAVARK_ISOLATION_1") == [
        "-i br-out ! -o br-out -j NETAVARK_ISOLATION_2",
        "-i br-app ! -o br-app -j NETAVARK_ISOLATION_3",
    ]
    assert rules(ruleset, "filter", "NETAVARK_ISOLATION_3") == ["-o br-db -j DROP", "-j NETAVARK_ISOLATION_2"]
    assert rules(ruleset, "filter", "NETAVARK_ISOLATION_2") == ["-o br-out -j DROP", "-o br-app -j DROP"]
    with pytest.raises(InputError, match="must be false or true"):
        after(call("a", strict), release="1.4")


@pytest.mark.parametrize(
    "more", [{"internal": True}, {"driver": "macvlan"}, {"options": {"mode": "unmanaged"}}], ids=str
)
def test_networks_without_rules(more: dict[str, Any]) -> None:
    assert after(call("a", network("app", **more), ports=[port(8080, 80)])).tables == ()


def test_a_release_that_does_not_know_unmanaged_networks_says_so() -> None:
    ruleset = after(call("a", network("app", options={"mode": "unmanaged"})), release="1.4")
    assert ruleset.tables
    assert "mode=unmanaged" in ruleset.notes[0].message


def test_an_option_that_is_not_modelled_is_said() -> None:
    ruleset = after(call("a", network("app", options={"outbound_addr4": "192.0.2.9", "mtu": "1400"})))
    assert [note.message for note in ruleset.notes] == [
        "the option `outbound_addr4` of the network `app` is not modelled"
    ]


def test_dns_on_another_port_is_led_there_before_published_ports() -> None:
    calls = call("a", network("app"), ports=[port(53, 53, protocol="udp")], dns_port=5353)
    first, second, published = rules(after(calls), "nat", "NETAVARK-HOSTPORT-DNAT")
    assert {first.split()[3], second.split()[3]} == {"tcp", "udp"}
    assert first.endswith("--to-destination 10.89.0.1:5353")
    assert "NETAVARK-DN-" in published
    assert "--dport 5353" in rules(after(calls), "filter", "NETAVARK_INPUT")[0]
    assert len(rules(after(calls, release="1.4"), "nat", "NETAVARK-HOSTPORT-DNAT")) == 2


def test_a_wildcard_was_once_taken_as_it_stands() -> None:
    calls = call("a", network("app"), ports=[port(8080, 80, host_ip="0.0.0.0")])
    chain = "NETAVARK-DN-F43F799324A27"
    assert rules(after(calls, release="1.4"), "nat", chain)[-1].startswith("-d 0.0.0.0/32 -p tcp")
    assert rules(after(calls), "nat", chain)[-1].startswith("-p tcp -m tcp --dport 8080 -j DNAT")


def test_the_last_container_takes_the_network_with_it() -> None:
    first = call("a", network("app"), ports=[port(8080, 80)])
    second = call("b", network("app"), ports=[port(8081, 80)])
    one_left = after(first, second, {**first, "op": "teardown"})
    assert len(rules(one_left, "nat", "NETAVARK-HOSTPORT-DNAT")) == 1
    assert len(rules(one_left, "filter", "NETAVARK_FORWARD")) == 3
    none_left = after(first, second, {**first, "op": "teardown"}, {**second, "op": "teardown"})
    assert rules(none_left, "filter", "NETAVARK_FORWARD") == ["-m conntrack --ctstate INVALID -j DROP"]
    nat = none_left.table(4, "nat")
    assert nat is not None
    assert {chain.name for chain in nat.user_chains} == {
        "NETAVARK-HOSTPORT-DNAT", "NETAVARK-HOSTPORT-MASQ", "NETAVARK-HOSTPORT-SETMARK",
    }  # fmt: skip


def test_rules_of_the_user_stay_behind() -> None:
    ruleset = after(call("a", network("app")), pre="iptables -A FORWARD -i eth9 -j DROP")
    assert rules(ruleset, "filter", "FORWARD")[-1] == "-i eth9 -j DROP"


def test_the_order_of_a_containers_networks_is_drawn_and_can_be_given() -> None:
    calls = call("a", network("app"), network("db"))
    drawn = after(calls)
    assert [note.code for note in drawn.notes] == ["PC521"]
    given = after(calls, resolved={"order": {"a": ["app", "db"]}})
    assert given.notes == ()
    assert rules(given, "nat", "POSTROUTING")[1].startswith("-s 10.89.0.0/24")
    assert rules(drawn, "nat", "POSTROUTING")[1].startswith("-s 10.89.1.0/24")


def test_calls_that_are_refused() -> None:
    once = call("a", network("app"))
    for calls, message in (
        ([once, once], "is already on the network `app`"),
        ([{**once, "op": "teardown"}], "is not on the network `app`"),
        ([call("a", network("app"), ports=[port(65535, 80, range=2)])], "ends behind port 65535"),
        ([call("a", network("app"), ports=[port(80, 80, host_ip="localhost")])], "must be an address"),
        ([call("a", network("app", network_interface=""))], "must be the name of the bridge"),
    ):
        with pytest.raises(InputError, match=message):
            after(*calls)
