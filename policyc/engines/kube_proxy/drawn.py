"""What the API server draws for a Service that leaves it open: cluster addresses, node ports, the port of health checks.

A manifest that somebody wrote has none of them; what `kubectl get -o yaml` prints has them all. What is known is given by name:
`{"services": {"default/web": {"clusterIPs": ["10.96.3.4"], "nodePorts": {"http": 31234}, "healthCheckNodePort": 30999}}}`.
For the rest stand-ins are taken in order, and each is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network

from policyc.diagnostics import Diagnostic, diagnose
from policyc.engines.fields import addresses_of
from policyc.engines.given import Given
from policyc.engines.kube_proxy.scenario import Address, Port, Service, Settings

SERVICE_NETWORKS: dict[int, IPv4Network | IPv6Network] = {
    4: IPv4Network("10.96.0.0/12"),
    6: IPv6Network("fd00:10:96::/112"),
}
"""Where stand-ins for cluster addresses come from: kubeadm's default, and the one that its documents use for IPv6."""
FIRST_ADDRESS = 0x101
FIRST_NODE_PORT = 30086
"""The first port that the API server draws from its default range; those before it are for who chooses a port."""
_MOST_PORT = 65535


class Draws:
    """Completes Services; `notes` says what stands in for what."""

    def __init__(self, known: Given, services: Sequence[Service], settings: Settings) -> None:
        self.notes: list[Diagnostic] = []
        self._known = known.at("services")
        self._dual = {network.version for network in settings.cluster_cidrs} == {4, 6}
        self._addresses = {address for service in services for address in service.cluster_ips.values()}
        self._ports = {port.node_port for service in services for port in service.ports} | {
            service.health_check_port for service in services
        }

    def completed(self, given: Given, service: Service) -> Service:
        """Return a Service with all that the API server would have drawn."""
        spec = given.at("spec")
        if service.type == "ExternalName":
            return service
        known = self._known.at(f"{service.namespace}/{service.name}")
        if not service.cluster_ips and spec.at("clusterIP").text() != "None":
            found: dict[int, Address] = {each.version: each for each in addresses_of(known.at("clusterIPs"))}
            service = replace(service, cluster_ips=found or self._cluster_ips(given, service))
        if service.type == "NodePort" or (
            service.type == "LoadBalancer" and spec.at("allocateLoadBalancerNodePorts").flag(default=True)
        ):
            service = replace(service, ports=self._node_ports(given, service, known.at("nodePorts")))
        if service.type == "LoadBalancer" and service.external_local and not service.health_check_port:
            port = known.at("healthCheckNodePort").number(1, _MOST_PORT)
            if not port:
                port = self._port(given, service, "has no `healthCheckNodePort`")
            service = replace(service, health_check_port=port)
        return service

    def _cluster_ips(self, given: Given, service: Service) -> dict[int, Address]:
        spec = given.at("spec")
        families = [int(item.text()[-1]) for item in spec.at("ipFamilies").items() if item.text() in {"IPv4", "IPv6"}]
        policy = spec.at("ipFamilyPolicy").text("SingleStack")
        both = policy == "RequireDualStack" or (policy == "PreferDualStack" and self._dual)
        wanted = dict.fromkeys([*(families or [4]), *([4, 6] if both else [])])
        found = {family: self._address(family) for family in wanted}
        shown = " and ".join(str(address) for address in found.values())
        self._says(given, service, f"has no `clusterIP`: the API server draws it, {shown} stands in for it")
        return found

    def _address(self, family: int) -> Address:
        network = SERVICE_NETWORKS[family]
        number = FIRST_ADDRESS
        while network[number] in self._addresses:
            number += 1
        self._addresses.add(network[number])
        return network[number]

    def _node_ports(self, given: Given, service: Service, known: Given) -> tuple[Port, ...]:
        found: list[Port] = []
        for port in service.ports:
            number = port.node_port or known.at(port.name).number(1, _MOST_PORT)
            if not number:
                called = f"port `{port.name}`" if port.name else "port"
                number = self._port(given, service, f"has no `nodePort` for its {called}")
            found.append(replace(port, node_port=number))
        return tuple(found)

    def _port(self, given: Given, service: Service, lacks: str) -> int:
        number = FIRST_NODE_PORT
        while number in self._ports:
            number += 1
        self._ports.add(number)
        self._says(given, service, f"{lacks}: the API server draws it, {number} stands in for it")
        return number

    def _says(self, given: Given, service: Service, text: str) -> None:
        message = f"the Service `{service.namespace}/{service.name}` {text}"
        self.notes.append(
            diagnose("drawn-by-engine", message, given.at("metadata").at("name").span, help="`--resolved` can give it")
        )
