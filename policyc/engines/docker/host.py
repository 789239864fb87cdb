"""The host that a daemon has made of the one it was started on, and the containers around it.

Last step of a preview beside the rules: bridges with their addresses and settings as a Host, containers and docker-proxy as
Surroundings. Sources: moby, libnetwork/drivers/bridge (setup_ip_forwarding.go, setup_bridgenetfiltering.go, bridge_linux.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface

from policyc.engines.docker import scenario
from policyc.engines.docker.binding import published
from policyc.engines.docker.daemon import Daemon, LiveContainer
from policyc.engines.docker.live import LiveNetwork
from policyc.engines.docker.ports import Address, Binding
from policyc.engines.docker.scenario import Subnet
from policyc.engines.surroundings import Endpoint, Own, Publication, Socket, Surroundings
from policyc.host.derived import derived_routes
from policyc.host.host import Host, Interface, InterfaceAddress, Route, Scope
from policyc.host.own_addresses import with_loopback
from policyc.host.sysctls import Sysctls
from policyc.net.addresses import ALL_ONES, Network
from policyc.net.protocols import parse_protocol

PROXY = "docker-proxy"
UPLINK = "eth0"
ASSUMED = scenario.Host(
    {UPLINK: (ip_interface("192.0.2.10/24"), ip_interface("2001:db8:ffff::10/64"))}, gateway=ip_address("192.0.2.1")
)
"""Stands for a host that nobody described: one uplink with addresses for documentation (RFC 5737, RFC 3849)."""
_ASSUMPTION = "the host has one uplink, eth0, with 192.0.2.10/24 and 2001:db8:ffff::10/64; describe yours with --host"


def host_of(daemon: Daemon) -> Host:
    """Return the host with the bridges of the daemon's networks and the settings that it made."""
    known = daemon.host.known
    given = _described(daemon.host if daemon.host.interfaces else ASSUMED) if known is None else known
    bridges = tuple(_bridge(network) for network in daemon.networks.values() if network.bridge is not None)
    names = {one.name for one in bridges}
    sysctls = Sysctls({**given.sysctls.given, **_settings(daemon)})
    interfaces = (*(one for one in given.interfaces if one.name not in names), *bridges)
    routes = [route for route in given.routes if route.device not in names]
    if known is None:
        derived = derived_routes(interfaces, sysctls)
        return replace(given, interfaces=interfaces, routes=(*derived, *routes), sysctls=sysctls)
    routes += derived_routes(bridges, sysctls)
    return replace(given, interfaces=interfaces, routes=tuple(routes), sysctls=sysctls)


def _described(host: scenario.Host) -> Host:
    interfaces = with_loopback(
        tuple(
            Interface(name, tuple(_interface_address(each) for each in addresses if not each.ip.is_loopback))
            for name, addresses in host.interfaces.items()
        )
    )
    return Host(interfaces, tuple(_default_route(host, interfaces)))


def _default_route(host: scenario.Host, interfaces: Iterable[Interface]) -> Iterator[Route]:
    if host.gateway is None:
        return
    family, number = host.gateway.version, int(host.gateway)
    near = (
        one.name for one in interfaces for each in one.addresses if each.family == family and number in each.network
    )
    device = next(near, "")
    if device:
        yield Route(Network(family, 0, 0), device, number)


def _interface_address(given: IPv4Interface | IPv6Interface) -> InterfaceAddress:
    scope = Scope.LINK if given.version == 6 and given.ip.is_link_local else Scope.UNIVERSE
    return InterfaceAddress(given.version, int(given.ip), given.network.prefixlen, scope)


def _bridge(network: LiveNetwork) -> Interface:
    assert network.bridge is not None, "only bridges are interfaces of the host"
    addresses = (
        InterfaceAddress(family, int(address), network.leases[family].subnet.prefixlen)
        for family, address in network.gateways.items()
    )
    return Interface(network.bridge.interface, tuple(addresses))


