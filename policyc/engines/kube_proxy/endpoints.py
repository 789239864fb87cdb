"""The endpoints of a port, and which of them kube-proxy uses on this node.

Sources: pkg/proxy/endpointslicecache.go, pkg/proxy/topology.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.engines.kube_proxy.chain_names import ENDPOINT, hashed
from policyc.engines.kube_proxy.scenario import Endpoint, Node, Slice
from policyc.engines.kube_proxy.service_ports import ServicePort
from policyc.engines.kube_proxy.versions import Behaviour
from policyc.frozen import frozen

PortKey = tuple[str, str, str, str]
"""Namespace and name of a Service, name and protocol of its port."""


@frozen
class Backend:
    """An endpoint of a port: `target` is address and port as a rule has it."""

    endpoint: Endpoint
    target: str
    is_local: bool

    def chain(self, port: ServicePort) -> str:
        """Return the chain that translates to it."""
        return hashed(ENDPOINT, port.name, port.port.protocol, self.target)


@frozen
class Usable:
    """Endpoints for each traffic policy, all that this node sends to, and whether there are any in the whole cluster."""

    cluster: tuple[Backend, ...] = ()
    local: tuple[Backend, ...] = ()
    reachable: tuple[Backend, ...] = ()
    exist: bool = False


def backends(slices: Iterable[Slice], family: int, node: str) -> dict[PortKey, list[Backend]]:
    """Return the endpoints of each port, sorted as text, as kube-proxy sorts them.

    One that stands in several slices counts once, and as an endpoint of this node if one of them says so.
    """
    found: dict[PortKey, dict[str, Backend]] = {}
    for each in slices:
        for name, protocol, number in each.ports:
            known = found.setdefault((each.namespace, each.service, name, protocol), {})
            for endpoint in each.endpoints:
                address = endpoint.address
                if address.version != family:
                    continue
                target = f"[{address}]:{number}" if family == 6 else f"{address}:{number}"
                is_local = bool(endpoint.node) and endpoint.node == node
                if target not in known or is_local:
                    known[target] = Backend(endpoint, target, is_local)
    return {key: [known[target] for target in sorted(known)] for key, known in found.items()}


def usable(port: ServicePort, every: list[Backend], node: Node, how: Behaviour) -> Usable:
    """Return which endpoints a port uses on a node.

    Those that are ready; where there are none, those that end but still serve, for each policy on its own.
    """
    ready = [each for each in every if each.endpoint.ready]
    ending = [each for each in every if each.endpoint.serving and each.endpoint.terminating]
    cluster: list[Backend] = []
    if port.uses_cluster_endpoints:
        cluster = _near(port, ready, node, how) or ending
    if not port.uses_local_endpoints:
        return Usable(tuple(cluster), (), tuple(cluster), bool(cluster))
    local = [each for each in ready if each.is_local] or [each for each in ending if each.is_local]
    reachable = {each.target: each for each in (*cluster, *local)}
    return Usable(tuple(cluster), tuple(local), tuple(reachable.values()), bool(ready or ending))


def _near(port: ServicePort, ready: list[Backend], node: Node, how: Behaviour) -> list[Backend]:
    """Return the endpoints that hints mean for this node or its zone; all where one has no hint, or none is meant for it."""
    if how.node_hints and ready and all(each.endpoint.nodes for each in ready):
        chosen = [each for each in ready if node.name in each.endpoint.nodes]
        if chosen:
            return chosen
    if not how.zone_hints or (how.hints_need_annotation and port.service.topology in {"", "disabled", "Disabled"}):
        return ready
    if not node.zone or not all(each.endpoint.zones for each in ready):
        return ready
    return [each for each in ready if node.zone in each.endpoint.zones] or ready
