"""kube-proxy of one family: the jumps to its chains, the chains that stand on every node, and the rules of all ports.

Source: pkg/proxy/iptables/proxier.go.
"""

from __future__ import annotations

from ipaddress import IPv4Address

from policyc.engines.kube_proxy.chain_names import (
    CANARY,
    EXTERNAL_SERVICES,
    FORWARD,
    HASHED,
    KUBELET_FIREWALL,
    MARK_MASQ,
    NODE_PORTS,
    POSTROUTING,
    PROXY_FIREWALL,
    SERVICES,
)
from policyc.engines.kube_proxy.endpoints import backends, usable
from policyc.engines.kube_proxy.machine import Machine
from policyc.engines.kube_proxy.port_rules import PortRules, Surroundings
from policyc.engines.kube_proxy.scenario import LOOPBACK, Address, LocalMode, Scenario, Subnet
from policyc.engines.kube_proxy.service_ports import service_ports
from policyc.engines.kube_proxy.versions import Behaviour

LARGE_CLUSTER = 1000
"""With more endpoints than these, the rules of endpoints have no comments (largeClusterEndpointsThreshold)."""

_NEW = "-m conntrack --ctstate NEW "
JUMPS: tuple[tuple[str, str, str, str, str], ...] = (
    ("filter", "INPUT", EXTERNAL_SERVICES, _NEW, "kubernetes externally-visible service portals"),
    ("filter", "FORWARD", EXTERNAL_SERVICES, _NEW, "kubernetes externally-visible service portals"),
    ("filter", "INPUT", NODE_PORTS, "", "kubernetes health check service ports"),
    ("filter", "FORWARD", SERVICES, _NEW, "kubernetes service portals"),
    ("filter", "OUTPUT", SERVICES, _NEW, "kubernetes service portals"),
    ("filter", "FORWARD", FORWARD, "", "kubernetes forwarding rules"),
    ("filter", "INPUT", PROXY_FIREWALL, _NEW, "kubernetes load balancer firewall"),
    ("filter", "OUTPUT", PROXY_FIREWALL, _NEW, "kubernetes load balancer firewall"),
    ("filter", "FORWARD", PROXY_FIREWALL, _NEW, "kubernetes load balancer firewall"),
    ("nat", "OUTPUT", SERVICES, "", "kubernetes service portals"),
    ("nat", "PREROUTING", SERVICES, "", "kubernetes service portals"),
    ("nat", "POSTROUTING", POSTROUTING, "", "kubernetes postrouting rules"),
    ("filter", "INPUT", KUBELET_FIREWALL, "", ""),
    ("filter", "OUTPUT", KUBELET_FIREWALL, "", ""),
)
"""Table, chain, the chain that it jumps to, conditions and comment, in the order in which each is put on top of its chain."""

_OWN_CHAINS = (
    ("filter", (SERVICES, EXTERNAL_SERVICES, FORWARD, NODE_PORTS, PROXY_FIREWALL)),
    ("nat", (SERVICES, NODE_PORTS, POSTROUTING, MARK_MASQ)),
)
_NODE_PORTS_COMMENT = "kubernetes service nodeports; NOTE: this must be the last rule in this chain"
_INVALID_COUNTER = "ct_state_invalid_dropped_pkts"


