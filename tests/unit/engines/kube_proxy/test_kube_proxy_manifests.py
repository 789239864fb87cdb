"""Kubernetes YAML: what counts, what the API server would have drawn, and mistakes at their line with the path of the key."""

from __future__ import annotations

import pytest

from policyc import api
from policyc.diagnostics import InputError
from policyc.engines.given import Given
from policyc.engines.kube_proxy.engine import preview_manifests
from policyc.netfilter.ruleset import Ruleset
from policyc.source import Source

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: NodePort
  ports:
    - name: http
      port: 80
"""
SLICE = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-x
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
endpoints:
  - addresses: [10.244.1.5]
    nodeName: node1
ports:
  - {name: http, port: 8080}
"""
ENDPOINTS = """\
apiVersion: v1
kind: Endpoints
metadata: {name: web}
subsets:
  - addresses: [{ip: 10.244.7.7, nodeName: node1}]
    notReadyAddresses: [{ip: 10.244.7.8}]
    ports: [{name: http, port: 8080}]
"""
NODE = """\
apiVersion: v1
kind: Node
metadata: {name: NAME}
status:
  addresses: [{type: ExternalIP, address: 203.0.113.1}, {type: InternalIP, address: 192.0.2.10}]
"""


def preview(*texts: str, flags: tuple[str, ...] = (), resolved: object = None) -> Ruleset:
    files = {f"{number}.yaml": text for number, text in enumerate(texts, 1)}
    words = Given.json([*flags, *files], name="kube-proxy")
    return preview_manifests("1.30.5", words, lambda name: Source(name, files[name]), Given.json(resolved))


def text_of(*texts: str, flags: tuple[str, ...] = (), resolved: object = None) -> str:
    return api.iptables_save(preview(*texts, flags=flags, resolved=resolved), 4)


def problems(*texts: str, flags: tuple[str, ...] = ()) -> list[tuple[str, int, int, str]]:
    with pytest.raises(InputError) as caught:
        preview(*texts, flags=flags)
    return [(d.span.source.name, d.span.line, d.span.column, d.message) for d in caught.value.diagnostics if d.span]


def test_what_the_api_server_draws_has_stand_ins_that_are_said() -> None:
    ruleset = preview(SERVICE, SLICE)
    assert [(note.code, note.span and note.span.line) for note in ruleset.notes] == [("PC521", 4), ("PC521", 4)]
    assert "10.96.1.1 stands in" in ruleset.notes[0].message
    assert "30086 stands in" in ruleset.notes[1].message
    assert "-d 10.96.1.1/32 -p tcp" in api.iptables_save(ruleset, 4)


def test_what_it_drew_can_be_given() -> None:
    known = {"services": {"default/web": {"clusterIPs": ["10.100.0.7"], "nodePorts": {"http": 31000}}}}
    ruleset = preview(SERVICE, SLICE, resolved=known)
    assert ruleset.notes == ()
    assert "-d 10.100.0.7/32" in api.iptables_save(ruleset, 4)
    assert "--dport 31000" in api.iptables_save(ruleset, 4)


def test_stand_ins_leave_out_what_is_taken() -> None:
    taken = SERVICE.replace("web", "api").replace("spec:", "spec:\n  clusterIP: 10.96.1.1")
    assert "-d 10.96.1.2/32" in text_of(SERVICE, taken.replace("port: 80", "port: 80\n      nodePort: 30086"), SLICE)


def test_a_list_is_what_its_items_are() -> None:
    items = "".join("- " + "  ".join(text.splitlines(keepends=True)) for text in (SERVICE, SLICE))
    assert text_of(f"apiVersion: v1\nkind: List\nitems:\n{items}") == text_of(SERVICE, SLICE)


def test_other_kinds_are_none_of_its_business() -> None:
    others = "apiVersion: apps/v1\nkind: Deployment\nspec: 7\n---\napiVersion: serving.knative.dev/v1\nkind: Service\n"
    assert text_of(f"{SERVICE}---\n{others}---\n---\n{SLICE}") == text_of(SERVICE, SLICE)


def test_endpoints_stand_in_for_slices_that_are_missing() -> None:
    assert "10.244.7.7:8080" in text_of(SERVICE, ENDPOINTS)
    assert "10.244.7.8" not in text_of(SERVICE, ENDPOINTS)
    assert text_of(SERVICE, ENDPOINTS, SLICE) == text_of(SERVICE, SLICE)


def test_services_without_a_cluster_address_have_no_rules() -> None:
    bare = text_of("apiVersion: apps/v1\nkind: Deployment\n")
    for spec in ("clusterIP: None", "type: ExternalName\n  externalName: example.com"):
        assert text_of(SERVICE.replace("type: NodePort", spec), SLICE) == bare
    labelled = SERVICE.replace("name: web\n", "name: web\n  labels: {service.kubernetes.io/service-proxy-name: mine}\n")
    assert text_of(labelled, SLICE) == bare


def test_the_only_node_is_the_one() -> None:
    local = SERVICE.replace("type: NodePort", "type: NodePort\n  externalTrafficPolicy: Local")
    assert "KUBE-SVL-" in text_of(local, SLICE, NODE.replace("NAME", "node1"))
    assert "has no local endpoints" in text_of(local, SLICE, NODE.replace("NAME", "node2"))
    assert "KUBE-SVL-" in text_of(local, SLICE, flags=("--hostname-override", "node1"))


def test_a_policy_that_depends_on_the_node_asks_which_it_is() -> None:
    local = SERVICE.replace("type: NodePort", "type: NodePort\n  externalTrafficPolicy: Local")
    nodes = "---\n".join(NODE.replace("NAME", name) for name in ("node1", "node2"))
    message = "`spec.externalTrafficPolicy` is `Local`, which depends on the node"
    assert problems(local, SLICE) == problems(local, SLICE, nodes) == [("1.yaml", 7, 26, message)]
    assert problems(local, SLICE, nodes, flags=("--hostname-override=node3",))[0][3] == "no Node `node3`"


def test_node_ports_on_some_addresses_need_the_node() -> None:
    flags = ("--nodeport-addresses=192.0.2.0/24",)
    assert "-d 192.0.2.10/32" in text_of(SERVICE, SLICE, NODE.replace("NAME", "node1"), flags=flags)
    assert "what addresses it has is not known" in problems(SERVICE, SLICE, flags=flags)[0][3]


def test_all_that_is_wrong_in_all_files_is_told_at_its_place() -> None:
    wrong = SERVICE.replace("type: NodePort", "type: NodePrt\n  clusterIPs: [10.96.0]").replace("port: 80", "prot: 80")
    found = problems(wrong, "a: [", SLICE.replace("discovery.k8s.io/v1", "v1"), "- 1", SERVICE)
    assert [place[:3] for place in found] == [
        ("1.yaml", 6, 9),
        ("1.yaml", 7, 16),
        ("1.yaml", 9, 7),
        ("1.yaml", 10, 7),
        ("2.yaml", 1, 5),
        ("3.yaml", 1, 13),
        ("4.yaml", 1, 1),
        ("5.yaml", 4, 9),
    ]
    said = "\n".join(message for *_, message in found)
    assert "the key `spec.ports[0].prot` is not known" in said
    assert "names a Service that came before, in line 1 of 1.yaml" in said
