"""A daemon that runs already, as far as the rules of its host tell: its networks, the addresses and ports that are taken.

A preview on top of a dump begins with it, so that what is new gets addresses and ports that are free.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network

from policyc.engines.docker import scenario
from policyc.engines.docker.ports import Address
from policyc.engines.docker.scenario import Subnet
from policyc.frozen import frozen
from policyc.host.host import Host
from policyc.net.addresses import format_address
from policyc.netfilter.ruleset import Ruleset

_CHAIN = "DOCKER"
_SUBNET = re.compile(r"-s (\S+) ! -o (\S+) -j (?:MASQUERADE|SNAT)\b.*")
_INTERNAL = re.compile(r"! -s (\S+) (?:! -i \S+ )?-o (\S+) -j DROP")
_PORT = re.compile(r"(?:.* )?-p (\w+) .*--dport (\d+) .*-j DNAT --to-destination \[?([^\]\s]+?)\]?:\d+")
_HOST = re.compile(r"(?:.* )?-d (\S+?)/\d+ .*")
_ENDPOINT = re.compile(r"-d (\S+?)/(?:32|128) .*-j (?:DROP|ACCEPT)")


@frozen
class HeldPort:
    """A host port that a running container has."""

    protocol: str
    host: Address
    port: int


@frozen
class Running:
    """What is taken: subnets by the interface of their bridge, those of internal networks, addresses, ports of the host."""

    subnets: dict[str, list[Subnet]] = field(default_factory=dict)
    internal: frozenset[Subnet] = frozenset()
    addresses: frozenset[Address] = frozenset()
    ports: tuple[HeldPort, ...] = ()

    def external(self, family: int) -> list[Subnet]:
        """Return the subnets of a family whose networks lead out."""
        found = (subnet for subnets in self.subnets.values() for subnet in subnets)
        return [subnet for subnet in found if subnet.version == family and subnet not in self.internal]


def running_in(ruleset: Ruleset) -> Running | None:
    """Return the daemon whose rules a host has, None where no daemon has run there."""
    tables = {(table.family, table.name): table for table in ruleset.tables}
    if not any(name == "nat" and table.chain(_CHAIN) for (_, name), table in tables.items()):
        return None
    subnets: dict[str, list[Subnet]] = {}
    internal: set[Subnet] = set()
    for table, _, _, rule in ruleset.rules():
        found = _SUBNET.fullmatch(rule.text) if table.name == "nat" else _INTERNAL.fullmatch(rule.text)
        if found is not None:
            subnet = ip_network(found[1], strict=False)
            subnets.setdefault(found[2], []).append(subnet)
            if table.name != "nat":
                internal.add(subnet)
    return Running(subnets, frozenset(internal), frozenset(_addresses(ruleset)), tuple(_ports(ruleset)))


def _addresses(ruleset: Ruleset) -> Iterator[Address]:
    for table, chain, _, rule in ruleset.rules():
        if table.name == "raw" or chain.name == _CHAIN:
            found = _ENDPOINT.fullmatch(rule.text)
            if found is not None:
                yield ip_address(found[1])


def _ports(ruleset: Ruleset) -> Iterator[HeldPort]:
    for table, chain, _, rule in ruleset.rules():
        found = _PORT.fullmatch(rule.text) if table.name == "nat" and chain.name == _CHAIN else None
        if found is not None:
            host = _HOST.fullmatch(rule.text)
            everywhere = "0.0.0.0" if table.family == 4 else "::"  # noqa: S104 - what a port without an address means
            yield HeldPort(found[1], ip_address(host[1] if host else everywhere), int(found[2]))


def described(host: Host, found: Running | None = None) -> scenario.Host:
    """Return a host as a scenario has it; bridges of a daemon that runs are not among its own interfaces."""
    bridges = set(found.subnets) if found is not None else set()
    interfaces: dict[str, tuple[IPv4Interface | IPv6Interface, ...]] = {
        one.name: tuple(ip_interface(f"{format_address(a.address, a.family)}/{a.prefix}") for a in one.addresses)
        for one in host.interfaces
        if one.name not in bridges and not one.is_loopback
    }
    return scenario.Host(interfaces, host.sysctls.forwards(4, ""), known=host)
