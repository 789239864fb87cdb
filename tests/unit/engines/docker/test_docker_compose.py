"""Compose files: both forms of everything, what takes part, and mistakes at their line with the path of the key."""

from __future__ import annotations

import pytest

from policyc.diagnostics import InputError
from policyc.engines.docker.compose import read_compose
from policyc.engines.docker.scenario import Scenario
from policyc.source import Source


def scenario(text: str, profiles: tuple[str, ...] = (), **values: str) -> Scenario:
    return read_compose(Source("compose.yml", text), "shop", profiles, values)[0]


def test_names_are_those_that_compose_gives() -> None:
    found = scenario("services:\n  web:\n    ports: [80:8000, 443]\n  db:\n    container_name: data\n")
    assert [network.name for network in found.networks] == ["shop_default"]
    assert [container.name for container in found.containers] == ["data", "shop-web-1"]
    assert [(one.first, str(one.port)) for one in found.containers[1].publish] == [(80, "8000/tcp"), (0, "443/tcp")]


def test_long_and_short_ports_mean_the_same() -> None:
    short = scenario('services: {web: {ports: ["127.0.0.1:8000-8001:80-81/udp", "9-10:7"]}}')
    long = scenario(
        "services:\n  web:\n    ports:\n"
        "      - {target: 80, published: 8000, host_ip: 127.0.0.1, protocol: udp}\n"
        "      - {target: 81, published: '8001', host_ip: 127.0.0.1, protocol: udp, mode: host}\n"
        "      - {target: 7, published: 9-10, name: seven, app_protocol: http}\n"
    )
    assert short.containers[0].publish == long.containers[0].publish


def test_a_port_on_an_ipv6_address() -> None:
    found = scenario("services: {web: {ports: [{target: 80, published: 80, host_ip: '::1'}]}}")
    assert str(found.containers[0].publish[0].host) == "::1"


def test_the_json_that_config_prints() -> None:
    found = scenario(
        '{"name": "proj", "networks": {"default": {"name": "proj_default", "ipam": {}}}, "services": {"web": {'
        '"command": null, "entrypoint": null, "networks": {"default": null},'
        '"ports": [{"mode": "ingress", "target": 80, "published": "8080", "protocol": "tcp"}]}}}'
    )
    assert [network.name for network in found.networks] == ["proj_default"]
    assert found.containers[0].publish[0].first == 8080


def test_networks_of_a_service_and_its_addresses() -> None:
    found = scenario(
        "services:\n  web:\n    networks:\n      back: {ipv4_address: 10.1.0.9, priority: 5}\n      front: {gw_priority: 1}\n"
        "networks:\n  front: {internal: true}\n  back:\n    name: inner\n    enable_ipv6: true\n"
        "    ipam: {config: [{subnet: 10.1.0.0/24, gateway: 10.1.0.254}]}\n"
    )
    assert [(one.name, one.internal, one.ipv6) for one in found.networks] == [
        ("inner", False, True),
        ("shop_front", True, False),
    ]
    web = found.containers[0]
    assert (web.networks, str(web.ip), web.priorities) == (("inner", "shop_front"), "10.1.0.9", {"shop_front": 1})


def test_services_start_behind_those_that_they_need() -> None:
    found = scenario(
        "services: {a: {depends_on: [b]}, b: {network_mode: 'service:c'}, c: {depends_on: {d: {}}}, d: {}}"
    )
    assert [container.name for container in found.containers] == ["shop-d-1", "shop-c-1", "shop-b-1", "shop-a-1"]
    assert found.containers[2].networks == ("container:shop-c-1",)


def test_profiles_and_replicas() -> None:
    text = "services: {web: {deploy: {replicas: 2}}, tool: {profiles: [debug]}}"
    assert [one.name for one in scenario(text).containers] == ["shop-web-1", "shop-web-2"]
    assert [one.name for one in scenario(text, ("debug",)).containers] == ["shop-tool-1", "shop-web-1", "shop-web-2"]


def test_variables_have_defaults_or_are_given() -> None:
    text = 'services: {web: {ports: ["${PORT:-8080}:80"], environment: [A=$$B, "C=$NOWHERE"]}}'
    assert scenario(text).containers[0].publish[0].first == 8080
    assert scenario(text, PORT="9090").containers[0].publish[0].first == 9090


WRONG = """\
services:
  web:
    ports:
      - "8080:80/tpc"
      - {published: 80}
      - "${HTTP}:80"
    network_mode: host
    networks: [front]
    prts: []
  db:
    depends_on: [db2]
    networks: [inner]
    extends: {service: web}
include: [other.yml]
network: {}
"""


def test_every_mistake_is_said_at_its_line_with_its_path() -> None:
    with pytest.raises(InputError) as raised:
        scenario(WRONG)
    assert [f"{one.span}: {one.message}" for one in raised.value.diagnostics] == [
        "compose.yml:4:9: `services.web.ports[0]` cannot be read: `tpc` is no protocol of a published port; it is tcp, udp or sctp",
        "compose.yml:5:9: `services.web.ports[1]` needs a `target`, the port of the container",
        "compose.yml:6:9: `services.web.ports[2]` uses `${HTTP}`, which has no value",
        "compose.yml:7:19: `services.web.network_mode` and `networks` exclude each other",
        "compose.yml:9:5: the key `services.web.prts` is not known",
        "compose.yml:12:16: `services.db.networks[0]` names the network `inner`, which `networks` does not declare",
        "compose.yml:13:14: `services.db.extends` is not read here",
        "compose.yml:14:10: `include` is not read here",
        "compose.yml:15:1: the key `network` is not known",
    ]


def test_a_circle_of_services() -> None:
    with pytest.raises(InputError, match="depends on itself: "):
        scenario("services: {a: {depends_on: [b]}, b: {depends_on: [a]}}")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("services:\n  web:\n   ports: [1\n", "compose.yml:4:1"),
        ("services:\n\tweb: {}\n", "compose.yml:2:1"),
        ("a: 1\na: 2\n", "compose.yml:2:1"),
        ("a: &x [*x]\n", "compose.yml:1:4"),
    ],
)
def test_what_is_no_yaml_is_said_at_its_place(text: str, place: str) -> None:
    with pytest.raises(InputError) as raised:
        scenario(text)
    assert str(raised.value.diagnostics[0].span) == place


def test_ports_are_no_numbers_of_base_60_and_anchors_are_followed() -> None:
    found = scenario("x-a: &a {ports: [22:22]}\nservices:\n  web: {<<: *a, expose: [1]}\n  web2: *a\n")
    assert [str(one.publish[0].port) for one in found.containers] == ["22/tcp", "22/tcp"]
    assert [len(one.expose) for one in found.containers] == [1, 0]
