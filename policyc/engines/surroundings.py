"""What stands around a host that runs containers: their ends of its bridges, and who listens on its ports for them.

An engine that was previewed says it in these values; `policyc.explanation` connects from one of them to another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from policyc.frozen import frozen
from policyc.net.addresses import Network


@frozen
class Socket:
    """An address, 0 for every one of its family, and a port of a transport protocol (IANA number)."""

    family: int
    address: int
    protocol: int
    port: int

    def takes(self, other: Socket) -> bool:
        """Whether a socket that listens here gets what is sent to another one."""
        same = (self.family, self.protocol, self.port) == (other.family, other.protocol, other.port)
        return same and self.address in {0, other.address}


@frozen
class Endpoint:
    """A container's end on a bridge of the host.

    `addresses`, `subnets` and `gateways` are by family; a container without a gateway on any of its networks has no default
    route. `port` is the interface of the bridge that leads to it, `hairpin` whether frames may go back out of it.
    `is_default` are the families whose default route leads by it.
    """

    owner: str
    network: str
    bridge: str
    port: str
    addresses: Mapping[int, int]
    subnets: Mapping[int, Network]
    gateways: Mapping[int, int]
    hairpin: bool = False
    is_default: frozenset[int] = frozenset()

    def is_near(self, family: int, address: int) -> bool:
        """Whether an address is in its subnet."""
        subnet = self.subnets.get(family)
        return subnet is not None and address in subnet


@frozen
class Publication:
    """A port of a container that is published on the host.

    `outer` is what clients are told, with address 0 for every address of the host; `inner` the container's own. `proxy` is the
    program that listens on `outer` and carries on to `inner`, "" where none does.
    """

    owner: str
    outer: Socket
    inner: Socket
    proxy: str = ""


@frozen
class Own:
    """A program that listens on the host itself: a container in the host's own network namespace."""

    owner: str
    socket: Socket


@frozen
class Surroundings:
    """Everything around a host.

    `imagined` are ends that a further container would get, one for each network, in the order in which the networks were
    made; their owner is "". `shares` names whose network namespace a container lives in, where it has none of its own.
    `assumptions` say, in words, what nobody said about the host.
    """

    endpoints: tuple[Endpoint, ...] = ()
    imagined: tuple[Endpoint, ...] = ()
    publications: tuple[Publication, ...] = ()
    programs: tuple[Own, ...] = ()
    shares: Mapping[str, str] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()

    def of(self, owner: str) -> tuple[Endpoint, ...]:
        """Return the ends of a container, those of another one where it lives with that."""
        while owner in self.shares:
            owner = self.shares[owner]
        return tuple(one for one in self.endpoints if one.owner == owner)

    def at(self, bridge: str, family: int, address: int) -> Endpoint | None:
        """Return the end on a bridge that has an address."""
        found = (one for one in self.endpoints if one.bridge == bridge and one.addresses.get(family) == address)
        return next(found, None)

    def on(self, network: str) -> Iterator[Endpoint]:
        """Yield the ends on a network."""
        return (one for one in self.endpoints if one.network == network)
