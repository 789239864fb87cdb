"""Calls of netavark in JSON as values: the options that podman passes to it, one call after the other.

Everything that is wrong is told at once, each problem at its line with the path of its key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from policyc.diagnostics import Diagnostic, diagnose
from policyc.engines.fields import Address, address_of, addresses_of, choice
from policyc.engines.given import Given
from policyc.engines.netavark.network_file import NetworkReader
from policyc.engines.netavark.scenario import DNS_PORT, Container, Endpoint, Operation, PortMapping, Scenario
from policyc.engines.netavark.versions import Behaviour

_OPERATION = {"op", "netns", "options", "dns_port"}
_OPTIONS = {
    "container_id", "container_name", "container_hostname", "networks", "network_info", "port_mappings", "dns_servers",
}  # fmt: skip
_PORT = {"container_port", "host_ip", "host_port", "protocol", "range"}
_MOST_PORT = 65535
PROTOCOLS = ("tcp", "udp", "sctp")


def read_scenario(given: Given, resolved: Given, how: Behaviour) -> tuple[Scenario, list[Diagnostic]]:
    """Return calls and remarks on them. Raises InputError with all that is wrong.

    `resolved` may say in which order netavark came to the networks of a container: `{"order": {"ID": ["app", "db"]}}`.
    """
    given.unknown_keys({"operations", "pre", "note"})
    reader = NetworkReader(how)
    order = resolved.at("order")
    operations = [_operation(item, reader, order) for item in given.at("operations").items()]
    before = "\n".join(given.at("pre").texts())
    given.document.settle()
    resolved.document.settle()
    ordered, late = in_order(operations)
    reader.notes += [
        diagnose(
            "step-out-of-order",
            f"`{each.container.id}` is torn down before it is set up; this is taken as its end, after all that is set up",
            each.span,
        )
        for each in late
    ]
    return Scenario(before, tuple(ordered)), reader.notes


def in_order(operations: list[Operation]) -> tuple[list[Operation], list[Operation]]:
    """Return calls in the order in which they can be carried out, and those that come later for it.

    Recorded calls are listed by the names of their files: a teardown may stand before the setup that it ends.
    """
    ordered: list[Operation] = []
    late: list[Operation] = []
    present: set[str] = set()
    for number, each in enumerate(operations):
        container = each.container.id
        behind = (other for other in operations[number + 1 :] if other.sets_up)
        if not each.sets_up and container not in present and any(other.container.id == container for other in behind):
            late.append(each)
            continue
        (present.add if each.sets_up else present.discard)(container)
        ordered.append(each)
    return [*ordered, *late], late


def _operation(given: Given, reader: NetworkReader, order: Given) -> Operation:
    given.unknown_keys(_OPERATION)
    verb = choice(given.at("op"), ("setup", "teardown"), "setup")
    port = given.at("dns_port").number(1, _MOST_PORT, DNS_PORT)
    return Operation(verb == "setup", _container(given.at("options"), reader, order), port, given.span)


def _container(given: Given, reader: NetworkReader, order: Given) -> Container:
    if not isinstance(given.value, Mapping):
        given.wrong("must be the options of a container: `container_id`, `networks`, `network_info`")
    given.unknown_keys(_OPTIONS)
    if not given.at("container_id").text():
        given.wrong("needs a `container_id`")
    infos = given.at("network_info")
    endpoints = []
    networks = dict(given.at("networks").entries())
    for name in ordered_networks(networks, given, order.at(given.at("container_id").text()), reader):
        item = networks[name]
        if name not in infos:
            infos.wrong(f"has no network `{name}`")
            continue
        network = reader.read(infos.at(name))
        addresses = addresses_of(item.at("static_ips"))
        if network.subnets and not addresses:
            item.wrong("needs `static_ips`: podman gives each container its addresses")
        for address in addresses:
            if not any(address in subnet for subnet in network.subnets):
                item.at("static_ips").wrong(f"has {address}, which is in no subnet of `{name}`")
        endpoints.append(Endpoint(network, addresses))
    ports = given.at("port_mappings")
    found = tuple(_port(item) for item in ports.items()) if ports.value is not None else None
    return Container(given.at("container_id").text(), tuple(endpoints), found)


def ordered_networks(networks: Iterable[str], given: Given, order: Given, reader: NetworkReader) -> list[str]:
    """Return the names of a container's networks in the order in which netavark comes to them; `order` if it is known."""
    names = sorted(networks, reverse=reader.how.last_network_first)
    known = order.texts()
    if known or len(names) < 2:
        return sorted(names, key=lambda name: known.index(name) if name in known else len(known))
    message = (
        f"netavark draws in which order it comes to the networks of a container; {', '.join(names)} stands in for it"
    )
    hint = 'give it: `--resolved` with {"order": {"ID": ["NETWORK", …]}}'
    reader.notes.append(diagnose("drawn-by-engine", message, given.span, help=hint))
    return names


def _port(given: Given) -> PortMapping:
    given.unknown_keys(_PORT)
    count = given.at("range").number(0, _MOST_PORT, 1) or 1
    ports = [given.at(name).number(1, _MOST_PORT) for name in ("host_port", "container_port")]
    for name, port in zip(("host_port", "container_port"), ports, strict=True):
        if name not in given:
            given.wrong(f"needs `{name}`")
        elif port + count - 1 > _MOST_PORT:
            given.at("range").wrong(f"ends behind port {_MOST_PORT}")
    host: Address | None = address_of(given.at("host_ip"))
    return PortMapping(choice(given.at("protocol"), PROTOCOLS, "tcp"), ports[0], ports[1], count, host)
