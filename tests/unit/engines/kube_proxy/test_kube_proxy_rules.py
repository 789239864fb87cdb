"""What decides the rules of a Service beyond what was recorded: policies, hints, families, flags, releases."""

from __future__ import annotations

from typing import Any

import pytest

from policyc import api
from policyc.diagnostics import InputError

NODE = {
    "metadata": {"name": "node1", "labels": {"topology.kubernetes.io/zone": "a"}},
    "spec": {"podCIDRs": ["10.244.1.0/24", "fd00:1::/64"]},
    "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.10"}]},
}


def service(**spec: Any) -> dict[str, Any]:
    """A Service `web` with one port, unless the spec says otherwise."""
    annotations, status = spec.pop("annotations", {}), spec.pop("status", {})
    spec = {"clusterIP": "10.96.0.10", "ports": [{"name": "http", "port": 80}]} | spec
    return {"metadata": {"name": "web", "annotations": annotations}, "spec": spec, "status": status}


def endpoint(address: str, node: str = "", *, zone: str = "", nodes: str = "", **conditions: bool) -> dict[str, Any]:
    hints = {"forZones": [{"name": zone}] if zone else [], "forNodes": [{"name": nodes}] if nodes else []}
    return {"addresses": [address], "nodeName": node, "conditions": conditions, "hints": hints}


def endpoints(*every: dict[str, Any], family: int = 4, name: str = "http") -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": "web"}
    ports = [{"name": name, "port": 8080, "protocol": "TCP"}]
    return {
        "metadata": {"name": "web-x", "labels": labels}, "addressType": f"IPv{family}", "endpoints": list(every), "ports": ports,
    }  # fmt: skip


def rules(
    given: dict[str, Any] | list[dict[str, Any]],
    *slices: dict[str, Any],
    flags: tuple[str, ...] = ("--cluster-cidr=10.244.0.0/16",),
    release: str = "1.30",
    family: int = 4,
    **more: Any,
) -> str:
    scenario = {
        "services": given if isinstance(given, list) else [given], "endpointslices": list(slices), "nodes": [NODE],
        "node": "node1", "flags": list(flags), **more,
    }  # fmt: skip
    return api.iptables_save(api.preview(f"kube-proxy@{release}", scenario), family)


def targets(text: str) -> list[str]:
    return sorted(line.rpartition(" ")[2] for line in text.splitlines() if "-j DNAT" in line)


def lines(text: str, *parts: str) -> list[str]:
    return [line for line in text.splitlines() if all(part in line for part in parts)]


NEAR = endpoint("10.244.1.5", "node1", zone="a", nodes="node1")
FAR = endpoint("10.244.2.5", "node2", zone="b", nodes="node2")
TWO = endpoints(NEAR, FAR)
AUTO = {"service.kubernetes.io/topology-mode": "Auto"}


@pytest.mark.parametrize(
    ("release", "annotations", "flags", "chosen"),
    [
        ("1.30", {}, (), 2),
        ("1.30", AUTO, (), 1),
        ("1.30", {"service.kubernetes.io/topology-mode": "Disabled"}, (), 2),
        ("1.30", {}, ("--feature-gates=ServiceTrafficDistribution=true",), 1),
        ("1.30", AUTO, ("--feature-gates=TopologyAwareHints=false",), 2),
        ("1.31", {}, (), 1),
    ],
)
def test_hints_of_zones(release: str, annotations: dict[str, str], flags: tuple[str, ...], chosen: int) -> None:
    assert len(targets(rules(service(annotations=annotations), TWO, release=release, flags=flags))) == chosen


def test_hints_are_not_heeded_where_one_is_missing_or_none_is_for_the_zone() -> None:
    for other in (endpoint("10.244.3.5", "node3"), endpoint("10.244.3.5", "node3", zone="c")):
        found = rules(service(annotations=AUTO), endpoints(FAR, other))
        assert len(targets(found)) == 2


def test_hints_of_nodes_came_with_1_34() -> None:
    same_zone = endpoint("10.244.2.5", "node2", zone="a", nodes="node2")
    found = [targets(rules(service(), endpoints(NEAR, same_zone), release=each)) for each in ("1.33", "1.34")]
    assert [len(each) for each in found] == [2, 1]


def test_endpoints_that_end_are_used_where_no_other_is_left() -> None:
    ending = endpoint("10.244.1.5", "node1", ready=False, serving=True, terminating=True)
    gone = endpoint("10.244.1.6", "node1", ready=False, serving=False, terminating=True)
    assert targets(rules(service(), endpoints(ending, gone))) == ["10.244.1.5:8080"]
    assert targets(rules(service(), endpoints(ending, gone, FAR))) == ["10.244.2.5:8080"]
    assert "has no endpoints" in rules(service(), endpoints(gone))


