"""The daemon's hand on nftables: its two tables, maps from interfaces to chains, rules in groups.

The other backend of `firewall`, with the same verbs; its rules are text, iptables knows nothing of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from policyc.engines.docker.nft_rules import (
    COUNTED,
    WORD,
    Group,
    NftRule,
    endpoint_rules,
    link_rules,
    network_rules,
    own_chains,
    port_rules,
)
from policyc.engines.docker.ports import Address, Binding, Port
from policyc.engines.docker.rules import LOOPBACK, Bridge
from policyc.engines.docker.scenario import Settings
from policyc.engines.docker.versions import Behaviour
from policyc.engines.tables import Tables
from policyc.netfilter.ruleset import Ruleset

_BASE = {
    "filter-FORWARD": "filter hook forward priority filter",
    "nat-OUTPUT": "nat hook output priority -100",  # `dstnat`, a name that older nft knows for prerouting alone
    "nat-POSTROUTING": "nat hook postrouting priority srcnat",
    "nat-PREROUTING": "nat hook prerouting priority dstnat",
    "raw-PREROUTING": "filter hook prerouting priority raw",
}
_MAPS = (
    "filter-forward-in-jumps", "filter-forward-out-jumps", "nat-postrouting-in-jumps", "nat-postrouting-out-jumps",
)  # fmt: skip


class _Table:
    """A table of one family."""

    def __init__(self, family: int, *, hairpin: bool) -> None:
        self.family = family
        self.rules: list[NftRule] = []
        self.networks: dict[str, Bridge] = {}
        jump = f"fib daddr type local {COUNTED} jump nat-prerouting-and-output"
        loopback = LOOPBACK[family].removesuffix("/128")
        first = [
            NftRule("filter-FORWARD", Group.INITIAL, "oifname vmap @filter-forward-in-jumps"),
            NftRule("filter-FORWARD", Group.INITIAL, "iifname vmap @filter-forward-out-jumps"),
            NftRule("nat-POSTROUTING", Group.INITIAL, "iifname vmap @nat-postrouting-out-jumps"),
            NftRule("nat-POSTROUTING", Group.INITIAL, "oifname vmap @nat-postrouting-in-jumps"),
            NftRule("nat-PREROUTING", Group.INITIAL, jump),
            NftRule("nat-OUTPUT", Group.INITIAL, jump if hairpin else f"{WORD[family]} daddr != {loopback} {jump}"),
        ]
        self.put(first)

    def put(self, rules: Iterable[NftRule]) -> None:
        self.rules.extend(rule for rule in rules if rule not in self.rules)

    def take(self, rules: Iterable[NftRule]) -> None:
        gone = set(rules)
        self.rules = [rule for rule in self.rules if rule not in gone]

    def text(self) -> str:
        """Return the table as `nft list table` prints it."""
        blocks = [self._map(name) for name in _MAPS]
        own = [chain for bridge in self.networks.values() for chain in own_chains(bridge).values()]
        blocks += [self._chain(name) for name in (*sorted([*_BASE, "nat-prerouting-and-output"]), *own)]
        return f"table {WORD[self.family]} docker-bridges {{\n" + "\n\n".join(blocks) + "\n}\n"

    def _map(self, name: str) -> str:
        pairs = [f'"{bridge.interface}" : jump {own_chains(bridge)[name]}' for bridge in self.networks.values()]
        elements = ",\n\t\t\t     ".join(sorted(pairs))
        lines = [
            f"\tmap {name} {{",
            "\t\ttype ifname : verdict",
            *([f"\t\telements = {{ {elements} }}"] if pairs else []),
        ]
        return "\n".join([*lines, "\t}"])

    def _chain(self, name: str) -> str:
        head = [f"\t\ttype {_BASE[name]}; policy accept;"] if name in _BASE else []
        rules = sorted((rule for rule in self.rules if rule.chain == name), key=lambda rule: rule.group)
        return "\n".join([f"\tchain {name} {{", *head, *(f"\t\t{rule.text}" for rule in rules), "\t}"])


class NftFirewall:
    """Rules of both families, as far as the daemon filters them."""

    def __init__(self, tables: Tables, how: Behaviour, settings: Settings) -> None:
        self._iptables = tables
        self._settings = settings
        self._hairpin = not settings.userland_proxy
        ip6tables = how.ip6tables if settings.ip6tables is None else settings.ip6tables
        asked = {4: settings.iptables, 6: ip6tables}
        self.families = tuple(family for family in (4, 6) if asked[family])
        self._tables: dict[int, _Table] = {}

    def start(self) -> None:
        """Make the tables anew."""
        self._tables = {family: _Table(family, hairpin=self._hairpin) for family in self.families}

    def user_chain(self) -> None:
        """Do nothing: with nftables a user has tables of his own."""

    def add_network(self, bridge: Bridge) -> None:
        """Program a network."""
        for family, table in self._tables.items():
            if family in bridge.subnets:
                table.networks[bridge.name] = bridge
                table.put(network_rules(bridge, family, self._settings.accept_mark, hairpin=self._hairpin))

    def remove_network(self, bridge: Bridge) -> None:
        """Take a network out."""
        for family, table in self._tables.items():
            if family in bridge.subnets:
                del table.networks[bridge.name]
                table.take(network_rules(bridge, family, self._settings.accept_mark, hairpin=self._hairpin))

    def add_endpoint(self, bridge: Bridge, addresses: Mapping[int, Address]) -> None:
        """Program the addresses of a container on a network."""
        for family, table in self._tables.items():
            if family in addresses and not self._settings.allow_direct_routing:
                table.put(endpoint_rules(bridge, addresses[family]))

    def remove_endpoint(self, bridge: Bridge, addresses: Mapping[int, Address]) -> None:
        """Take the addresses of a container out."""
        for family, table in self._tables.items():
            if family in addresses:
                table.take(endpoint_rules(bridge, addresses[family]))

    def add_port(self, bridge: Bridge, binding: Binding) -> None:
        """Program a published port."""
        if binding.family in self._tables and not bridge.internal:
            self._tables[binding.family].put(port_rules(bridge, binding, hairpin=self._hairpin))

    def remove_port(self, bridge: Bridge, binding: Binding) -> None:
        """Take a published port out."""
        if binding.family in self._tables and not bridge.internal:
            self._tables[binding.family].take(port_rules(bridge, binding, hairpin=self._hairpin))

    def add_link(self, bridge: Bridge, parent: Address, child: Address, port: Port) -> None:
        """Let a container ask a port of another."""
        if 4 in self._tables:
            self._tables[4].put(link_rules(bridge, parent, child, port))

    def remove_link(self, bridge: Bridge, parent: Address, child: Address, port: Port) -> None:
        """Take a link out."""
        if 4 in self._tables:
            self._tables[4].take(link_rules(bridge, parent, child, port))

    def ruleset(self) -> Ruleset:
        """Return what iptables has: nothing of the daemon's."""
        return self._iptables.ruleset()

    def text(self) -> str:
        """Return the daemon's tables as `nft list ruleset` prints them."""
        return "".join(table.text() for table in self._tables.values())
