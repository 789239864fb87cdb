"""A scenario of Docker as values: how the daemon was started, on which host, its networks, its containers, what came later.

The first stage of a preview: inputs (scenario files, words of a command, compose files) become a Scenario, `daemon` plays it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

from policyc.engines.docker.ports import Address, Port, Publish
from policyc.frozen import frozen
from policyc.host.host import Host as KnownHost
from policyc.source import Span

Subnet = IPv4Network | IPv6Network


@frozen
class AddressPool:
    """Networks of `size` bits that the daemon may draw from `base`."""

    base: Subnet
    size: int


@frozen
class Settings:
    """The flags of dockerd that matter for its rules; the defaults are dockerd's own.

    `icc`, `ip_masq`, `ip`, `ipv6` and the addresses are about the default bridge alone. `ip6tables` None is the release's
    default.
    """

    iptables: bool = True
    ip6tables: bool | None = None
    experimental: bool = False
    userland_proxy: bool = True
    ip_forward: bool = True
    ip_forward_no_drop: bool = False
    allow_direct_routing: bool = False
    live_restore: bool = False
    bridge: str = "docker0"
    icc: bool = True
    ip_masq: bool = True
    ip: Address | None = None
    ipv6: bool = False
    bip: IPv4Interface | None = None
    bip6: IPv6Interface | None = None
    fixed_cidr: IPv4Network | None = None
    fixed_cidr_v6: IPv6Network | None = None
    address_pools: tuple[AddressPool, ...] = ()
    bridge_options: Mapping[str, str] = field(default_factory=dict)
    """Options that networks of the driver `bridge` get where they do not say otherwise."""
    accept_mark: str = ""
    backend: str = "iptables"


@frozen
class Host:
    """The host before the daemon starts: networks of its interfaces, whether it forwards IPv4, commands that were run.

    `gateway` is the next hop of its default route. `known` is all that is known of it where somebody described it whole.
    """

    interfaces: Mapping[str, tuple[IPv4Interface | IPv6Interface, ...]] = field(default_factory=dict)
    forwards: bool = False
    commands: tuple[Step, ...] = ()
    gateway: Address | None = None
    known: KnownHost | None = None


@frozen
class Network:
    """A network that a user makes; addresses that nobody chose are drawn by the daemon."""

    name: str
    driver: str = "bridge"
    internal: bool = False
    ipv4: bool = True
    ipv6: bool = False
    subnets: tuple[Subnet, ...] = ()
    gateways: tuple[Address, ...] = ()
    ranges: tuple[Subnet, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = None

    def option(self, name: str) -> str:
        """Return an option of the bridge driver by the last words of its name, "" where it is not set."""
        return self.options.get(f"com.docker.network.{name}", "")


@frozen
class Container:
    """A container: its networks in the order in which it is connected; `host`, `none` and `container:NAME` are networks too.

    `ip` and `ip6` are asked for on the first network. `links` are (container, alias). `priorities` decide between networks
    that could be the gateway (28 and later). `service` is its name in a compose file, "" elsewhere.
    """

    name: str
    networks: tuple[str, ...] = ("bridge",)
    publish: tuple[Publish, ...] = ()
    publish_all: bool = False
    expose: tuple[Port, ...] = ()
    ip: IPv4Address | None = None
    ip6: IPv6Address | None = None
    links: tuple[tuple[str, str], ...] = ()
    priorities: Mapping[str, int] = field(default_factory=dict)
    span: Span | None = None
    service: str = ""

    @property
    def exposed(self) -> tuple[Port, ...]:
        """The ports that it exposes, those that it publishes included."""
        return tuple(dict.fromkeys((*self.expose, *(publish.port for publish in self.publish))))


@frozen
class Step:
    """A command that was run later, `@restart` for a restart of the daemon."""

    text: str
    span: Span | None = None


@frozen
class Scenario:
    """Everything that decides which rules there are."""

    settings: Settings = field(default_factory=Settings)
    host: Host = field(default_factory=Host)
    networks: tuple[Network, ...] = ()
    containers: tuple[Container, ...] = ()
    steps: tuple[Step, ...] = ()


@frozen
class DrawnNetwork:
    """What the daemon drew for a network: its bridge, its id (the first digits), its subnets and gateways."""

    bridge: str = ""
    id: str = ""
    subnets: tuple[Subnet, ...] = ()
    gateways: tuple[Address, ...] = ()


@frozen
class DrawnContainer:
    """What the daemon drew for a container: its addresses by network, host ports by container port and host address."""

    addresses: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)
    ports: Mapping[Port, tuple[tuple[Address, int], ...]] = field(default_factory=dict)


@frozen
class Drawn:
    """What a run of the daemon drew, as far as somebody knows."""

    networks: Mapping[str, DrawnNetwork] = field(default_factory=dict)
    containers: Mapping[str, DrawnContainer] = field(default_factory=dict)
