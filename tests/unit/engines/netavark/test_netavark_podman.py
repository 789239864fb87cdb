"""Networks and containers of podman: as it prints them or written by hand; ports joined, addresses given, mistakes in place."""

from __future__ import annotations

import pytest

from policyc.diagnostics import InputError
from policyc.engines.given import Given
from policyc.engines.netavark.engine import nftables_of, play
from policyc.engines.netavark.podman_file import joined, read_podman
from policyc.engines.netavark.scenario import PortMapping, Scenario
from policyc.engines.netavark.versions import behaviour_of
from policyc.readers.json_places import read_json
from policyc.source import Source

NETWORKS = """\
[{"name": "app", "id": "a172cedc", "driver": "bridge", "network_interface": "podman1", "created": "2024-05-01T10:00:00Z",
  "subnets": [{"subnet": "10.89.0.0/24", "gateway": "10.89.0.1"}, {"subnet": "fd89::/64", "gateway": "fd89::1"}],
  "ipv6_enabled": true, "internal": false, "dns_enabled": true, "ipam_options": {"driver": "host-local"},
  "containers": {"c0ffee": {"name": "web", "interfaces": {"eth0": {"subnets": [{"ipnet": "10.89.0.7/24"}]}}}}}]
"""
INSPECTED = """\
{"Id": "c0ffee", "Name": "web", "NetworkSettings": {
  "Networks": {"app": {"IPAddress": "10.89.0.7", "GlobalIPv6Address": "fd89::7"}},
  "Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "53/udp": null}}}
"""


def read(text: str) -> Scenario:
    source = Source("pods.json", text)
    return read_podman(Given.json(read_json(source), source), Given.json(None), behaviour_of("1.17.2"))[0]


def with_containers(containers: str) -> str:
    return f'{{"networks": {NETWORKS},\n"containers": [{containers}]}}'


def addresses(scenario: Scenario) -> list[list[str]]:
    return [[str(a) for end in call.container.endpoints for a in end.addresses] for call in scenario.operations]


def test_the_networks_alone_show_their_containers() -> None:
    scenario = read(NETWORKS)
    assert [(call.container.id, call.container.ports) for call in scenario.operations] == [("c0ffee", None)]
    assert addresses(scenario) == [["10.89.0.7"]]


def test_an_inspected_container() -> None:
    scenario = read(with_containers(INSPECTED))
    assert addresses(scenario) == [["10.89.0.7", "fd89::7"]]
    (mapping,) = scenario.operations[0].container.ports or ()
    assert (str(mapping.host), mapping.host_port, mapping.container_port) == ("127.0.0.1", 8080, 80)


def test_containers_written_by_hand_get_the_next_addresses() -> None:
    one, two = '{"name": "one", "networks": ["app"]}', '{"name": "two", "networks": ["app"], "ip": "10.89.0.3"}'
    scenario = read(with_containers(f'{one}, {two}, {{"name": "three", "networks": ["app"]}}, {{"name": "four"}}'))
    assert addresses(scenario) == [
        ["10.89.0.2", "fd89::2"],
        ["10.89.0.3", "fd89::3"],
        ["10.89.0.4", "fd89::4"],
        ["10.88.0.2"],
    ]


def test_neighbouring_ports_are_one_rule() -> None:
    pairs = [("tcp", 8081, 81, None), ("tcp", 8080, 80, None), ("udp", 8082, 82, None), ("tcp", 8090, 82, None)]
    assert joined(pairs) == (
        PortMapping("tcp", 8080, 80, 2),
        PortMapping("tcp", 8090, 82),
        PortMapping("udp", 8082, 82),
    )


def test_both_drivers_know_the_ports() -> None:
    scenario = read(with_containers('{"name": "web", "networks": ["app"], "publish": ["8000-8001:80-81"]}'))
    nat = play("1.17.2", scenario).table(6, "nat")
    assert nat is not None
    text = "\n".join(rule.text for chain in nat.chains for rule in chain.rules)
    assert "--dport 8000:8001 -j DNAT --to-destination [fd89::2]:80-81/8000" in text
    assert "tcp dport 8001 dnat ip6 to [fd89::2]:81" in nftables_of(scenario)


def test_all_mistakes_at_once() -> None:
    wrong = with_containers(
        '{"name": "web", "networks": ["ap"], "publish": ["80", "x:1"], "ip": "10.0.0.1"},\n'
        '{"networks": ["app"], "ip": "10.9.0.1", "publsh": []}'
    )
    with pytest.raises(InputError) as caught:
        read(wrong)
    assert [f"{each.span.line} {each.message}" for each in caught.value.diagnostics if each.span] == [
        "6 `containers[0].networks[0]` names the network `ap`, which is not among `networks`: app, podman",
        "6 `containers[0].publish[0]` needs a host port: podman draws one, and nobody knows which",
        "6 `containers[0].publish[1]` cannot be read: `x` is no port or range of ports from 1 to 65535",
        "7 `containers[1]` asks for 10.9.0.1, which is not in 10.89.0.0/24",
        "7 `containers[1]` needs a `name`",
        "7 the key `containers[1].publsh` is not known",
    ]
