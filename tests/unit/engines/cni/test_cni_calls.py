"""The plugins called: addresses, marks, conditions, policies, what goes with a DEL, and what a plugin refuses."""

from __future__ import annotations

from typing import Any

import pytest

from policyc import api
from policyc.diagnostics import InputError
from policyc.netfilter.ruleset import Ruleset

Call = dict[str, Any]


def call(container: str, *plugins: dict[str, Any], op: str = "ADD", **more: str) -> Call:
    return {"op": op, "container_id": container, "plugins": [{"name": "net", **plugin} for plugin in plugins], **more}


def bridge(subnet: str = "10.22.0.0/24", **more: Any) -> dict[str, Any]:
    ipam = {"type": "host-local", "ranges": [[{"subnet": subnet, **more.pop("within", {})}]]}
    return {"type": "bridge", "ipMasq": True, "ipam": ipam, **more}


def portmap(*ports: tuple[int, int], protocol: str = "tcp", **more: Any) -> dict[str, Any]:
    found = [{"hostPort": host, "containerPort": inside, "protocol": protocol} for host, inside in ports]
    return {"type": "portmap", "runtimeConfig": {"portMappings": found}, **more}


def after(*calls: Call, pre: str = "", release: str = "1.9") -> Ruleset:
    return api.preview(f"cni@{release}", {"operations": list(calls), "pre": pre})


def rules(ruleset: Ruleset, table: str, chain: str, family: int = 4) -> list[str]:
    found = ruleset.table(family, table)
    chosen = found.chain(chain) if found else None
    return [rule.text for rule in chosen.rules] if chosen else []


def sources(ruleset: Ruleset) -> list[str]:
    return [rule.split()[1] for rule in rules(ruleset, "nat", "POSTROUTING") if rule.startswith("-s")]


def chain_of(ruleset: Ruleset, prefix: str, table: str = "nat") -> list[str]:
    found = ruleset.table(4, table)
    assert found is not None
    (name,) = (chain.name for chain in found.chains if chain.name.startswith(prefix))
    return rules(ruleset, table, name)


def test_an_address_that_is_free_again_is_not_the_next_one() -> None:
    ruleset = after(call("a", bridge()), call("b", bridge()), call("a", bridge(), op="DEL"), call("c", bridge()))
    assert sources(ruleset) == ["10.22.0.3/32", "10.22.0.4/32"]


def test_a_range_is_gone_around_without_its_gateway() -> None:
    within = {"rangeStart": "10.22.0.9", "rangeEnd": "10.22.0.11", "gateway": "10.22.0.10"}
    first, second = call("a", bridge(within=within)), call("b", bridge(within=within))
    again = call("c", bridge(within=within))
    assert sources(after(first, second, {**first, "op": "DEL"}, again)) == ["10.22.0.11/32", "10.22.0.9/32"]
    with pytest.raises(InputError, match=r"no address of 10\.22\.0\.0/24 is free"):
        after(first, second, again)


def test_an_address_that_the_runtime_asks_for() -> None:
    asked = bridge(runtimeConfig={"ips": ["10.22.0.77/24"]})
    assert sources(after(call("a", asked), call("b", bridge()))) == ["10.22.0.77/32", "10.22.0.78/32"]


def test_static_addresses_of_both_families() -> None:
    ipam = {"type": "static", "addresses": [{"address": "10.5.0.9/16"}, {"address": "fd05::9/64"}]}
    ruleset = after(call("a", {"type": "bridge", "ipMasq": True, "ipam": ipam}))
    assert "-d 10.5.0.0/16 " in chain_of(ruleset, "CNI-")[0]
    assert rules(ruleset, "nat", "POSTROUTING", 6)[0].startswith("-s fd05::9/128 ")


def test_another_mark() -> None:
    ruleset = after(call("a", bridge(), portmap((8080, 80), markMasqBit=5)))
    assert rules(ruleset, "nat", "CNI-HOSTPORT-MASQ") == ["-m mark --mark 0x20/0x20 -j MASQUERADE"]


def test_a_chain_of_somebody_else_marks() -> None:
    mapped = call("a", bridge(), portmap((8080, 80), externalSetMarkChain="KUBE-MARK-MASQ"))
    ruleset = after(mapped, pre="iptables -t nat -N KUBE-MARK-MASQ 2>/dev/null || true")
    assert [rule.rpartition(" ")[2] for rule in chain_of(ruleset, "CNI-DN-")[:2]] == ["KUBE-MARK-MASQ"] * 2
    assert not rules(ruleset, "nat", "CNI-HOSTPORT-MASQ")
    with pytest.raises(InputError, match="`KUBE-MARK-MASQ` of `externalSetMarkChain` does not exist"):
        after(mapped)


