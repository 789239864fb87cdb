"""The iptables driver's hand on the tables: rules put where they are not yet, and taken away when their time is over."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.engines.netavark import rules
from policyc.engines.netavark.rules import Placed, Stays
from policyc.engines.netavark.scenario import Container, Endpoint, Network
from policyc.engines.netavark.versions import Behaviour
from policyc.engines.tables import Tables


class IptablesDriver:
    """Programs networks and ports; `dns_port` is where the name server listens."""

    def __init__(self, how: Behaviour) -> None:
        self.tables = Tables("netavark")
        self.how = how

    def add_network(self, network: Network, dns_port: int) -> None:
        """Program a network, subnet by subnet; what is there already stays as it is."""
        for subnet in network.subnets:
            for table, chain in rules.network_chains(network, self.how):
                self.tables.new_chain(subnet.version, table, chain)
            self._put(subnet.version, rules.network_rules(network, subnet, dns_port, self.how))

    def remove_network(self, network: Network, dns_port: int) -> None:
        """Take a network away whose last container is gone."""
        for subnet in network.subnets:
            family = subnet.version
            self._take(family, rules.network_rules(network, subnet, dns_port, self.how), complete=True)
            self._remove_empty(family, rules.masquerade_chain(network))

    def add_ports(self, endpoint: Endpoint, container: Container, dns_port: int) -> None:
        """Program what leads to a container on a network, in each family that it has an address of."""
        for family in (4, 6):
            at = endpoint.first(family)
            if at is not None:
                for chain in rules.port_chains(endpoint.network, container):
                    self.tables.new_chain(family, "nat", chain)
                self._put(family, rules.port_rules(endpoint.network, container, at, dns_port, self.how))

    def remove_ports(self, endpoint: Endpoint, container: Container, dns_port: int, *, complete: bool) -> None:
        """Take it away; `complete` where the network's last container is gone."""
        for family in (4, 6):
            at = endpoint.first(family)
            if at is None:
                continue
            placed = rules.port_rules(endpoint.network, container, at, dns_port, self.how)
            self._take(family, placed, complete=complete)
            if complete and container.ports is not None:
                self._remove_empty(family, rules.translation_chain(endpoint.network))

    def _put(self, family: int, placed: Iterable[Placed]) -> None:
        for each in placed:
            self.tables.put_once(family, each.table, each.chain, each.rule, each.number)

    def _take(self, family: int, placed: Iterable[Placed], *, complete: bool) -> None:
        for each in placed:
            over = complete and each.stays is Stays.AS_LONG_AS_THE_NETWORK
            if over or each.stays is Stays.AS_LONG_AS_THE_CONTAINER:
                self.tables.delete(family, each.table, each.chain, each.rule)

    def _remove_empty(self, family: int, chain: str) -> None:
        if not self.tables.rules(family, "nat", chain):
            self.tables.remove_chain(family, "nat", chain)
