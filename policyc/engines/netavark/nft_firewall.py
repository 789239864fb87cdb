"""The nftables driver (1.10 and later; recorded from 1.14 and 1.17): one table for both families, as text.

The other driver of `firewall`, with the same verbs. Source: src/firewall/nft.rs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from policyc.engines.fields import Address, Subnet
from policyc.engines.netavark.scenario import DNS_PORT, Container, Endpoint, Isolation, Network, PortMapping
from policyc.engines.nft_table import NftTable

_DNAT, _SETMARK = "NETAVARK-HOSTPORT-DNAT", "NETAVARK-HOSTPORT-SETMARK"
_ISOLATION = ("NETAVARK-ISOLATION-1", "NETAVARK-ISOLATION-2", "NETAVARK-ISOLATION-3")
_BASE = {
    "INPUT": "filter hook input priority filter",
    "FORWARD": "filter hook forward priority filter",
    "POSTROUTING": "nat hook postrouting priority srcnat",
    "PREROUTING": "nat hook prerouting priority dstnat",
    "OUTPUT": "nat hook output priority -100",  # `dstnat`, a name that older nft knows for prerouting alone
}
_WORD = {4: "ip", 6: "ip6"}
# The driver writes `ff::00/8` for the multicast addresses of IPv6, which is what `::/8` is in full.
_MULTICAST = {4: "224.0.0.0/4", 6: "::/8"}
_BOTH = "meta l4proto { tcp, udp } th dport"


class NftDriver:
    """Programs networks and ports in the table `netavark`."""

    def __init__(self) -> None:
        self._table: NftTable | None = None

    def text(self) -> str:
        """Return the table as `nft list ruleset` prints it, "" where there is none."""
        return "" if self._table is None else self._table.text()

    def add_network(self, network: Network, dns_port: int) -> None:  # noqa: ARG002 - it opens port 53 whatever is asked
        """Program a network; what is there already stays as it is."""
        table = self._made()
        self._isolate(table, network)
        for subnet in network.subnets:
            chain = _chain(network, subnet)
            if chain in table.chains:
                continue
            word = _WORD[subnet.version]
            table.chain(chain).rules[:] = [
                f"{word} daddr {subnet} accept",
                f"{word} daddr != {_MULTICAST[subnet.version]} masquerade",
            ]
            table.append("INPUT", f"{word} saddr {subnet} {_BOTH} {DNS_PORT} accept")
            table.append("FORWARD", f"{word} daddr {subnet} ct state established,related accept")
            table.append("FORWARD", f"{word} saddr {subnet} accept")
            table.append("POSTROUTING", f"{word} saddr {subnet} jump {chain}")

    def _made(self) -> NftTable:
        if self._table is None:
            table = self._table = NftTable("inet", "netavark")
            for name, hook in _BASE.items():
                table.chain(name, hook)
            for name in (_DNAT, _SETMARK, *_ISOLATION):
                table.chain(name)
            table.append("POSTROUTING", "meta mark & 0x00002000 == 0x00002000 masquerade")
            table.append(_SETMARK, "meta mark set meta mark | 0x00002000")
            for name in ("PREROUTING", "OUTPUT"):
                table.append(name, f"fib daddr type local jump {_DNAT}")
            table.append("FORWARD", "ct state invalid drop")
            table.append("FORWARD", f"jump {_ISOLATION[0]}")
        return self._table

    def _isolate(self, table: NftTable, network: Network) -> None:
        first, second, third = _ISOLATION
        name = f'"{network.interface}"'
        if network.isolation is Isolation.NEVER:
            if not _names(table, third, name):
                table.insert(third, f"oifname {name} drop")
        else:
            if not _names(table, first, name):
                target = third if network.isolation is Isolation.STRICT else second
                table.append(first, f"iifname {name} oifname != {name} jump {target}")
            if not _names(table, second, name):
                table.append(second, f"oifname {name} drop")
        if f"jump {second}" not in table.chains[third].rules:
            table.append(third, f"jump {second}")

    def remove_network(self, network: Network, dns_port: int) -> None:  # noqa: ARG002 - as add_network
        """Take a network away whose last container is gone."""
        table = self._made()
        for subnet in network.subnets:
            for chain in ("INPUT", "FORWARD", "POSTROUTING"):
                table.drop(chain, _asks(subnet))
            table.chains.pop(_chain(network, subnet), None)
        for chain in _ISOLATION:
            table.drop(chain, lambda rule: f'"{network.interface}"' in rule)

    def add_ports(self, endpoint: Endpoint, container: Container, dns_port: int) -> None:
        """Program what leads to a container on a network."""
        table, network = self._made(), endpoint.network
        for gateway in network.gateways if dns_port != DNS_PORT else ():
            rule = _dns(gateway, dns_port)
            if endpoint.first(gateway.version) and rule not in table.chains[_DNAT].rules:
                table.insert(_DNAT, rule)
        for chain, rule in self._translations(endpoint, container):
            if rule:
                table.append(chain, rule)
            else:
                table.chain(chain)

    def remove_ports(self, endpoint: Endpoint, container: Container, dns_port: int, *, complete: bool) -> None:
        """Take it away; `complete` where the network's last container is gone."""
        table, network = self._made(), endpoint.network
        for chain, text in self._translations(endpoint, container):
            table.drop(chain, text.__eq__)
        if complete:
            served = {_dns(gateway, dns_port) for gateway in network.gateways}
            table.drop(_DNAT, lambda rule: rule in served)
            for subnet in network.subnets:
                table.chains.pop(f"{_chain(network, subnet)}_dnat", None)

    def _translations(self, endpoint: Endpoint, container: Container) -> Iterator[tuple[str, str]]:
        """Yield chains and rules that lead to a container's ports; no rule: the chain alone."""
        for family in (4, 6) if container.ports is not None else ():
            at = endpoint.first(family)
            if at is None:
                continue
            chain = f"{_chain(endpoint.network, at[1])}_dnat"
            yield chain, ""
            for mapping in container.ports or ():
                if mapping.concerns(family):
                    yield from _translation(chain, mapping, at)