class Proxy:
    """The proxy of one family on a machine, whose tables it programs."""

    def __init__(self, machine: Machine, scenario: Scenario, how: Behaviour, family: int) -> None:
        self.machine = machine
        self.tables = machine.tables
        self.scenario = scenario
        self.settings = scenario.settings
        self.how = how
        self.family = family
        self.mark = f"{1 << scenario.settings.masquerade_bit:#x}"
        self.localhost_node_ports = family == 4 and self.settings.localhost_node_ports and self._takes_loopback()

    def sync(self) -> None:
        """Program the tables, as a full sync does."""
        for table in ("mangle", "nat", "filter"):
            self.tables.new_chain(self.family, table, CANARY)
        self._jumps()
        self._forget()
        self._masquerade_rules()
        if self.localhost_node_ports:
            self.tables.flush(self.family, "filter", KUBELET_FIREWALL)
            self._append(
                "filter", KUBELET_FIREWALL,
                '-m comment --comment "block incoming localnet connections" ! -s 127.0.0.0/8 -d 127.0.0.0/8 '
                "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
            )  # fmt: skip
        self._ports()
        self._node_ports()
        self._forward_rules()

    def _append(self, table: str, chain: str, rule: str) -> None:
        self.tables.append(self.family, table, chain, rule)

    def _jumps(self) -> None:
        for table, chain, to, conditions, comment in JUMPS:
            self.tables.new_chain(self.family, table, to)
            says = f'-m comment --comment "{comment}" ' if comment else ""
            rule = f"{conditions}{says}-j {to}"
            if not self.tables.has(self.family, table, chain, rule):
                self.tables.insert(self.family, table, chain, rule)

    def _forget(self) -> None:
        """Empty the chains that are written anew, and take away those of ports that are no more."""
        for table, chains in _OWN_CHAINS:
            for chain in chains:
                self.tables.new_chain(self.family, table, chain)
                self.tables.flush(self.family, table, chain)
        old = [chain for chain in self.tables.touch(self.family, "nat").chains if chain.startswith(HASHED)]
        for chain in old:
            self.tables.flush(self.family, "nat", chain)
        for chain in old:
            self.tables.remove_chain(self.family, "nat", chain)

    def _masquerade_rules(self) -> None:
        self._append("nat", POSTROUTING, f"-m mark ! --mark {self.mark}/{self.mark} -j RETURN")
        self._append("nat", POSTROUTING, f"-j MARK --xor-mark {self.mark}")
        comment = '-m comment --comment "kubernetes service traffic requiring SNAT"'
        self._append("nat", POSTROUTING, f"{comment} -j MASQUERADE --random-fully")
        self._append("nat", MARK_MASQ, f"-j MARK --or-mark {self.mark}")

    def _ports(self) -> None:
        node = self.scenario.node
        ports = list(service_ports(self.scenario, self.family, self.how))
        known = backends(self.scenario.slices, self.family, node.name)
        chosen = [
            (port, known.get((port.service.namespace, port.service.name, port.port.name, port.port.protocol), []))
            for port in ports
        ]
        around = Surroundings(
            tables=self.tables,
            family=self.family,
            from_pods=self._from_pods(),
            not_from_pods=f"! {self._from_pods()}" if self._from_pods() else "",
            masquerade_all=self.settings.masquerade_all,
            terse=sum(len(every) for _, every in chosen) > LARGE_CLUSTER,
            counts_localhost=self.localhost_node_ports and self.how.accounting and self.scenario.accounting,
            node_address=self._node_address() or next(each for each in LOOPBACK if each.version == self.family),
        )
        for port, every in chosen:
            PortRules(around, port, usable(port, every, node, self.how)).write()

    def _from_pods(self) -> str:
        """Return the condition that tells what the node's own pods send, "" where nothing does."""
        settings = self.settings
        match settings.local_mode:
            case LocalMode.BRIDGE_INTERFACE:
                return f"-i {settings.bridge_interface}"
            case LocalMode.INTERFACE_NAME_PREFIX:
                return f"-i {settings.interface_prefix}+"
            case LocalMode.NODE_CIDR:
                networks = self.scenario.node.pod_networks
            case LocalMode.CLUSTER_CIDR:
                networks = settings.cluster_cidrs
        first = next((each for each in networks if each.version == self.family), None)
        return f"-s {first}" if first else ""

    def _node_address(self) -> Address | None:
        """Return the node's address: what kube-proxy is bound to, or else the first that the Node has."""
        bound = self.settings.bind_address
        if bound is not None and bound.version == self.family and not bound.is_unspecified:
            return bound
        return next((each for each in self.scenario.node.addresses if each.version == self.family), None)

    def _node_port_networks(self) -> list[Subnet] | None:
        """Return the networks that `--nodeport-addresses` names in this family, None where all addresses take node ports."""
        named = [each for each in self.settings.node_port_addresses if each.version == self.family]
        return None if not named or any(each.prefixlen == 0 for each in named) else named

    def _takes_loopback(self) -> bool:
        if self.settings.primary_node_ports:
            return False
        networks = self._node_port_networks()
        loopback = IPv4Address("127.0.0.0")
        return networks is None or any(each.network_address.is_loopback or loopback in each for each in networks)

    def _node_ports(self) -> None:
        """Lead to the node ports what comes to an address that takes them; that is the last rule of its chain."""
        says = f'-m comment --comment "{_NODE_PORTS_COMMENT}"'
        primary = self._node_address() if self.settings.primary_node_ports else None
        networks = self._node_port_networks()
        if primary is None and networks is None:
            loopback = "::1/128" if self.family == 6 else "127.0.0.0/8"
            others = "" if self.localhost_node_ports else f"! -d {loopback}"
            self._append("nat", SERVICES, f"{says} {others} -m addrtype --dst-type LOCAL -j {NODE_PORTS}")
            return
        own = [address for each in networks or () for address in self.machine.addresses if address in each]
        for address in dict.fromkeys([primary] if primary else own):
            if self.localhost_node_ports or not address.is_loopback:
                self._append("nat", SERVICES, f"{says} -d {address} -j {NODE_PORTS}")

    def _forward_rules(self) -> None:
        if not (self.how.heeds_liberal_tracking and (self.machine.liberal_tracking or self.settings.liberal_tracking)):
            counts = self.how.accounting and self.scenario.accounting
            counted = f"-m nfacct --nfacct-name {_INVALID_COUNTER} " if counts else ""
            self._append("filter", FORWARD, f"-m conntrack --ctstate INVALID {counted}-j DROP")
        marked = f"-m mark --mark {self.mark}/{self.mark}"
        self._append("filter", FORWARD, f'-m comment --comment "kubernetes forwarding rules" {marked} -j ACCEPT')
        known = '-m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED'
        self._append("filter", FORWARD, f"{known} -j ACCEPT")
