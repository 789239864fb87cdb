"""The rules of one port of a Service: where its addresses lead, whom it masquerades, which endpoint it chooses.

Source: pkg/proxy/iptables/proxier.go, syncProxyRules and writeServiceToEndpointRules.
"""

from __future__ import annotations

from collections.abc import Sequence

from policyc.engines.kube_proxy.chain_names import (
    EXTERNAL_SERVICES,
    MARK_MASQ,
    NODE_PORTS,
    PROXY_FIREWALL,
    SERVICES,
)
from policyc.engines.kube_proxy.endpoints import Backend, Usable
from policyc.engines.kube_proxy.scenario import Address
from policyc.engines.kube_proxy.service_ports import ServicePort
from policyc.engines.tables import Tables
from policyc.frozen import frozen

_LOCALHOST_COUNTER = "localhost_nps_accepted_pkts"


@frozen
class Surroundings:
    """What the rules of all ports share: the tables of a family, how local pods are told, switches of the proxy.

    `from_pods` and `not_from_pods` are "" where pods cannot be told. `terse` leaves out the comments of endpoints, as
    kube-proxy does in large clusters. `counts_localhost`: node ports on loopback are counted.
    """

    tables: Tables
    family: int
    from_pods: str
    not_from_pods: str
    masquerade_all: bool
    terse: bool
    counts_localhost: bool
    node_address: Address


