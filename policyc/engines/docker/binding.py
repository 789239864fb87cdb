"""From what a container publishes to what is bound: host addresses of both families, host ports, in the release's order.

Source: addPortMappings of moby's bridge driver (port_mapping_linux.go), and of 20.10, which binds each family on its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address
from itertools import groupby

from policyc.engines.docker.host_ports import HostPorts
from policyc.engines.docker.ports import Address, Binding, Port, Publish, ascending, bound_to, in_order
from policyc.engines.docker.scenario import Container, DrawnContainer
from policyc.engines.docker.versions import PortOrder
from policyc.frozen import frozen

ANY: Mapping[int, Address] = {4: IPv4Address(0), 6: IPv6Address(0)}


@frozen
class Gateway:
    """What carries a container's published ports: its address by family, the families that are routed, the default host.

    `proxied` says whether IPv6 of the host is carried to a container without IPv6, by docker-proxy.
    """

    addresses: Mapping[int, Address]
    routed: frozenset[int]
    default: Address
    proxied: bool


@frozen
class _Request:
    publish: Publish
    container: Address
    host: Address
    routed: bool


def published(container: Container) -> Iterator[Publish]:
    """Yield what a container publishes; with `-P` also each port that it exposes otherwise."""
    yield from container.publish
    if container.publish_all:
        known = {publish.port for publish in container.publish}
        yield from (Publish(port) for port in container.exposed if port not in known)


def bind(
    container: Container, gateway: Gateway, order: PortOrder, ports: HostPorts, drawn: DrawnContainer | None
) -> list[Binding]:
    """Return the bindings of a container in the order in which they are programmed. Raises PortTakenError."""
    sources = in_order(published(container), order)
    requests = [request for publish in sources for request in _requests(publish, gateway)]
    if order is PortOrder.BY_MAPPER:
        requests.sort(key=lambda request: (request.routed, *ascending(bound_to(request.publish, request.host))))
    left = {port: list(pairs) for port, pairs in drawn.ports.items()} if drawn else {}
    made: list[Binding] = []
    for group in _groups(requests, order):
        known = _known(group, left)
        first = group[0].publish
        hosts = [request.host for request in group if not request.routed]
        number = 0
        if hosts:
            low, high = (known, known) if known else (first.first, first.last)
            number = ports.take(container.name, first.port.protocol, hosts, low, high)
        made.extend(
            Binding(request.publish.port, request.container, request.host, 0 if request.routed else number)
            for request in group
        )
    return made


def _requests(publish: Publish, gateway: Gateway) -> Iterator[_Request]:
    for family in (4, 6):
        routed = family in gateway.routed
        container = gateway.addresses.get(family)
        if container is None and family == 6 and gateway.proxied:
            container = gateway.addresses.get(4)
        host = publish.host or _default(gateway.default, family)
        if container is not None and host is not None and host.version == family:
            yield _Request(publish, container, ANY[family] if routed else host, routed)


def _default(default: Address, family: int) -> Address | None:
    """Return the address that a family is bound to where nobody said; the default of all IPv4 means all IPv6 too."""
    if default.version == family:
        return default
    return ANY[6] if family == 6 and default == ANY[4] else None


def _groups(requests: Iterable[_Request], order: PortOrder) -> Iterator[list[_Request]]:
    """Yield the requests that must get one host port; before 27 each stands alone."""
    if order is PortOrder.DESCENDING:
        yield from ([request] for request in requests)
        return
    for _, group in groupby(requests, key=lambda r: (r.publish.port, r.publish.first, r.publish.last, r.routed)):
        yield list(group)


def _known(group: list[_Request], left: dict[Port, list[tuple[Address, int]]]) -> int:
    """Return the host port that the daemon drew for a group, 0 where it is not known or was asked for."""
    first = group[0].publish
    if first.is_exact:
        return 0
    found = 0
    for request in group:
        pairs = left.get(first.port, [])
        pair = next((pair for pair in pairs if pair[0] == request.host and pair[1]), None)
        if pair is not None:
            pairs.remove(pair)
            found = found or pair[1]
    return found
