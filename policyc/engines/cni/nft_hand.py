"""The plugins' hand on nftables (1.9): masquerading in one table for both families, host ports in a table for each.

Sources: pkg/ip/ipmasq_nftables_linux.go, plugins/meta/portmap/portmap_nftables.go. Rules are found again by their comments.
"""

from __future__ import annotations

from policyc.engines.cni.chain_names import nft_comment
from policyc.engines.cni.scenario import Interface, Portmap
from policyc.engines.nft_table import NftTable

_MASQUERADE = ("inet", "cni_plugins_masquerade")
_HOSTPORT = "cni_hostport"
_WORD = {4: "ip", 6: "ip6"}


class NftHand:
    """The tables that the plugins made, in the order of their making."""

    def __init__(self) -> None:
        self._tables: dict[tuple[str, str], NftTable] = {}

    def text(self) -> str:
        """Return the tables as `nft list ruleset` prints them, "" where there are none."""
        return "".join(table.text() for table in self._tables.values())

    def masquerade(self, addresses: tuple[Interface, ...], network: str, interface: str, container: str) -> None:
        """Let what a container sends out come from the host."""
        table = self._table(*_MASQUERADE, "Masquerading for plugins from github.com/containernetworking/plugins")
        table.chain(
            "masq_checks", "", "Masquerade traffic from certain IPs to any (non-multicast) IP outside their subnet"
        )
        post = table.chain("postrouting", "nat hook postrouting priority srcnat")
        post.rules[:] = ["ip daddr 224.0.0.0/4 return", "ip6 daddr ff00::/8 return", "goto masq_checks"]
        self.stop_masquerade(network, interface, container)
        mark = nft_comment(network, interface, container)
        for address in addresses:
            word = _WORD[address.version]
            way = f"{word} saddr {address.ip} {word} daddr != {address.network}"
            table.append("masq_checks", f'{way} masquerade comment "{mark}"')

    def stop_masquerade(self, network: str, interface: str, container: str) -> None:
        """Undo it."""
        if _MASQUERADE in self._tables:
            self._drop(self._tables[_MASQUERADE], "masq_checks", nft_comment(network, interface, container))

    def map_ports(self, plugin: Portmap, address: Interface, container: str) -> None:
        """Lead host ports to a container."""
        family = address.version
        table = self._table(_WORD[family], _HOSTPORT, "CNI portmap plugin")
        for name in ("hostports", "hostip_hostports"):
            table.chain(name)
        table.chain("hostports_all").rules[:] = ["jump hostip_hostports", "jump hostports"]
        enters = " ".join([*plugin.conditions_of(family), "fib daddr type local jump hostports_all"])
        table.chain("prerouting", "nat hook prerouting priority dstnat").rules[:] = [enters]
        # `dstnat` is a name that older nft knows for prerouting alone
        table.chain("output", "nat hook output priority -100").rules[:] = [enters]
        if plugin.snat:
            table.chain("masquerading", "nat hook postrouting priority srcnat")
        target = f"[{address.ip}]" if family == 6 else str(address.ip)
        for mapping in plugin.mappings:
            if not mapping.concerns(family):
                continue
            rule = f"{mapping.protocol} dport {mapping.host_port} dnat to {target}:{mapping.container_port}"
            rule += f' comment "{container}"'
            if mapping.host is None or mapping.host.is_unspecified:
                table.append("hostports", rule)
            else:
                table.insert("hostports", f"{_WORD[family]} daddr {mapping.host} {rule}")
        if plugin.snat:
            self._masquerade_back(table, plugin, address, container)

    def _masquerade_back(self, table: NftTable, plugin: Portmap, address: Interface, container: str) -> None:
        word = _WORD[address.version]
        there = f'{word} daddr {address.ip} masquerade comment "{container}"'
        if plugin.masquerade_all:
            table.append("masquerading", there)
            return
        table.append("masquerading", f"{word} saddr {address.ip} {there}")
        if address.version == 4:
            table.append("masquerading", f"{word} saddr 127.0.0.1 {there}")

    def unmap_ports(self, container: str) -> None:
        """Take a container's translations away."""
        for (_, name), table in self._tables.items():
            if name == _HOSTPORT:
                for chain in ("hostports", "hostip_hostports", "masquerading"):
                    self._drop(table, chain, container)

    def _table(self, family: str, name: str, comment: str) -> NftTable:
        return self._tables.setdefault((family, name), NftTable(family, name, comment))

    def _drop(self, table: NftTable, chain: str, comment: str) -> None:
        table.drop(chain, lambda rule: rule.endswith(f'comment "{comment}"'))