class PortRules:
    """Writes the rules of one port."""

    def __init__(self, around: Surroundings, port: ServicePort, found: Usable) -> None:
        self.around = around
        self.port = port
        self.found = found
        self.inside = found.exist and (bool(found.local) or not port.internal_local)
        """Whether the cluster address leads somewhere."""
        self.outside = found.exist and (bool(found.local) or not port.external_local)
        """Whether addresses and ports outside the cluster's own do, for everybody."""
        self.has_firewall = found.exist and bool(port.vips) and bool(port.source_ranges)
        protocol = port.port.protocol
        self.to_port = f"-p {protocol} -m {protocol} --dport {port.port.number}"
        self.to_node_port = f"-p {protocol} -m {protocol} --dport {port.port.node_port}"

    def write(self) -> None:
        """Write them all."""
        self._cluster_address()
        self._external_addresses()
        self._load_balancer_addresses()
        self._node_port()
        self._health_check()
        self._masquerade()
        if self.found.exist and self.port.reached_from_outside:
            self._external_chain()
        if self.has_firewall:
            self._firewall_chain()
        port = self.port
        if self.found.cluster and port.uses_cluster_endpoints:
            self._choose(port.cluster_chain, self.found.cluster)
        if self.found.local and port.uses_local_endpoints:
            self._choose(port.local_chain, self.found.local)
        for backend in self.found.reachable:
            self._backend(backend)

    def _cluster_address(self) -> None:
        to = f"-d {self.port.address} {self.to_port}"
        if self.inside:
            self._nat(SERVICES, f"{self._says('cluster IP')} {to} -j {self._internal_chain}")
        else:
            self._refuse(SERVICES, to)

    @property
    def _internal_chain(self) -> str:
        return self.port.local_chain if self.port.internal_local else self.port.cluster_chain

    def _external_addresses(self) -> None:
        for address in self.port.external_ips:
            to = f"-d {address} {self.to_port}"
            if self.found.exist:
                self._nat(SERVICES, f"{self._says('external IP')} {to} -j {self.port.external_chain}")
            if not self.outside:
                self._refuse(EXTERNAL_SERVICES, to)

    def _load_balancer_addresses(self) -> None:
        port = self.port
        chain = port.firewall_chain if self.has_firewall else port.external_chain
        for address in port.vips:
            to = f"-d {address} {self.to_port}"
            if self.found.exist:
                self._nat(SERVICES, f"{self._says('loadbalancer IP')} {to} -j {chain}")
            if self.has_firewall:
                says = self._says(f"traffic not accepted by {port.firewall_chain}")
                self._filter(PROXY_FIREWALL, f"{says} {to} -j DROP")
            if not self.outside:
                self._refuse(EXTERNAL_SERVICES, to)

    def _node_port(self) -> None:
        port = self.port
        if not port.port.node_port:
            return
        if self.found.exist:
            if self.around.counts_localhost:
                counted = f"-d 127.0.0.0/8 {self.to_node_port} -m nfacct --nfacct-name {_LOCALHOST_COUNTER}"
                self._nat(NODE_PORTS, f"{_comment(port.name)} {counted} -j {port.external_chain}")
            self._nat(NODE_PORTS, f"{_comment(port.name)} {self.to_node_port} -j {port.external_chain}")
        if not self.outside:
            self._refuse(EXTERNAL_SERVICES, f"-m addrtype --dst-type LOCAL {self.to_node_port}")

    def _health_check(self) -> None:
        if self.port.health_check_port:
            to = f"-p tcp -m tcp --dport {self.port.health_check_port}"
            self._filter(NODE_PORTS, f"{self._says('health check node port')} {to} -j ACCEPT")

    def _masquerade(self) -> None:
        """Mark what comes to the cluster address from outside the cluster, whose answer must come back through this node."""
        if not self.inside:
            return
        around = self.around
        if not (around.masquerade_all or around.not_from_pods):
            return
        to = f"-d {self.port.address} {self.to_port}"
        who = "" if around.masquerade_all else around.not_from_pods
        self._nat(self._internal_chain, f"{self._says('cluster IP')} {to} {who} -j {MARK_MASQ}")

    def _external_chain(self) -> None:
        port, chain = self.port, self.port.external_chain
        destinations = f"for {port.name} external destinations"
        if not port.external_local:
            self._nat(chain, f"{_comment(f'masquerade traffic {destinations}')} -j {MARK_MASQ}")
        else:
            if self.around.from_pods:
                says = _comment(f"pod traffic {destinations}")
                self._nat(chain, f"{says} {self.around.from_pods} -j {port.cluster_chain}")
            here = "-m addrtype --src-type LOCAL"
            self._nat(chain, f"{_comment(f'masquerade LOCAL traffic {destinations}')} {here} -j {MARK_MASQ}")
            self._nat(chain, f"{_comment(f'route LOCAL traffic {destinations}')} {here} -j {port.cluster_chain}")
        if self.outside:
            self._nat(chain, f"-j {port.local_chain if port.external_local else port.cluster_chain}")

    def _firewall_chain(self) -> None:
        port, chain = self.port, self.port.firewall_chain
        says = self._says("loadbalancer IP")
        for network in port.source_ranges:
            self._nat(chain, f"{says} -s {network} -j {port.external_chain}")
        if any(self.around.node_address in network for network in port.source_ranges):
            for address in port.vips:  # the node's own packets to them have them as their source too
                self._nat(chain, f"{says} -s {address} -j {port.external_chain}")
        self._nat(chain, _comment(f"other traffic to {port.name} will be dropped by {PROXY_FIREWALL}"))

    def _choose(self, chain: str, backends: Sequence[Backend]) -> None:
        """Send to one of some endpoints: first to the one that a client had before, then to each with the same chance."""
        affinity = self.port.service.affinity
        for backend in backends if affinity else ():
            to = backend.chain(self.port)
            known = f"-m recent --name {to} --rcheck --seconds {affinity} --reap"
            self._nat(chain, f"{self._about(f'{self.port.name} -> {backend.target}')} {known} -j {to}")
        for number, backend in enumerate(backends):
            left = len(backends) - number
            chance = f"-m statistic --mode random --probability {1 / left:.10f}" if left > 1 else ""
            says = self._about(f"{self.port.name} -> {backend.target}")
            self._nat(chain, f"{says} {chance} -j {backend.chain(self.port)}")

    def _backend(self, backend: Backend) -> None:
        chain, says, protocol = backend.chain(self.port), self._about(self.port.name), self.port.port.protocol
        self._nat(chain, f"{says} -s {backend.endpoint.address} -j {MARK_MASQ}")
        known = f"-m recent --name {chain} --set" if self.port.service.affinity else ""
        to = f"-m {protocol} -p {protocol} -j DNAT --to-destination {backend.target}"
        self._nat(chain, f"{says} {known} {to}")

    def _nat(self, chain: str, rule: str) -> None:
        self.around.tables.new_chain(self.around.family, "nat", chain)
        self.around.tables.append(self.around.family, "nat", chain, rule)

    def _refuse(self, chain: str, to: str) -> None:
        """Refuse what leads nowhere: with an answer where the cluster has no endpoint, silently where this node has none."""
        if self.found.exist:
            self._filter(chain, f"{self._says('has no local endpoints')} {to} -j DROP")
        else:
            self._filter(chain, f"{self._says('has no endpoints')} {to} -j REJECT")

    def _filter(self, chain: str, rule: str) -> None:
        self.around.tables.append(self.around.family, "filter", chain, rule)

    def _says(self, text: str) -> str:
        return _comment(f"{self.port.name} {text}")

    def _about(self, text: str) -> str:
        return "" if self.around.terse else _comment(text)


def _comment(text: str) -> str:
    return f'-m comment --comment "{text}"'