def test_conditions_stand_in_the_entry_alone() -> None:
    ruleset = after(
        call("a", bridge(), portmap((8080, 80), conditionsV4=["!", "-d", "192.0.2.9"], conditionsV6=["-i", "x"]))
    )
    (entry,) = rules(ruleset, "nat", "CNI-HOSTPORT-DNAT")
    assert entry.startswith("! -d 192.0.2.9/32 -p tcp ")
    assert not any("192.0.2.9" in rule for rule in chain_of(ruleset, "CNI-DN-"))


def test_masquerading_of_all_is_news() -> None:
    everything = call("a", bridge(), portmap((8080, 80), masqAll=True))
    assert chain_of(after(everything), "CNI-DN-")[0] == "-p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK"
    before = after(everything, release="1.1")
    assert len(chain_of(before, "CNI-DN-")) == 3
    assert [note.message for note in before.notes] == ["this release does not know `masqAll` and ignores it"]


def test_a_wildcard_is_no_destination() -> None:
    wild = portmap()
    wild["runtimeConfig"] = {
        "portMappings": [{"hostPort": 53, "containerPort": 53, "protocol": "UDP", "hostIP": "0.0.0.0"}]
    }
    ruleset = after(call("a", bridge(), wild))
    assert chain_of(ruleset, "CNI-DN-")[-1] == "-p udp -m udp --dport 53 -j DNAT --to-destination 10.22.0.2:53"


def test_sixteen_ports_need_a_second_entry() -> None:
    ruleset = after(call("a", bridge(), portmap(*((port, 80) for port in range(8000, 8016)))))
    assert [rule.count(",") for rule in rules(ruleset, "nat", "CNI-HOSTPORT-DNAT")] == [14, 0]


def test_an_isolated_bridge_drops_its_own_containers_first() -> None:
    ruleset = after(call("a", bridge(), {"type": "firewall", "ingressPolicy": "isolated"}))
    ways = [rule.partition("-m comment")[0].strip() for rule in rules(ruleset, "filter", "CNI-ISOLATION-STAGE-1")]
    assert ways == ["-i cni0 -o cni0", "-i cni0 ! -o cni0", ""]
    with pytest.raises(InputError, match="open or same-bridge"):
        after(call("a", bridge(), {"type": "firewall", "ingressPolicy": "isolated"}), release="1.1")


def test_rules_of_the_user_stay_where_the_plugin_finds_them() -> None:
    fire = {"type": "firewall", "iptablesAdminChainName": "MINE"}
    ruleset = after(call("a", bridge(), fire), pre="iptables -A FORWARD -j ACCEPT; iptables -N MINE")
    assert rules(ruleset, "filter", "FORWARD")[1] == "-j ACCEPT"
    assert rules(ruleset, "filter", "CNI-FORWARD")[0].endswith("-j MINE")


def test_a_container_that_goes_takes_its_rules_and_leaves_the_shared_ones() -> None:
    plugins = (bridge(), portmap((8080, 80)), {"type": "firewall", "ingressPolicy": "same-bridge"})
    ruleset = after(call("a", *plugins), call("a", *plugins, op="CHECK"), call("a", *plugins, op="DEL"))
    assert rules(ruleset, "nat", "CNI-HOSTPORT-DNAT") == []
    assert len(rules(ruleset, "filter", "CNI-FORWARD")) == 1
    assert len(rules(ruleset, "filter", "CNI-ISOLATION-STAGE-1")) == 2
    assert len(rules(ruleset, "nat", "PREROUTING")) == 1


def test_calls_that_plugins_refuse() -> None:
    for calls, message in (
        ([call("a", bridge()), call("a", bridge())], "is there already"),
        ([call("a", bridge(), op="CHECK")], "nothing to check"),
        ([call("a", {"type": "macvlan", "ipam": {"type": "dhcp"}}, portmap((1, 1)))], "given by `dhcp`"),
        ([call("a", {"type": "ptp", "ipam": bridge()["ipam"]}, {"type": "firewall", "ingressPolicy": "same-bridge"})], "no bridge"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=message):
            after(*calls)


def test_a_delete_without_an_add_does_nothing() -> None:
    assert after(call("a", bridge(), portmap((8080, 80)), op="DEL")).tables == ()
