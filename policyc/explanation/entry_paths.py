"""The entry paths of published ports: from where each is reached, how, and as whom the server sees the client.

A published port has more entrances than the one that it was published for; each is tried with a whole connection of
`connecting`. Part of `explanation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import Any

from policyc.engines.surroundings import Endpoint, Publication, Socket, Surroundings
from policyc.explanation.connecting import Attempt, Client, Here, Inside, Outside, World, connect
from policyc.explanation.places import RulePlace
from policyc.frozen import frozen
from policyc.host.host import Host, Interface, InterfaceAddress, Scope
from policyc.host.own_addresses import LOCALHOST
from policyc.net.addresses import format_address
from policyc.net.protocols import CANONICAL

_IMAGINED = "another container"


class Path(StrEnum):
    """Who asks, and for which address."""

    OUTSIDE = "outside"
    OUTSIDE_DIRECT = "outside-direct"
    OUTSIDE_LOOPBACK = "outside-loopback"
    HOST = "host"
    HOST_LOOPBACK = "host-loopback"
    HOST_DIRECT = "host-direct"
    SAME_NETWORK = "same-network"
    SAME_NETWORK_DIRECT = "same-network-direct"
    OTHER_NETWORK = "other-network"
    OTHER_NETWORK_DIRECT = "other-network-direct"
    ITSELF = "itself"


@frozen
class EntryPath:
    """One way in: who asks, in words, and what comes of it."""

    path: Path
    client: str
    attempt: Attempt

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {"path": self.path.value, "client": self.client, **attempt_to_dict(self.attempt)}


@frozen
class PublishedPort:
    """A published port of a container on a network, with its entry paths."""

    publication: Publication
    network: str
    paths: tuple[EntryPath, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        one = self.publication
        return {
            "container": one.owner, "network": self.network, "protocol": CANONICAL[one.outer.protocol],
            "published": socket_text(one.outer), "leads_to": socket_text(one.inner), "proxy": one.proxy or None,
            "paths": [path.to_dict() for path in self.paths],
        }  # fmt: skip


def entry_paths(world: World) -> tuple[PublishedPort, ...]:
    """Return every published port with its entry paths. Where nobody else is on a network, another container is imagined."""
    return tuple(_Paths(world, one).published() for one in world.surroundings.publications)


class _Paths:
    def __init__(self, world: World, publication: Publication) -> None:
        around = world.surroundings
        self.publication = publication
        self.family = publication.outer.family
        self.host = world.host
        inner = publication.inner
        ends = around.of(publication.owner)
        self.end = next((end for end in ends if end.addresses.get(inner.family) == inner.address), None)
        self.neighbour = _named(None if self.end is None else _neighbour(around, self.end, self.family))
        self.stranger = _named(None if self.end is None else _stranger(around, self.end, self.family))
        others = [end for end in (self.neighbour, self.stranger) if end is not None and end not in around.endpoints]
        self.world = replace(world, surroundings=replace(around, endpoints=(*around.endpoints, *others)))

    def published(self) -> PublishedPort:
        """Try all paths."""
        return PublishedPort(self.publication, self.end.network if self.end else "", tuple(self._paths()))

    def _paths(self) -> Iterator[EntryPath]:
        for path, client, target in self._asked():
            yield EntryPath(path, _client_text(client, self.family), connect(self.world, client, target))

    def _asked(self) -> Iterator[tuple[Path, Client, Socket]]:
        outer, inner = self.publication.outer, self.publication.inner
        loopback = replace(outer, address=outer.address if _is_loopback(outer) else LOCALHOST[self.family])
        uplink = _uplink(self.host, self.world.surroundings, self.family)
        own = self._own(uplink)
        neighbour = None if uplink is None else _outsider(uplink, self.family)
        direct = inner if inner.family == self.family else None
        if neighbour is not None and own is not None:
            yield Path.OUTSIDE, neighbour, own
        if neighbour is not None and direct is not None:
            yield Path.OUTSIDE_DIRECT, neighbour, direct
        if neighbour is not None and _is_loopback(outer):
            yield Path.OUTSIDE_LOOPBACK, neighbour, outer
        if own is not None:
            yield Path.HOST, Here(), own
        yield Path.HOST_LOOPBACK, Here(), loopback
        if direct is not None:
            yield Path.HOST_DIRECT, Here(), direct
        for end, by_host, directly in (
            (self.neighbour, Path.SAME_NETWORK, Path.SAME_NETWORK_DIRECT),
            (self.stranger, Path.OTHER_NETWORK, Path.OTHER_NETWORK_DIRECT),
        ):
            if end is not None and own is not None:
                yield by_host, Inside(end.owner), own
            if end is not None and direct is not None:
                yield directly, Inside(end.owner), direct
        if own is not None and self.end is not None and self.family in self.end.addresses:
            yield Path.ITSELF, Inside(self.publication.owner), own

    def _own(self, uplink: tuple[Interface, InterfaceAddress] | None) -> Socket | None:
        """Return what clients elsewhere ask for: the address that it is published on, else the host's own by its uplink."""
        outer = self.publication.outer
        if outer.address and not _is_loopback(outer):
            return outer
        return None if uplink is None else replace(outer, address=uplink[1].address)


