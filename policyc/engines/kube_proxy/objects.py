"""Kubernetes objects of a document as values: Service, EndpointSlice, Endpoints, Node, as the API server has them.

Source: the reference of the API, v1 and discovery.k8s.io/v1. Keys that kube-proxy does not look at are known and not read;
others are errors, as they are for the API server.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.engines.fields import address_of, addresses_of, choice
from policyc.engines.given import Given
from policyc.engines.kube_proxy.fields import name_of, networks_of, protocol_of
from policyc.engines.kube_proxy.scenario import Address, Endpoint, Ingress, Node, Port, Service, Slice

_MOST_PORT = 65535
_LONGEST_AFFINITY = 86400
_DEFAULT_AFFINITY = 10800
_ZONE_LABEL = "topology.kubernetes.io/zone"
_PROXY_LABEL = "service.kubernetes.io/service-proxy-name"
_HEADLESS_LABEL = "service.kubernetes.io/headless"
_SERVICE_LABEL = "kubernetes.io/service-name"
_TOPOLOGY_ANNOTATIONS = ("service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode")
_OBJECT_KEYS = {"apiVersion", "kind", "metadata"}
_SERVICE_KEYS = {
    "ports", "selector", "clusterIP", "clusterIPs", "type", "externalIPs", "sessionAffinity", "sessionAffinityConfig",
    "loadBalancerIP", "loadBalancerSourceRanges", "loadBalancerClass", "allocateLoadBalancerNodePorts", "externalName",
    "externalTrafficPolicy", "internalTrafficPolicy", "healthCheckNodePort", "publishNotReadyAddresses", "ipFamilies",
    "ipFamilyPolicy", "trafficDistribution",
}  # fmt: skip
_PORT_KEYS = {"name", "protocol", "appProtocol", "port", "targetPort", "nodePort"}
_ENDPOINT_KEYS = {
    "addresses", "conditions", "hostname", "targetRef", "deprecatedTopology", "nodeName", "zone", "hints",
}  # fmt: skip
_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")


def label(given: Given, name: str) -> str:
    """Return a label of an object, "" where it has none."""
    return given.at("metadata").at("labels").at(name).text()


def read_service(given: Given) -> Service | None:
    """Return a Service, None for one that is another proxy's."""
    given.unknown_keys(_OBJECT_KEYS | {"spec", "status"})
    namespace, name = _names(given)
    spec = given.at("spec")
    spec.unknown_keys(_SERVICE_KEYS)
    if label(given, _PROXY_LABEL):
        return None
    annotations = given.at("metadata").at("annotations")
    topology = next((annotations.at(key).text() for key in _TOPOLOGY_ANNOTATIONS if key in annotations), "")
    kind = choice(spec.at("type"), _TYPES, "ClusterIP")
    cluster_ips = {} if kind == "ExternalName" else _cluster_ips(spec)
    ports = tuple(_ports(spec.at("ports")))
    ranges = networks_of(spec.at("loadBalancerSourceRanges"))
    policy = spec.at("externalTrafficPolicy")
    return Service(
        namespace=namespace,
        name=name,
        type=kind,
        cluster_ips=cluster_ips,
        ports=ports,
        external_ips=addresses_of(spec.at("externalIPs")),
        source_ranges=ranges,
        ingress=tuple(_ingress(given.at("status").at("loadBalancer").at("ingress"))),
        internal_local=choice(spec.at("internalTrafficPolicy"), ("Cluster", "Local"), "Cluster") == "Local",
        external_local=choice(policy, ("Cluster", "Local"), "Cluster") == "Local",
        affinity=_affinity(spec),
        health_check_port=spec.at("healthCheckNodePort").number(0, _MOST_PORT),
        topology=topology,
        span=given.span,
    )


def _names(given: Given) -> tuple[str, str]:
    metadata = given.at("metadata")
    if "name" not in metadata:
        metadata.wrong("needs a `name`")
    return name_of(metadata.at("namespace"), "default"), name_of(metadata.at("name"))


def _cluster_ips(spec: Given) -> dict[int, Address]:
    """Return the addresses by family: `clusterIPs` in the order of `ipFamilies`, or the one of `clusterIP`."""
    given = [item for item in spec.at("clusterIPs").items() if item.text()] or [spec.at("clusterIP")]
    if any(item.text() == "None" for item in (spec.at("clusterIP"), *given)):
        return {}
    families = [choice(item, ("IPv4", "IPv6"), "IPv4") for item in spec.at("ipFamilies").items()]
    found: dict[int, Address] = {}
    for number, item in enumerate(given):
        address = address_of(item)
        if address is None:
            continue
        if number < len(families) and families[number] != f"IPv{address.version}":
            item.wrong(f"is no address of {families[number]}, which `ipFamilies` has in its place")
        elif address.version in found:
            item.wrong("is a second address of the same family")
        found[address.version] = address
    return found


def _ports(given: Given) -> Iterator[Port]:
    seen: set[tuple[str, str]] = set()
    for item in given.items():
        item.unknown_keys(_PORT_KEYS)
        port = Port(
            name_of(item.at("name")),
            protocol_of(item.at("protocol")),
            _port_number(item, "port"),
            item.at("nodePort").number(0, _MOST_PORT),
        )
        if (port.name, port.protocol) in seen:
            item.wrong("has the name of an earlier port" if port.name else "needs a `name`, as there are several ports")
        seen.add((port.name, port.protocol))
        yield port