def test_an_endpoint_in_two_slices_counts_once() -> None:
    assert targets(rules(service(), TWO, endpoints(NEAR))) == ["10.244.1.5:8080", "10.244.2.5:8080"]


def test_endpoints_are_sorted_as_text() -> None:
    found = rules(service(), endpoints(endpoint("10.244.2.5"), endpoint("10.244.2.10")))
    first, second = lines(found, "-A KUBE-SVC-", " -> ")
    assert "10.244.2.10:8080" in first
    assert "probability 0.50000000000" in first
    assert "10.244.2.5:8080" in second


def test_internal_traffic_that_stays_on_its_node() -> None:
    found = rules(service(internalTrafficPolicy="Local"), TWO)
    assert targets(found) == ["10.244.1.5:8080"]
    assert "KUBE-SVL-CDGGSHYLG3RE2FKL" in lines(found, "-A KUBE-SERVICES", "cluster IP")[0]
    assert "KUBE-SVC-" not in found


def test_both_policies_local_and_a_node_port() -> None:
    spec = {"type": "NodePort", "internalTrafficPolicy": "Local", "externalTrafficPolicy": "Local"}
    found = rules(service(**spec, ports=[{"name": "http", "port": 80, "nodePort": 30080}]), TWO)
    assert lines(found, "-A KUBE-EXT-", "pod traffic", "-s 10.244.0.0/16", "-j KUBE-SVC-")
    assert lines(found, "-A KUBE-SVL-", "! -s 10.244.0.0/16", "-j KUBE-MARK-MASQ")
    assert targets(found) == ["10.244.1.5:8080", "10.244.2.5:8080"]


def test_the_families_of_a_service_have_their_own_rules() -> None:
    both = service(clusterIPs=["10.96.0.10", "fd00:10:96::a"], ipFamilies=["IPv4", "IPv6"])
    flags = ("--cluster-cidr=10.244.0.0/16,fd00::/48",)
    six = endpoints(endpoint("fd00:2::5"), family=6)
    assert targets(rules(both, TWO, six, flags=flags)) == ["10.244.1.5:8080", "10.244.2.5:8080"]
    found = rules(both, TWO, six, flags=flags, family=6)
    assert targets(found) == ["[fd00:2::5]:8080"]
    assert lines(found, "! -s fd00::/48", "-d fd00:10:96::a/128", "KUBE-MARK-MASQ")


def test_an_address_in_proxy_mode_has_no_rules_since_1_30() -> None:
    ingress = [{"ip": "198.51.100.7", "ipMode": "Proxy"}, {"ip": "198.51.100.8"}]
    given = service(type="LoadBalancer", status={"loadBalancer": {"ingress": ingress}})
    assert "198.51.100.7" in rules(given, TWO, release="1.29")
    found = rules(given, TWO)
    assert "198.51.100.7" not in found
    assert "198.51.100.8" in found


