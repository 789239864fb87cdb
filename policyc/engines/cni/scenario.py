"""What the plugins are asked: calls one after the other, each with the configurations of its plugins.

Sources: the CNI specification 1.0 and 1.1, the documents of the plugins (cni.dev).
"""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Interface, IPv6Interface

from policyc.engines.fields import Address, Subnet
from policyc.frozen import frozen
from policyc.source import Span

Interface = IPv4Interface | IPv6Interface
DEFAULT_BRIDGE = "cni0"
DEFAULT_INTERFACE = "eth0"
DEFAULT_MARK_BIT = 13
"""portmap marks with this bit what it must masquerade; Kubernetes has 14 and 15."""


class Verb(StrEnum):
    """What a runtime asks of a network; CHECK, STATUS, VERSION and GC install nothing that is modelled."""

    ADD = "ADD"
    DEL = "DEL"
    CHECK = "CHECK"


class IngressPolicy(StrEnum):
    """Who may open connections to containers of a bridge."""

    OPEN = "open"
    SAME_BRIDGE = "same-bridge"
    ISOLATED = "isolated"


@frozen
class Range:
    """A range of host-local: all addresses from first to last but the gateway, both ends included."""

    subnet: Subnet
    first: Address
    last: Address
    gateway: Address | None


@frozen
class HostLocal:
    """Addresses from ranges: one from each set. `requested` are those that the runtime asks for; `store` keeps the leases."""

    sets: tuple[tuple[Range, ...], ...]
    requested: tuple[Address, ...] = ()
    store: str = ""


@frozen
class Static:
    """Addresses that are written down."""

    addresses: tuple[Interface, ...]


@frozen
class Unknowable:
    """Addresses that somebody else gives: `kind` is dhcp, or a plugin that is not known here."""

    kind: str


Ipam = HostLocal | Static | Unknowable | None


@frozen
class Main:
    """A plugin that makes an interface: `bridge` is the bridge's name, "" where the plugin has none.

    `masquerade` and `on_nftables` are the options `ipMasq` and `ipMasqBackend`.
    """

    kind: str
    ipam: Ipam
    bridge: str = ""
    masquerade: bool = False
    on_nftables: bool = False
    span: Span | None = None


@frozen
class PortMapping:
    """A host port that leads to a port of the container; `host` None stands for every address."""

    protocol: str
    host_port: int
    container_port: int
    host: Address | None = None

    def concerns(self, family: int) -> bool:
        """Whether connections of a family are mapped."""
        return self.host is None or self.host.version == family


@frozen
class Portmap:
    """The plugin portmap. `conditions` are words of iptables, or of nft, by family."""

    mappings: tuple[PortMapping, ...]
    snat: bool = True
    mark_bit: int = DEFAULT_MARK_BIT
    set_mark_chain: str | None = None
    masquerade_all: bool = False
    conditions: tuple[tuple[int, tuple[str, ...]], ...] = ()
    on_nftables: bool = False
    span: Span | None = None

    def conditions_of(self, family: int) -> tuple[str, ...]:
        """Return the words that every packet of a family must meet."""
        return dict(self.conditions).get(family, ())


@frozen
class Firewall:
    """The plugin firewall with its backend iptables."""

    admin_chain: str = "CNI-ADMIN"
    policy: IngressPolicy = IngressPolicy.OPEN
    span: Span | None = None


Plugin = Main | Portmap | Firewall


@frozen
class Operation:
    """A call for one interface of one container."""

    verb: Verb
    network: str
    container: str
    interface: str
    plugins: tuple[Plugin, ...]
    span: Span


@frozen
class Scenario:
    """Commands that were run before, then the calls."""

    before: str
    operations: tuple[Operation, ...]


@frozen
class Drawn:
    """Addresses that are known, by container and network."""

    addresses: dict[tuple[str, str], tuple[Interface, ...]]
