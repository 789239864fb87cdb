"""Compose files and Kubernetes objects in a policy: their names, their rules, what is never written out."""

from __future__ import annotations

from pathlib import Path

import pytest

from policyc import api

HEAD = "policy edge { ownership shared; family ip }\nzone wan = interface eth0 address 192.0.2.10/24\n"
COMPOSE = """\
name: shop
services:
  web:
    image: nginx
    ports: ["${PORT}:80"]
    deploy: {replicas: 1}
    networks: {front: {ipv4_address: 172.30.0.5}}
  worker:
    image: worker
    scale: 2
    networks: [front]
networks:
  front:
    driver_opts: {com.docker.network.bridge.name: br-front}
    ipam: {config: [{subnet: 172.30.0.0/24}]}
"""
CLUSTER = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  clusterIPs: [10.96.0.10]
  ports: [{name: http, port: 80, nodePort: 30080}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: [{addresses: [10.244.1.5]}]
ports: [{name: http, port: 8080}]
"""


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / ".env").write_text("PORT=8080\n")
    (tmp_path / "cluster.yaml").write_text(CLUSTER)
    return tmp_path / "edge.pol"


def loaded(path: Path, text: str) -> api.Ruleset:
    path.write_text(HEAD + text)
    return api.load(path)


def test_services_of_compose_are_names(beside: Path) -> None:
    ruleset = loaded(
        beside,
        'include compose "compose.yaml"\n'
        "publish wan -> self tcp/8080 becomes web:80 from 203.0.113.9 as site\n"
        "filter any, self -> any { drop to worker as fenced }\n"
        'test "t" {\n'
        "  accept tcp 203.0.113.9 -> self:8080 in wan becomes 172.30.0.5:80 by site\n"
        "  drop tcp 203.0.113.10 -> self:8080 in wan by site\n"
        "  drop tcp self -> worker:1 by fenced\n"
        "}\n",
    )
    results = api.test(ruleset)
    assert results.passed
    assert len(results.packets) == 4  # `worker` has two addresses
    assert [one.name for one in ruleset.notes] == ["drawn-by-engine"]  # the addresses of `worker`


def test_services_of_kubernetes_are_followed(beside: Path) -> None:
    ruleset = loaded(
        beside,
        'include kubernetes "cluster.yaml"\n'
        "zone pods = interface cni0 network 10.244.0.0/16 owner kube-proxy\n"
        "filter wan -> pods { accept published tcp/30080 from 203.0.113.9 as web; otherwise drop }\n"
        'test "t" {\n'
        "  accept tcp 203.0.113.9 -> 192.0.2.10:30080 in wan becomes 10.244.1.5:8080 by web\n"
        "  drop tcp 203.0.113.10 -> 192.0.2.10:30080 in wan\n"
        "}\n",
    )
    assert api.test(ruleset).passed


@pytest.mark.parametrize("jumps", ["insert", "keep", "renew"])
def test_the_rules_of_engines_are_not_written(beside: Path, jumps: str) -> None:
    ruleset = loaded(
        beside, 'include compose "compose.yaml"\ninclude kubernetes "cluster.yaml"\nfilter wan -> any { drop tcp/1 }\n'
    )
    owners = {rule.owner for *_, rule in ruleset.rules()}
    assert owners == {"", "docker", "kube-proxy"}
    text = api.compile(ruleset, 4, jumps=jumps)  # type: ignore[arg-type]
    assert "*nat" not in text
    assert "KUBE" not in text
    named = {line.split()[1] for line in text.splitlines() if "DOCKER" in line}
    assert named == {"DOCKER-USER"}


def test_a_file_of_others_that_is_not_there_is_named(beside: Path) -> None:
    with pytest.raises(api.InputError) as refused:
        loaded(beside, 'include kubernetes "none.yaml"\ninclude compose "none.yaml"\n')
    assert [(one.name, one.span.line if one.span else 0) for one in refused.value.diagnostics] == [
        ("bad-include", 3),
        ("bad-include", 4),
    ]
