"""The plugins' hand on the tables of iptables: chains made and taken away, rules of `rules` put where they belong."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.diagnostics import InputError, diagnose
from policyc.engines.cni import chain_names as names
from policyc.engines.cni import rules
from policyc.engines.cni.rules import Placed
from policyc.engines.cni.scenario import Firewall, IngressPolicy, Interface, Portmap
from policyc.engines.cni.versions import Behaviour
from policyc.engines.fields import Address
from policyc.engines.tables import Tables
from policyc.source import Span


class Hand:
    """What the plugins do with iptables, for one container at a time."""

    def __init__(self, tables: Tables, how: Behaviour) -> None:
        self.tables = tables
        self.how = how

    def masquerade(self, address: Interface, network: str, container: str) -> None:
        """Let what a container sends out come from the host."""
        chain = names.masquerade_chain(network, container)
        self._put(address.version, "nat", [chain], rules.masquerade(address, network, container))

    def stop_masquerade(self, address: Interface, network: str, container: str) -> None:
        """Undo it."""
        family = address.version
        if self.tables.has_table(family, "nat"):
            entry = rules.masquerade_entry(address, network, container)
            self.tables.delete(family, "nat", entry.chain, entry.rule)
            self.tables.remove_chain(family, "nat", names.masquerade_chain(network, container))

    def map_ports(self, plugin: Portmap, address: Interface, network: str, container: str, span: Span) -> None:
        """Lead host ports to a container. Raises InputError where the chain that shall mark packets is not there."""
        family = address.version
        if plugin.snat and plugin.set_mark_chain is None:
            self._put(family, "nat", [names.HOSTPORT_SETMARK, names.HOSTPORT_MASQ], rules.mark_chains(plugin))
        elif plugin.snat and not self.tables.has_chain(family, "nat", plugin.set_mark_chain or ""):
            message = f"the chain `{plugin.set_mark_chain}` of `externalSetMarkChain` does not exist"
            hint = f"whoever owns it makes it before: `iptables -t nat -N {plugin.set_mark_chain}` in `pre`"
            raise InputError([diagnose("engine-refuses", message, plugin.span or span, help=hint)])
        self._put(family, "nat", [names.HOSTPORT_DNAT], rules.hostport_entries())
        chain = names.translation_chain(network, container)
        self._put(family, "nat", [chain], rules.port_mappings(plugin, address, network, container))

    def unmap_ports(self, network: str, container: str) -> None:
        """Take a container's translations away, in both families, whatever leads to them."""
        chain = names.translation_chain(network, container)
        for family in (4, 6):
            if not self.tables.has_table(family, "nat"):
                continue
            for rule in self.tables.rules(family, "nat", names.HOSTPORT_DNAT):
                if rule.endswith(f"-j {chain}"):
                    self.tables.delete(family, "nat", names.HOSTPORT_DNAT, rule)
            self.tables.remove_chain(family, "nat", chain)

    def let_through(self, plugin: Firewall, addresses: Iterable[Address]) -> None:
        """Let the connections of a container through FORWARD."""
        for address in addresses:
            chains = [names.FORWARD, plugin.admin_chain]
            self._put(address.version, "filter", chains, rules.firewall_entries(plugin))
            self._put(address.version, "filter", [], rules.let_through(address))

    def stop_letting_through(self, addresses: Iterable[Address]) -> None:
        """Undo it; the chains stay, also the rules that keep bridges apart."""
        for address in addresses:
            if self.tables.has_table(address.version, "filter"):
                for placed in rules.let_through(address):
                    self.tables.delete(address.version, "filter", placed.chain, placed.rule)

    def isolate(self, policy: IngressPolicy, bridge: str, families: Iterable[int]) -> None:
        """Keep a bridge from other bridges."""
        for family in families:
            chains = [names.ISOLATION_1, names.ISOLATION_2]
            self._put(family, "filter", chains, rules.isolation(policy, bridge, self.how))

    def _put(self, family: int, table: str, chains: Iterable[str], placed: Iterable[Placed]) -> None:
        for chain in chains:
            self.tables.new_chain(family, table, chain)
        for each in placed:
            self.tables.put_once(family, table, each.chain, each.rule, 1 if each.top else None)