def _settings(daemon: Daemon) -> dict[str, str]:
    """Return what the daemon writes: forwarding, and 127.0.0.0/8 beyond `lo` where no docker-proxy serves it."""
    found = {
        "net.ipv4.ip_forward": str(int(daemon.forwards[4])),
        "net.ipv6.conf.all.forwarding": str(int(daemon.forwards[6])),
    }
    if not daemon.settings.userland_proxy:
        for network in daemon.networks.values():
            if network.bridge is not None:
                found[f"net.ipv4.conf.{network.bridge.interface}.route_localnet"] = "1"
    return found | daemon.sysctls


def surroundings_of(daemon: Daemon) -> Surroundings:
    """Return the running containers with their ends, what is published, and who listens on the host."""
    running = [one for one in daemon.containers.values() if one.running]
    shares = {
        one.config.name: name.removeprefix("container:")
        for one in running
        for name in one.networks
        if name.startswith("container:")
    }
    return Surroundings(
        tuple(_endpoints(daemon, running)),
        tuple(_imagined(daemon)),
        tuple(
            _publication(daemon, one, binding) for one in running for _, binding in one.bindings if binding.host_port
        ),
        tuple(_programs(running)),
        shares,
        (_ASSUMPTION,) if daemon.host.known is None and not daemon.host.interfaces else (),
    )


def _endpoints(daemon: Daemon, running: Iterable[LiveContainer]) -> Iterator[Endpoint]:
    number = 0
    for one in running:
        carriers = dict(daemon.gateways_of(one))
        for name, addresses in one.addresses.items():
            number += 1
            default = frozenset(family for family, carrier in carriers.items() if carrier == name)
            yield _endpoint(daemon, name, addresses, one.config.name, f"veth{number}", default)


def _imagined(daemon: Daemon) -> Iterator[Endpoint]:
    for name, network in daemon.networks.items():
        if network.bridge is None:
            continue
        addresses = network.lease((), ())
        if not isinstance(addresses, str):
            network.release(addresses)
            default = frozenset() if network.bridge.internal else frozenset(addresses)
            yield _endpoint(daemon, name, addresses, "", "veth0", default)


def _endpoint(
    daemon: Daemon, name: str, addresses: Mapping[int, Address], owner: str, port: str, default: frozenset[int]
) -> Endpoint:
    network = daemon.networks[name]
    assert network.bridge is not None, "only bridges have addresses here"
    return Endpoint(
        owner=owner,
        network=name,
        bridge=network.bridge.interface,
        port=port,
        addresses={family: int(address) for family, address in addresses.items()},
        subnets={family: _network(network.leases[family].subnet) for family in addresses},
        gateways={family: int(address) for family, address in network.gateways.items()},
        hairpin=not daemon.settings.userland_proxy,
        is_default=default,
    )


def _network(subnet: Subnet) -> Network:
    mask = ALL_ONES[subnet.version] ^ (ALL_ONES[subnet.version] >> subnet.prefixlen)
    return Network(subnet.version, int(subnet.network_address), mask)


def _publication(daemon: Daemon, one: LiveContainer, binding: Binding) -> Publication:
    protocol = parse_protocol(binding.port.protocol)
    return Publication(
        one.config.name,
        Socket(binding.host.version, int(binding.host), protocol, binding.host_port),
        Socket(binding.family, int(binding.container), protocol, binding.port.number),
        PROXY if daemon.settings.userland_proxy else "",
    )


def _programs(running: Iterable[LiveContainer]) -> Iterator[Own]:
    """Yield what listens on the host: the ports that containers with the host's network say they use."""
    for one in running:
        if "host" in one.networks:
            ports = dict.fromkeys((*(publish.port for publish in published(one.config)), *one.config.exposed))
            for port in ports:
                protocol = parse_protocol(port.protocol)
                yield from (Own(one.config.name, Socket(family, 0, protocol, port.number)) for family in (4, 6))
