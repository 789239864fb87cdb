"""What netavark is asked: containers set up and torn down, one after the other, each with its networks and published ports.

Source: src/network/types.rs, the form that podman passes to `netavark setup`.
"""

from __future__ import annotations

from enum import StrEnum

from policyc.engines.fields import Address, Subnet
from policyc.frozen import frozen
from policyc.source import Span

DNS_PORT = 53


class Isolation(StrEnum):
    """The option `isolate` of a network: from which networks it is kept apart."""

    NEVER = "false"
    NORMAL = "true"
    STRICT = "strict"


@frozen
class Network:
    """A network. `gateways` are the addresses on which its name server answers.

    `filtered`: netavark makes rules for it, which it does not for internal, unmanaged and bridgeless networks.
    """

    name: str
    id: str
    interface: str
    subnets: tuple[Subnet, ...]
    gateways: tuple[Address, ...] = ()
    isolation: Isolation = Isolation.NEVER
    filtered: bool = True
    span: Span | None = None


@frozen
class PortMapping:
    """Ports of the host, `count` from `host_port` on, that lead to as many of the container; `host` None is every address."""

    protocol: str
    host_port: int
    container_port: int
    count: int = 1
    host: Address | None = None

    @property
    def host_ports(self) -> tuple[int, int]:
        """The first and the last."""
        return self.host_port, self.host_port + self.count - 1

    def concerns(self, family: int) -> bool:
        """Whether connections of a family are mapped."""
        return self.host is None or self.host.version == family


@frozen
class Endpoint:
    """A container on a network, with its addresses there."""

    network: Network
    addresses: tuple[Address, ...]

    def first(self, family: int) -> tuple[Address, Subnet] | None:
        """Return its first address of a family, with the subnet around it: the only one that ports are led to."""
        for address in self.addresses:
            around = next((subnet for subnet in self.network.subnets if address in subnet), None)
            if address.version == family and around is not None:
                return address, around
        return None


@frozen
class Container:
    """A container; `ports` None where nobody spoke of ports, which makes fewer chains than an empty list."""

    id: str
    endpoints: tuple[Endpoint, ...]
    ports: tuple[PortMapping, ...] | None


@frozen
class Operation:
    """A call: `setup` or `teardown` of a container; `dns_port` is where the name server listens."""

    sets_up: bool
    container: Container
    dns_port: int
    span: Span


@frozen
class Scenario:
    """Commands that were run before, then the calls."""

    before: str
    operations: tuple[Operation, ...]
