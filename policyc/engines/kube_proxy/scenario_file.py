"""A scenario in JSON as values: the objects that the API server has, kube-proxy's flags, its node, earlier commands.

Everything that is wrong with it is told at once, each problem at its line with the path of its key.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeVar

from policyc.diagnostics import Diagnostic
from policyc.engines.fields import addresses_of
from policyc.engines.given import Given
from policyc.engines.kube_proxy.flags import read_flags
from policyc.engines.kube_proxy.objects import read_endpoints, read_node, read_service, read_slice
from policyc.engines.kube_proxy.scenario import LOOPBACK, Address, Node, Scenario, Settings
from policyc.engines.kube_proxy.versions import Behaviour

T = TypeVar("T")
_KEYS = {"services", "endpointslices", "endpoints", "nodes", "flags", "node", "pre", "host", "note"}
_NODE = re.compile(r"([^\s(]*)\s*(?:\(([^)]*)\))?")
UPLINK: tuple[Address, ...] = (IPv4Address("192.0.2.10"), IPv6Address("2001:db8:ffff::10"))
"""The addresses of the node where a scenario does not say which it has: those of the recorded ones."""


def read_scenario(given: Given, release: str, how: Behaviour) -> tuple[Scenario, list[Diagnostic]]:
    """Return a scenario and remarks on it. Raises InputError with all that is wrong."""
    given.unknown_keys(_KEYS)
    settings, notes, others = read_flags(given.at("flags"), release, how)
    for other in others:
        other.wrong(f"is no flag of kube-proxy: `{other.text()}`")
    services = _each(given.at("services"), read_service)
    slices = _each(given.at("endpointslices"), read_slice)
    slices += [one for item in given.at("endpoints").items() for one in read_endpoints(item)]
    nodes = _each(given.at("nodes"), read_node)
    named, own = _named_node(given.at("node"))
    node = node_of(nodes, settings, named)
    host = given.at("host")
    host.unknown_keys({"addresses", "nfacct"})
    addresses = addresses_of(host.at("addresses")) or tuple(dict.fromkeys((*own, *node.addresses))) or UPLINK
    if "addresses" not in host:
        missing = {4, 6} - {each.version for each in addresses}
        addresses = (*addresses, *(each for each in UPLINK if each.version in missing))
    pre = given.at("pre")
    scenario = Scenario(
        settings=settings,
        node=node,
        services=tuple(services),
        slices=tuple(slices),
        addresses=(*LOOPBACK, *addresses),
        steps=tuple(step for step in pre.texts() if step.strip()),
        accounting=host.at("nfacct").flag(default=True),
    )
    given.document.settle()
    return scenario, notes


def _each(given: Given, read: Callable[[Given], T | None]) -> list[T]:
    found = (read(item) for item in given.items())
    return [one for one in found if one is not None]


def _named_node(given: Given) -> tuple[str, tuple[Address, ...]]:
    """Understand `node1 (192.0.2.10)`: the name of the node and its addresses."""
    match = _NODE.fullmatch(given.text().strip())
    if match is None:
        given.wrong(f"must be a name, as `node1 (192.0.2.10)`, not `{given.text()}`")
        return "", ()
    try:
        return match[1], tuple(ip_address(word.strip()) for word in (match[2] or "").split(",") if word.strip())
    except ValueError:
        given.wrong(f"has no addresses between `(` and `)`: `{match[2]}`")
        return match[1], ()


def node_of(nodes: list[Node], settings: Settings, named: str = "") -> Node:
    """Return the node that kube-proxy runs on: the one that a flag or the scenario names, or the only one that there is."""
    name = settings.node_name or named or (nodes[0].name if len(nodes) == 1 else "")
    return next((node for node in nodes if node.name == name), replace(Node(""), name=name))