def _neighbour(around: Surroundings, end: Endpoint, family: int) -> Endpoint | None:
    """Return another container on the same network, an imagined one where there is none."""
    real = [one for one in around.on(end.network) if one.owner != end.owner and family in one.addresses]
    return next(
        iter(real),
        next((one for one in around.imagined if one.network == end.network and family in one.addresses), None),
    )


def _named(end: Endpoint | None) -> Endpoint | None:
    """Return an end whose owner has a name, also where it is imagined."""
    return end if end is None or end.owner else replace(end, owner=f"{_IMAGINED} on {end.network}")


def _stranger(around: Surroundings, end: Endpoint, family: int) -> Endpoint | None:
    """Return a container on another network that is not on this one too, an imagined one where there is none."""
    here = {one.owner for one in around.on(end.network)}
    real = [one for one in around.endpoints if one.owner not in here and family in one.addresses]
    return next(
        iter(real),
        next((one for one in around.imagined if one.network != end.network and family in one.addresses), None),
    )


def _uplink(host: Host, around: Surroundings, family: int) -> tuple[Interface, InterfaceAddress] | None:
    """Return the interface that leads outside with its address: that of the default route, else the first with an address."""
    bridges = {end.bridge for end in (*around.endpoints, *around.imagined)}
    defaults = [route.device for route in host.routes if route.family == family and not route.destination.mask]
    found = [
        (one, address)
        for one in host.interfaces
        if not one.is_loopback and one.name not in bridges
        for address in one.addresses
        if address.family == family and address.scope is Scope.UNIVERSE
    ]
    return min(found, key=lambda pair: pair[0].name not in defaults, default=None)


def _outsider(uplink: tuple[Interface, InterfaceAddress], family: int) -> Outside:
    """Return a neighbour on the uplink: the first address of its subnet that is not the host's."""
    interface, own = uplink
    taken = {one.address for one in interface.addresses}
    first = own.network.address
    number = next(number for number in range(first + 1, first + 3 + len(taken)) if number not in taken)
    return Outside(interface.name, {family: number})


def _is_loopback(socket: Socket) -> bool:
    return socket.address >> 24 == 127 if socket.family == 4 else socket.address == 1


def _client_text(client: Client, family: int) -> str:
    if isinstance(client, Outside):
        return f"{format_address(client.addresses[family], family)} on {client.interface}"
    return "this host" if isinstance(client, Here) else client.owner


def socket_text(socket: Socket) -> str:
    """Return an address and a port as one word."""
    address = format_address(socket.address, socket.family)
    return f"{address}:{socket.port}" if socket.family == 4 else f"[{address}]:{socket.port}"


def attempt_to_dict(attempt: Attempt) -> dict[str, Any]:
    """Return the JSON form of an attempt."""
    source = attempt.source
    return {
        "target": socket_text(attempt.target),
        "outcome": attempt.outcome.value,
        "source": None if source is None else format_address(source.address, source.family),
        "destination_translated_by": _place(attempt.redirected),
        "source_translated_by": _place(attempt.masked if attempt.inner is None else attempt.inner.masked),
        "bridge": attempt.bridge or None,
        "proxy": attempt.proxy or None,
        "stopped_by": _place(attempt.stopped),
        "because": attempt.because or None,
        "assumptions": list(attempt.assumptions),
    }


def _place(place: RulePlace | None) -> dict[str, Any] | None:
    return None if place is None else place.to_dict()
