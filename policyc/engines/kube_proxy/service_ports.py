"""The ports of Services as kube-proxy of one family sees them: skipped Services gone, addresses of the other family gone.

Source: pkg/proxy/serviceport.go and pkg/proxy/servicechangetracker.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.engines.kube_proxy.chain_names import CLUSTER_POLICY, EXTERNAL, FIREWALL, LOCAL_POLICY, hashed
from policyc.engines.kube_proxy.scenario import Address, Port, Scenario, Service, Subnet
from policyc.engines.kube_proxy.versions import Behaviour
from policyc.frozen import frozen


@frozen
class ServicePort:
    """A port of a Service in one family; `name` is what kube-proxy writes into comments (`namespace/name:port`)."""

    service: Service
    port: Port
    address: Address
    external_ips: tuple[Address, ...]
    vips: tuple[Address, ...]
    source_ranges: tuple[Subnet, ...]

    @property
    def name(self) -> str:
        """Return its name in comments and chain names."""
        suffix = f":{self.port.name}" if self.port.name else ""
        return f"{self.service.namespace}/{self.service.name}{suffix}"

    @property
    def cluster_chain(self) -> str:
        """Return the chain that chooses among all endpoints."""
        return hashed(CLUSTER_POLICY, self.name, self.port.protocol)

    @property
    def local_chain(self) -> str:
        """Return the chain that chooses among the endpoints of this node."""
        return hashed(LOCAL_POLICY, self.name, self.port.protocol)

    @property
    def external_chain(self) -> str:
        """Return the chain for what comes to an address or port outside the cluster's own."""
        return hashed(EXTERNAL, self.name, self.port.protocol)

    @property
    def firewall_chain(self) -> str:
        """Return the chain that lets pass whom the load balancer shall serve."""
        return hashed(FIREWALL, self.name, self.port.protocol)

    @property
    def internal_local(self) -> bool:
        """Whether traffic to the cluster address stays on its node."""
        return self.service.internal_local

    @property
    def external_local(self) -> bool:
        """Whether traffic from outside stays on the node that it came to."""
        service = self.service
        accessible = service.type in {"LoadBalancer", "NodePort"} or bool(service.external_ips)
        return service.external_local and accessible

    @property
    def reached_from_outside(self) -> bool:
        """Whether there is an address or port outside the cluster's own."""
        return bool(self.port.node_port or self.vips or self.external_ips)

    @property
    def uses_cluster_endpoints(self) -> bool:
        """Whether all endpoints are chosen from by somebody: with policy Local too, pods and the node itself do so."""
        return not self.internal_local or self.reached_from_outside

    @property
    def uses_local_endpoints(self) -> bool:
        """Whether endpoints of this node are chosen from by somebody."""
        return self.internal_local or (self.external_local and self.reached_from_outside)

    @property
    def health_check_port(self) -> int:
        """Return the port on which load balancers ask whether this node has endpoints, 0 where they do not."""
        wanted = self.service.type == "LoadBalancer" and self.service.external_local
        return self.service.health_check_port if wanted else 0


def service_ports(scenario: Scenario, family: int, how: Behaviour) -> Iterator[ServicePort]:
    """Yield the ports that get rules in a family, in the order of the scenario."""
    for service in scenario.services:
        address = service.cluster_ips.get(family)
        if address is None or service.type == "ExternalName":
            continue
        external = tuple(each for each in service.external_ips if each.version == family)
        vips = tuple(
            each.address for each in service.ingress
            if each.address.version == family and (each.is_vip or not how.ip_mode)
        )  # fmt: skip
        ranges = tuple(each for each in service.source_ranges if each.version == family)
        for port in service.ports:
            yield ServicePort(service, port, address, external, vips, ranges)