def _port_number(given: Given, key: str) -> int:
    if key not in given:
        given.wrong(f"needs a `{key}`")
    return given.at(key).number(1, _MOST_PORT)


def _ingress(given: Given) -> Iterator[Ingress]:
    for item in given.items():
        item.unknown_keys({"ip", "hostname", "ipMode", "ports"})
        mode = choice(item.at("ipMode"), ("VIP", "Proxy"), "VIP")
        address = address_of(item.at("ip"))
        if address is not None:
            yield Ingress(address, mode == "VIP")


def _affinity(spec: Given) -> int:
    seconds = spec.at("sessionAffinityConfig").at("clientIP").at("timeoutSeconds")
    timeout = seconds.number(1, _LONGEST_AFFINITY, _DEFAULT_AFFINITY)
    return timeout if choice(spec.at("sessionAffinity"), ("None", "ClientIP"), "None") == "ClientIP" else 0


def read_slice(given: Given) -> Slice | None:
    """Return an EndpointSlice, None for one that kube-proxy does not look at: headless, of names, of another proxy."""
    given.unknown_keys(_OBJECT_KEYS | {"addressType", "endpoints", "ports"})
    namespace, _ = _names(given)
    kind = choice(given.at("addressType"), ("IPv4", "IPv6", "FQDN"), "IPv4")
    metadata_labels = given.at("metadata").at("labels")
    service = label(given, _SERVICE_LABEL)
    if kind == "FQDN" or not service or _HEADLESS_LABEL in metadata_labels or _PROXY_LABEL in metadata_labels:
        return None
    endpoints = [_endpoint(item, kind) for item in given.at("endpoints").items()]
    ports = [
        (name_of(item.at("name")), protocol_of(item.at("protocol")), item.at("port").number(1, _MOST_PORT))
        for item in given.at("ports").items()
    ]
    return Slice(
        namespace, service, tuple(each for each in endpoints if each is not None), tuple(p for p in ports if p[2])
    )


def _endpoint(given: Given, family: str) -> Endpoint | None:
    given.unknown_keys(_ENDPOINT_KEYS)
    addresses = list(given.at("addresses").items())
    if not addresses:
        given.wrong("needs `addresses`")
        return None
    address = address_of(addresses[0])  # kube-proxy takes the first; the API says that others stand for it
    if address is None:
        return None
    if f"IPv{address.version}" != family:
        addresses[0].wrong(f"is no address of {family}, which is the `addressType` of its slice")
    conditions = given.at("conditions")
    conditions.unknown_keys({"ready", "serving", "terminating"})
    hints = given.at("hints")
    return Endpoint(
        address=address,
        ready=conditions.at("ready").flag(default=True),
        serving=conditions.at("serving").flag(default=True),
        terminating=conditions.at("terminating").flag(default=False),
        node=given.at("nodeName").text(),
        zones=_hinted(hints.at("forZones")),
        nodes=_hinted(hints.at("forNodes")),
    )


def _hinted(given: Given) -> frozenset[str]:
    return frozenset(item.at("name").text() for item in given.items())


def read_endpoints(given: Given) -> list[Slice]:
    """Return Endpoints as the slices that Kubernetes makes of them; kube-proxy itself does not look at Endpoints."""
    given.unknown_keys(_OBJECT_KEYS | {"subsets"})
    namespace, name = _names(given)
    found: list[Slice] = []
    for subset in given.at("subsets").items():
        subset.unknown_keys({"addresses", "notReadyAddresses", "ports"})
        endpoints: list[Endpoint] = []
        for key, ready in (("addresses", True), ("notReadyAddresses", False)):
            for item in subset.at(key).items():
                address = address_of(item.at("ip"))
                if address is None:
                    item.wrong("needs an `ip`")
                else:
                    endpoints.append(Endpoint(address, ready, ready, node=item.at("nodeName").text()))
        ports = tuple(
            (name_of(item.at("name")), protocol_of(item.at("protocol")), _port_number(item, "port"))
            for item in subset.at("ports").items()
        )
        found.append(Slice(namespace, name, tuple(endpoints), ports))
    return found


def read_node(given: Given) -> Node:
    """Return a Node: its internal addresses before its external ones, as kube-proxy prefers them."""
    _, name = _names(given)
    found: dict[str, list[Address]] = {"InternalIP": [], "ExternalIP": []}
    for item in given.at("status").at("addresses").items():
        kind = item.at("type").text()
        if kind in found:
            address = address_of(item.at("address"))
            if address is not None:
                found[kind].append(address)
    spec = given.at("spec")
    networks = networks_of(spec.at("podCIDRs") if "podCIDRs" in spec else _single(spec.at("podCIDR")))
    return Node(name, (*found["InternalIP"], *found["ExternalIP"]), networks, label(given, _ZONE_LABEL))


def _single(given: Given) -> Given:
    return given if given.value is None else Given(given.document, given.path, [given.value])
