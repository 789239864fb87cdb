"""A host on which netavark is called: which containers are on which bridge, which decides when a network's rules go.

A call that netavark would refuse is an error at its place.
"""

from __future__ import annotations

from typing import Protocol

from policyc.diagnostics import InputError, diagnose
from policyc.engines.netavark.scenario import Container, Endpoint, Network, Operation


class Driver(Protocol):
    """What the drivers for iptables and nftables can do."""

    def add_network(self, network: Network, dns_port: int) -> None:
        """Program a network."""
        ...

    def remove_network(self, network: Network, dns_port: int) -> None:
        """Take a network away whose last container is gone."""
        ...

    def add_ports(self, endpoint: Endpoint, container: Container, dns_port: int) -> None:
        """Program what leads to a container on a network."""
        ...

    def remove_ports(self, endpoint: Endpoint, container: Container, dns_port: int, *, complete: bool) -> None:
        """Take it away; `complete` where the network's last container is gone."""
        ...


class Host:
    """Carries out calls one after the other."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._bridges: dict[str, set[str]] = {}

    def call(self, operation: Operation) -> None:
        """Carry out a call. Raises InputError where netavark would refuse it."""
        container = operation.container
        for endpoint in container.endpoints:
            present = self._bridges.setdefault(endpoint.network.interface, set())
            if operation.sets_up is (container.id in present):
                state = "already" if operation.sets_up else "not"
                message = f"the container `{container.id}` is {state} on the network `{endpoint.network.name}`"
                raise InputError([diagnose("engine-refuses", message, operation.span)])
            if operation.sets_up:
                present.add(container.id)
                self._set_up(endpoint, operation)
            else:
                present.remove(container.id)
                self._tear_down(endpoint, operation, complete=not present)

    def _set_up(self, endpoint: Endpoint, operation: Operation) -> None:
        if endpoint.network.filtered:
            self._driver.add_network(endpoint.network, operation.dns_port)
            self._driver.add_ports(endpoint, operation.container, operation.dns_port)

    def _tear_down(self, endpoint: Endpoint, operation: Operation, *, complete: bool) -> None:
        if endpoint.network.filtered:
            if complete:
                self._driver.remove_network(endpoint.network, operation.dns_port)
            self._driver.remove_ports(endpoint, operation.container, operation.dns_port, complete=complete)