def _translation(chain: str, mapping: PortMapping, at: tuple[Address, Subnet]) -> Iterator[tuple[str, str]]:
    address, subnet = at
    word = _WORD[address.version]
    host = "" if mapping.host is None or mapping.host.is_unspecified else f"{word} daddr {mapping.host} "
    first, last = mapping.host_ports
    ports = f"{mapping.protocol} dport {first}" + (f"-{last}" if mapping.count > 1 else "")
    yield _DNAT, f"{host}{ports} jump {chain}"
    sources = [str(subnet), "127.0.0.1"] if address.version == 4 else [str(subnet)]
    for source in sources:
        yield chain, f"{word} saddr {source} {host}{ports} jump {_SETMARK}"
    for number in range(mapping.count):
        target = f"{_bracketed(address)}:{mapping.container_port + number}"
        yield chain, f"{host}{mapping.protocol} dport {first + number} dnat {word} to {target}"


def _dns(gateway: Address, dns_port: int) -> str:
    word = _WORD[gateway.version]
    return f"{word} daddr {gateway} {_BOTH} {DNS_PORT} dnat {word} to {_bracketed(gateway)}:{dns_port}"


def _chain(network: Network, subnet: Subnet) -> str:
    """Return the chain of a subnet: the network's id and the subnet, without characters that nft gives a meaning."""
    return f"nv_{network.id[:8]}_{str(subnet).replace('.', '_').replace(':', '-').replace('/', '_nm')}"


def _asks(subnet: Subnet) -> Callable[[str], bool]:
    return lambda rule: str(subnet) in rule.split()


def _names(table: NftTable, chain: str, name: str) -> bool:
    return any(name in rule for rule in table.chains[chain].rules)


def _bracketed(address: Address) -> str:
    return f"[{address}]" if address.version == 6 else str(address)