def test_source_ranges_of_the_other_family_alone_leave_the_address_open() -> None:
    status = {"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}]}}
    found = rules(service(type="LoadBalancer", loadBalancerSourceRanges=["2001:db8::/32"], status=status), TWO)
    assert "KUBE-FW-" not in found
    assert lines(found, "-d 198.51.100.7/32", "-j KUBE-EXT-")


@pytest.mark.parametrize(
    ("flags", "condition"),
    [
        (("--detect-local-mode=NodeCIDR",), "! -s 10.244.1.0/24 -d 10.96.0.10/32 -p tcp"),
        (("--detect-local-mode=BridgeInterface", "--pod-bridge-interface=cni0"), "-d 10.96.0.10/32 ! -i cni0 -p tcp"),
        (
            ("--detect-local-mode", "InterfaceNamePrefix", "--pod-interface-name-prefix=veth"),
            "-d 10.96.0.10/32 ! -i veth+ -p tcp",
        ),
    ],
)
def test_how_local_pods_are_told(flags: tuple[str, ...], condition: str) -> None:
    assert lines(rules(service(), TWO, flags=flags), condition, "-j KUBE-MARK-MASQ")


def test_without_a_way_to_tell_pods_only_endpoints_are_masqueraded() -> None:
    found = rules(service(), TWO, flags=())
    assert all(line.startswith("-A KUBE-SEP-") for line in lines(found, "-j KUBE-MARK-MASQ"))


def test_the_bit_of_the_mark() -> None:
    found = rules(service(), TWO, flags=("--iptables-masquerade-bit=15",))
    assert "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x8000/0x8000" in found
    assert "0x4000" not in found


def test_packets_out_of_state_pass_where_tracking_is_liberal() -> None:
    step = "sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1"
    for release, dropped in (("1.28", True), ("1.30", False)):
        assert ("--ctstate INVALID" in rules(service(), TWO, release=release, pre=step)) is dropped
    assert "--ctstate INVALID" not in rules(service(), TWO, flags=("--conntrack-tcp-be-liberal",))


def test_packets_are_counted_since_1_31_where_the_kernel_can() -> None:
    assert "nfacct" not in rules(service(), TWO)
    assert lines(rules(service(), TWO, release="1.31"), "INVALID", "--nfacct-name ct_state_invalid_dropped_pkts")
    assert "nfacct" not in rules(service(), TWO, release="1.31", host={"nfacct": False})


@pytest.mark.parametrize(
    ("flags", "release", "leading"),
    [
        (("--nodeport-addresses=192.0.2.0/24,127.0.0.0/8",), "1.30", ["-d 192.0.2.10/32", "-d 127.0.0.1/32"]),
        (("--nodeport-addresses=127.0.0.0/8", "--iptables-localhost-nodeports=false"), "1.30", []),
        (("--nodeport-addresses=primary",), "1.31", ["-d 192.0.2.10/32"]),
        (("--nodeport-addresses=fd00::/8",), "1.30", ["-m addrtype --dst-type LOCAL"]),
    ],
)
def test_addresses_of_node_ports(flags: tuple[str, ...], release: str, leading: list[str]) -> None:
    found = lines(rules(service(), TWO, flags=flags, release=release), "-A KUBE-SERVICES", "-j KUBE-NODEPORTS")
    assert [part for line, part in zip(found, leading, strict=True) if part in line] == leading


def test_large_clusters_have_no_comments_at_endpoints() -> None:
    every = [endpoint(f"10.244.{number // 250}.{number % 250}") for number in range(1001)]
    found = rules(service(), endpoints(*every))
    assert len(targets(found)) == 1001
    assert not lines(found, "-A KUBE-SEP-", "comment")
    assert lines(found, "-A KUBE-SERVICES", "default/web:http cluster IP")
    assert lines(rules(service(), endpoints(*every[:1000])), "-A KUBE-SEP-", "comment")


def test_rules_that_were_there_stay_below_and_old_chains_of_services_go() -> None:
    steps = [
        "iptables -P FORWARD DROP && iptables -A INPUT -p tcp --dport 22 -j ACCEPT 2>/dev/null || true",
        "iptables -t nat -N KUBE-SVC-OLD; iptables -t nat -A KUBE-SVC-OLD -j RETURN",
    ]
    found = rules(service(), TWO, pre=steps)
    assert ":FORWARD DROP" in found
    assert lines(found, "-A INPUT")[-1] == "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"
    assert "KUBE-SVC-OLD" not in found


def test_the_order_of_services_can_be_given() -> None:
    other = service(clusterIP="10.96.0.11")
    other["metadata"]["name"] = "api"
    scenario = {"services": [service(), other]}
    for order, first in (((), "default/web"), (("default/api",), "default/api")):
        ruleset = api.preview("kube-proxy@1.30", scenario, {"order": list(order)})
        assert first in lines(api.iptables_save(ruleset, 4), "-A KUBE-SERVICES", "has no endpoints")[0]


def test_all_that_is_wrong_with_a_scenario_is_told_with_its_path() -> None:
    with pytest.raises(InputError) as caught:
        api.preview(
            "kube-proxy@1.30",
            {
                "services": [service(type="NodePrt", ports=[{"port": 0}, {"name": "b", "prot": 1}], externalIPs=["x"])],
                "endpointslices": [endpoints({"addresses": ["fd00::1"]})],
                "flags": ["--proxy-mode=ipvs", "--cluster-cdr=10.0.0.0/8", "stray", "--nodeport-addresses=primary"],
            },
        )
    said = [found.message for found in caught.value.diagnostics]
    for part in (
        "`services[0].spec.type` must be",
        "`services[0].spec.ports[0].port` must be a number from 1",
        "`services[0].spec.ports[1]` needs a `port`",
        "`services[0].spec.ports[1].prot` is not known",
        "`services[0].spec.externalIPs[0]` must be an address",
        "`endpointslices[0].endpoints[0].addresses[0]` is no address of IPv4",
        "`flags[0]` has a wrong value for `--proxy-mode`",
        "`flags[1]` is no flag of kube-proxy",
        "`flags[2]` is no flag of kube-proxy",
        "`--nodeport-addresses=primary` is not known to kube-proxy 1.30",
    ):
        assert [one for one in said if part in one], part
    assert len(said) == 10


def test_a_step_that_is_not_understood_is_refused() -> None:
    with pytest.raises(InputError, match="no step that is known"):
        rules(service(), TWO, pre="conntrack -F")
