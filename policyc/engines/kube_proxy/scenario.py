"""A scenario of kube-proxy as values: its flags, its node, the Services and EndpointSlices that the API server has.

The first stage of a preview: `objects` and `flags` make these values, `service_ports` picks those of one family.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from policyc.frozen import frozen
from policyc.source import Span

Address = IPv4Address | IPv6Address
Subnet = IPv4Network | IPv6Network
LOOPBACK: tuple[Address, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


class LocalMode(Enum):
    """How kube-proxy tells the traffic of the node's own pods (`--detect-local-mode`)."""

    CLUSTER_CIDR = "ClusterCIDR"
    NODE_CIDR = "NodeCIDR"
    BRIDGE_INTERFACE = "BridgeInterface"
    INTERFACE_NAME_PREFIX = "InterfaceNamePrefix"


@frozen
class Settings:
    """The flags of kube-proxy that matter for its rules; the defaults are its own."""

    node_name: str = ""
    bind_address: Address | None = None
    cluster_cidrs: tuple[Subnet, ...] = ()
    local_mode: LocalMode = LocalMode.CLUSTER_CIDR
    bridge_interface: str = ""
    interface_prefix: str = ""
    masquerade_all: bool = False
    masquerade_bit: int = 14
    localhost_node_ports: bool = True
    node_port_addresses: tuple[Subnet, ...] = ()
    primary_node_ports: bool = False
    """`--nodeport-addresses=primary`: node ports on the node's own addresses only."""
    liberal_tracking: bool = False
    gates: Mapping[str, bool] = field(default_factory=dict)


@frozen
class Node:
    """A node of the cluster: its addresses in order, internal ones first, the networks of its pods, the zone it is in."""

    name: str
    addresses: tuple[Address, ...] = ()
    pod_networks: tuple[Subnet, ...] = ()
    zone: str = ""


@frozen
class Port:
    """A port of a Service: `protocol` in lower case, `node_port` 0 where it has none."""

    name: str
    protocol: str
    number: int
    node_port: int = 0


@frozen
class Ingress:
    """An address of a load balancer; not `is_vip`: it sends to node ports or pods, and never keeps the address."""

    address: Address
    is_vip: bool = True


@frozen
class Service:
    """A Service. `cluster_ips` by family; none: kube-proxy does not look at it. `affinity` in seconds, 0 for none."""

    namespace: str
    name: str
    type: str = "ClusterIP"
    cluster_ips: Mapping[int, Address] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    external_ips: tuple[Address, ...] = ()
    source_ranges: tuple[Subnet, ...] = ()
    ingress: tuple[Ingress, ...] = ()
    internal_local: bool = False
    external_local: bool = False
    affinity: int = 0
    health_check_port: int = 0
    topology: str = ""
    span: Span | None = None


@frozen
class Endpoint:
    """An address behind a Service; hints say for which zones and nodes it is meant."""

    address: Address
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    node: str = ""
    zones: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()


@frozen
class Slice:
    """An EndpointSlice; `ports` are (name, protocol, number)."""

    namespace: str
    service: str
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[tuple[str, str, int], ...] = ()


@frozen
class Scenario:
    """Everything that decides which rules there are.

    `addresses` are those of the node's interfaces, 127.0.0.1 included; `steps` commands that were run before kube-proxy;
    `accounting` whether the kernel has nfacct objects.
    """

    settings: Settings = field(default_factory=Settings)
    node: Node = field(default_factory=lambda: Node(""))
    services: tuple[Service, ...] = ()
    slices: tuple[Slice, ...] = ()
    addresses: tuple[Address, ...] = ()
    steps: tuple[str, ...] = ()
    accounting: bool = True
