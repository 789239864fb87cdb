"""A scenario in JSON as values: the object that recorded scenarios have, docs/api.md says which.

Everything that is wrong with it is told at once, each problem at its line with the path of its key.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface, ip_network
from typing import TypeVar

from policyc.diagnostics import Diagnostic
from policyc.engines.docker.ports import Address, Port, Publish, read_port, read_publish
from policyc.engines.docker.scenario import (
    Container,
    Drawn,
    DrawnContainer,
    DrawnNetwork,
    Host,
    Network,
    Scenario,
    Step,
    Subnet,
)
from policyc.engines.docker.settings import read_settings
from policyc.engines.docker.versions import Behaviour
from policyc.engines.fields import converted
from policyc.engines.given import Given

T = TypeVar("T")
_KEYS = {"daemon", "host", "networks", "containers", "post", "note"}
_HOST_KEYS = {"interfaces", "default_gateway", "ip_forward_before", "pre_commands"}
_NETWORK_KEYS = {
    "name", "driver", "internal", "ipv4", "ipv6", "subnets", "gateways", "ip_ranges", "options", "attachable",
}  # fmt: skip
_CONTAINER_KEYS = {
    "name", "networks", "publish", "publish_all", "expose", "ip", "ip6", "links", "gw_priority", "image", "restart",
}  # fmt: skip


def read_scenario(given: Given, how: Behaviour) -> tuple[Scenario, list[Diagnostic]]:
    """Return a scenario and remarks on it. Raises InputError with all that is wrong."""
    given.unknown_keys(_KEYS)
    settings, notes = read_settings(given.at("daemon"), how)
    networks = tuple(_network(item) for item in given.at("networks").items())
    containers = tuple(_container(item, number) for number, item in enumerate(given.at("containers").items(), 1))
    steps = tuple(Step(item.text(), item.span) for item in given.at("post").items())
    scenario = Scenario(settings, _host(given.at("host")), networks, containers, steps)
    given.document.settle()
    return scenario, notes


def _host(given: Given) -> Host:
    given.unknown_keys(_HOST_KEYS)
    interfaces: dict[str, tuple[IPv4Interface | IPv6Interface, ...]] = {}
    for name, item in given.at("interfaces").entries():
        found = (converted(each, ip_interface, "an address with a prefix length") for each in item.items())
        interfaces[name] = tuple(each for each in found if each is not None)
    commands = tuple(Step(item.text(), item.span) for item in given.at("pre_commands").items())
    gateway = converted(given.at("default_gateway"), ip_address, "an address")
    return Host(interfaces, given.at("ip_forward_before").flag(), commands, gateway)


def _network(given: Given) -> Network:
    given.unknown_keys(_NETWORK_KEYS)
    if not given.at("name").text():
        given.wrong("needs a `name`")
    subnets = _all(given.at("subnets"), ip_network, "a network, as 172.30.0.0/24")
    return Network(
        name=given.at("name").text(),
        driver=given.at("driver").text("bridge"),
        internal=given.at("internal").flag(),
        ipv4=given.at("ipv4").flag(default=True),
        ipv6=given.at("ipv6").flag(),
        subnets=subnets,
        gateways=_all(given.at("gateways"), ip_address, "an address"),
        ranges=_all(given.at("ip_ranges"), ip_network, "a network, as 172.30.0.0/24"),
        options={name: item.text() for name, item in given.at("options").entries()},
        span=given.span,
    )


def _container(given: Given, number: int) -> Container:
    given.unknown_keys(_CONTAINER_KEYS)
    ip = converted(given.at("ip"), IPv4Address, "an IPv4 address")
    ip6 = converted(given.at("ip6"), IPv6Address, "an IPv6 address")
    links = tuple(_link(item.text()) for item in given.at("links").items())
    networks = tuple("bridge" if name == "default" else name for name in given.at("networks").texts())
    return Container(
        name=given.at("name").text(f"container{number}"),
        networks=networks or ("bridge",),
        publish=tuple(one for item in given.at("publish").items() for one in _ports(item, read_publish)),
        publish_all=given.at("publish_all").flag(),
        expose=tuple(one for item in given.at("expose").items() for one in _ports(item, read_port)),
        ip=ip,
        ip6=ip6,
        links=links,
        priorities={name: item.number(-(2**31), 2**31 - 1) for name, item in given.at("gw_priority").entries()},
        span=given.span,
    )


P = TypeVar("P", Port, Publish)


def _ports(given: Given, read: Callable[[str], list[P]]) -> list[P]:
    try:
        return read(given.text())
    except ValueError as error:
        given.wrong(f"cannot be read: {error}")
        return []


def _link(text: str) -> tuple[str, str]:
    target, _, alias = text.partition(":")
    return target, alias or target


def _all(given: Given, convert: Callable[[str], T], wanted: str) -> tuple[T, ...]:
    found = (converted(item, convert, wanted) for item in given.items())
    return tuple(each for each in found if each is not None)


def read_drawn(given: Given) -> Drawn:
    """Return what a run of the daemon drew. Raises InputError with all that is wrong."""
    networks = {name: _drawn_network(item) for name, item in given.at("networks").entries()}
    containers = {name: _drawn_container(item) for name, item in given.at("containers").entries()}
    given.document.settle()
    return Drawn(networks, containers)


def _drawn_network(given: Given) -> DrawnNetwork:
    subnets: list[Subnet] = []
    gateways: list[Address] = []
    for item in given.at("ipam").items():
        subnet = converted(item.at("subnet"), ip_network, "a network")
        gateway = converted(item.at("gateway"), ip_address, "an address")
        subnets.extend([] if subnet is None else [subnet])
        gateways.extend([] if gateway is None else [gateway])
    return DrawnNetwork(given.at("bridge").text(), given.at("id").text(), tuple(subnets), tuple(gateways))


def _drawn_container(given: Given) -> DrawnContainer:
    addresses: dict[str, tuple[Address, ...]] = {}
    for name, item in given.at("networks").entries():
        found = (converted(item.at(key), ip_address, "an address") for key in ("ip", "ip6"))
        addresses[name] = tuple(each for each in found if each is not None)
    ports: dict[Port, tuple[tuple[Address, int], ...]] = {}
    for name, item in given.at("ports").entries():
        try:
            port = read_port(name)[0]
        except ValueError as error:
            item.wrong(f"is no port: {error}")
            continue
        ports[port] = tuple(_host_ports(item))
    return DrawnContainer(addresses, ports)


def _host_ports(given: Given) -> list[tuple[Address, int]]:
    found: list[tuple[Address, int]] = []
    for item in given.items():
        host = converted(item.at("HostIp"), ip_address, "an address")
        port = item.at("HostPort")
        if host is not None:
            found.append((host, port.number(1, 65535) if port.text() else 0))
    return found
