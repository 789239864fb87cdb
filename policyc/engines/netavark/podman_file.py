"""Networks and containers of podman in JSON as calls of netavark.

Networks are what `podman network inspect` prints. Containers are what `podman container inspect` prints, or are written by
hand with the words of `podman run`: `{"name": "web", "networks": ["app"], "publish": ["8080:80"], "ip": "10.89.0.5"}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address

from policyc.diagnostics import Diagnostic, diagnose
from policyc.engines.docker.ports import Publish, read_port, read_publish
from policyc.engines.fields import Address, Subnet, address_of
from policyc.engines.given import Given
from policyc.engines.netavark.network_file import NetworkReader
from policyc.engines.netavark.scenario import DNS_PORT, Container, Endpoint, Network, Operation, PortMapping, Scenario
from policyc.engines.netavark.scenario_file import ordered_networks
from policyc.engines.netavark.versions import Behaviour
from policyc.frozen import frozen

_KEYS = {"networks", "containers", "dns_port"}
_WRITTEN = {"name", "id", "networks", "publish", "ip", "ip6"}
DEFAULT_NETWORK = "podman"
_DEFAULT = {
    "name": DEFAULT_NETWORK, "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9", "driver": "bridge",
    "network_interface": "podman0", "subnets": [{"subnet": "10.88.0.0/16", "gateway": "10.88.0.1"}],
}  # fmt: skip
"""The network that podman has without a file of its own (containers.conf(5))."""


def read_podman(given: Given, resolved: Given, how: Behaviour) -> tuple[Scenario, list[Diagnostic]]:
    """Return the setup of all containers, and remarks. Raises InputError with all that is wrong.

    A list is one of networks, with the containers that the inspection shows on them. `resolved` may have `order`, as for calls.
    """
    reader = _Podman(NetworkReader(how), resolved)
    if isinstance(given.value, list):
        reader.networks(given)
        found = [reader.inspected_on_networks(given)]
    else:
        given.unknown_keys(_KEYS)
        reader.networks(given.at("networks"))
        found = [reader.container(item) for item in given.at("containers").items()]
    port = given.at("dns_port").number(1, 65535, DNS_PORT) if isinstance(given.value, Mapping) else DNS_PORT
    given.document.settle()
    resolved.document.settle()
    containers = [each for some in found for each in some]
    return Scenario("", tuple(Operation(True, each, port, given.span) for each in containers)), reader.notes


class _Podman:
    def __init__(self, reader: NetworkReader, resolved: Given) -> None:
        self.notes = reader.notes
        self._reader = reader
        self._order = resolved.at("order")
        self._networks: dict[str, Network] = {}
        self._given: set[Address] = set()
        self._last: dict[Subnet, Address] = {}

    def networks(self, given: Given) -> None:
        for item in given.items():
            network = self._reader.read(item)
            self._networks[network.name] = network
        if DEFAULT_NETWORK not in self._networks:
            self._networks[DEFAULT_NETWORK] = self._reader.read(Given.json(_DEFAULT, name=DEFAULT_NETWORK))

    def inspected_on_networks(self, given: Given) -> list[Container]:
        """Return the containers that `podman network inspect` shows, which says nothing of their ports."""
        endpoints: dict[str, list[Endpoint]] = {}
        for item in given.items():
            for identity, shown in item.at("containers").entries():
                nets = [net for _, port in shown.at("interfaces").entries() for net in port.at("subnets").items()]
                found = [_inside(net.at("ipnet")) for net in nets]
                addresses = tuple(each for each in found if each is not None)
                endpoints.setdefault(identity, []).append(Endpoint(self._networks[item.at("name").text()], addresses))
        if endpoints:
            message = "`podman network inspect` does not say which ports are published; no rules for ports are shown"
            self.notes.append(diagnose("engine-option-ignored", message, given.span))
        return [Container(identity, tuple(each), None) for identity, each in endpoints.items()]

    def container(self, given: Given) -> list[Container]:
        if not isinstance(given.value, Mapping):
            given.wrong("must be a container: `name`, `networks`, `publish`, or what `podman container inspect` prints")
            return []
        return [self._inspected(given) if "NetworkSettings" in given else self._written(given)]

    def _written(self, given: Given) -> Container:
        given.unknown_keys(_WRITTEN)
        name = given.at("name").text()
        if not name:
            given.wrong("needs a `name`")
        identity = given.at("id").text(name)
        if "id" not in given:
            message = f"podman draws the id of `{name}`, part of comments; `{name}` stands in for it"
            self.notes.append(diagnose("drawn-by-engine", message, given.at("name").span, help="give it: `id`"))
        asked = [each for key in ("ip", "ip6") if (each := address_of(given.at(key))) is not None]
        wanted = {item.text(): item for item in given.at("networks").items()} or {DEFAULT_NETWORK: given}
        names = ordered_networks(wanted, given, self._order.at(identity), self._reader)
        chosen = {wanted_name: self._network(wanted[wanted_name], wanted_name) for wanted_name in sorted(wanted)}
        endpoints = {
            n: Endpoint(net, self._addresses(net, asked, given)) for n, net in chosen.items() if net is not None
        }
        published = [(port, item) for item in given.at("publish").items() for port in _published(item)]
        for port, item in published:
            if not port.is_exact:
                item.wrong("needs a host port: podman draws one, and nobody knows which")
        ports = joined((port.port.protocol, port.first, port.port.number, port.host) for port, _ in published)
        return Container(identity, tuple(endpoints[n] for n in names if n in endpoints), ports or None)

    def _inspected(self, given: Given) -> Container:
        identity, settings = given.at("Id").text(), given.at("NetworkSettings")
        if not identity:
            given.wrong("needs an `Id`, as `podman container inspect` prints it")
        shown = dict(settings.at("Networks").entries())
        endpoints: list[Endpoint] = []
        for name in ordered_networks(shown, given, self._order.at(identity), self._reader):
            network = self._network(shown[name], name)
            pair = [address_of(shown[name].at(key)) for key in ("IPAddress", "GlobalIPv6Address")]
            addresses = tuple(each for each in pair if each is not None)
            self._given.update(addresses)
            if network is not None:
                endpoints.append(Endpoint(network, addresses))
        ports = joined(_bindings(settings.at("Ports")))
        return Container(identity, tuple(endpoints), ports or None)

    def _network(self, given: Given, name: str) -> Network | None:
        if name not in self._networks:
            given.wrong(
                f"names the network `{name}`, which is not among `networks`: {', '.join(sorted(self._networks))}"
            )
        return self._networks.get(name)

    def _addresses(self, network: Network, asked: Sequence[Address], given: Given) -> tuple[Address, ...]:
        """Return an address from each subnet: the one that is asked for, else the next behind the last that was given."""
        found: list[Address] = []
        for subnet in network.subnets:
            address = next((each for each in asked if each.version == subnet.version), None)
            if address is not None and address not in subnet:
                given.wrong(f"asks for {address}, which is not in {subnet}")
            chosen = address or self._next(subnet, network.gateways)
            if chosen is None:
                given.wrong(f"gets no address: all of {subnet} are given")
                continue
            self._given.add(chosen)
            found.append(chosen)
        return tuple(found)

    def _next(self, subnet: Subnet, gateways: tuple[Address, ...]) -> Address | None:
        last = self._last.get(subnet, subnet.network_address)
        while (last := last + 1) in subnet:
            if last not in gateways and last not in self._given and last != subnet.broadcast_address:
                self._last[subnet] = last
                return last
        return None


def _published(given: Given) -> list[Publish]:
    try:
        return read_publish(given.text())
    except ValueError as error:
        given.wrong(f"cannot be read: {error}")
        return []


@frozen
class _Pair:
    """A host port and the port of the container that it leads to."""

    protocol: str
    host_port: int
    container_port: int
    host: Address | None

    def follows(self, mapping: PortMapping) -> bool:
        """Whether it is the next pair behind a range."""
        same = (self.protocol, self.host) == (mapping.protocol, mapping.host)
        behind = (mapping.host_port + mapping.count, mapping.container_port + mapping.count)
        return same and (self.host_port, self.container_port) == behind


def joined(pairs: Iterable[tuple[str, int, int, Address | None]]) -> tuple[PortMapping, ...]:
    """Return mappings as podman makes them: sorted by host port, neighbours joined (specgen/generate/ports.go).

    Protocols and addresses of the host come in the order in which they were first named.
    """
    found: list[PortMapping] = []
    all_pairs = [_Pair(*each) for each in pairs]
    groups = dict.fromkeys((pair.host, pair.protocol) for pair in all_pairs)
    for group in groups:
        of_group = (pair for pair in all_pairs if (pair.host, pair.protocol) == group)
        for pair in sorted(of_group, key=lambda each: each.host_port):
            if found and pair.follows(found[-1]):
                last = found.pop()
                found.append(PortMapping(last.protocol, last.host_port, last.container_port, last.count + 1, last.host))
            else:
                found.append(PortMapping(pair.protocol, pair.host_port, pair.container_port, 1, pair.host))
    return tuple(found)


def _bindings(given: Given) -> Iterator[tuple[str, int, int, Address | None]]:
    """Yield the ports that `podman container inspect` shows: `{"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}`."""
    for name, item in given.entries():
        try:
            port = read_port(name)[0]
        except ValueError as error:
            item.wrong(f"is no port: {error}")
            continue
        for binding in item.items():
            host = address_of(binding.at("HostIp"))
            yield port.protocol, binding.at("HostPort").number(1, 65535), port.number, host


def _inside(given: Given) -> Address | None:
    try:
        return ip_address(given.text().partition("/")[0])
    except ValueError:
        given.wrong(f"must be an address with its prefix, as 10.89.0.2/24, not `{given.text()}`")
        return None
