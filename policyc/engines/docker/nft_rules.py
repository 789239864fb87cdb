"""The rules of the nftables backend (29 and later), as `nft list table` prints them.

Each function yields rules with their chain and group: in a chain, groups stand one behind the other, and rules of a group
in the order in which they came. Source: moby, libnetwork/drivers/bridge/internal/nftabler.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from policyc.engines.docker.ports import Address, Binding, Port
from policyc.engines.docker.rules import Bridge
from policyc.frozen import frozen

COUNTED = "counter packets 0 bytes 0"
WORD = {4: "ip", 6: "ip6"}


class Group(IntEnum):
    """The order of the rules of a chain."""

    INITIAL = 0
    MARK = 1
    LINKS = 2
    ICC = 3
    PORTS = 4
    FINAL = 5


@frozen
class NftRule:
    """A rule in its chain."""

    chain: str
    group: Group
    text: str


def own_chains(bridge: Bridge) -> dict[str, str]:
    """Return the chains of a network by the map that leads to them, in the order in which they are made."""
    name = bridge.interface
    return {
        "filter-forward-in-jumps": f"filter-forward-in__{name}",
        "filter-forward-out-jumps": f"filter-forward-out__{name}",
        "nat-postrouting-in-jumps": f"nat-postrouting-in__{name}",
        "nat-postrouting-out-jumps": f"nat-postrouting-out__{name}",
    }


def network_rules(bridge: Bridge, family: int, mark: str, *, hairpin: bool) -> Iterator[NftRule]:
    """Yield the rules of a network."""
    name, word = bridge.interface, WORD[family]
    comes, leaves, post_in, post_out = own_chains(bridge).values()
    icc = "accept" if bridge.icc else "drop"
    for chain in (comes, leaves):
        yield NftRule(chain, Group.INITIAL, f"ct state established,related {COUNTED} accept")
    if bridge.internal:
        ingress, egress = 'comment "INTERNAL NETWORK INGRESS"', 'comment "INTERNAL NETWORK EGRESS"'
        yield NftRule(comes, Group.INITIAL, f'iifname != "{name}" {COUNTED} drop {ingress}')
        yield NftRule(leaves, Group.INITIAL, f'oifname != "{name}" {COUNTED} drop {egress}')
        yield NftRule(comes, Group.ICC, f'{COUNTED} {icc} comment "ICC"')
        return
    if mark:
        yield NftRule(comes, Group.MARK, f'meta mark {_mark(mark)} {COUNTED} accept comment "ALLOW FW MARK"')
    yield NftRule(comes, Group.ICC, f'iifname "{name}" {COUNTED} {icc} comment "ICC"')
    yield NftRule(leaves, Group.INITIAL, f'{COUNTED} accept comment "OUTGOING"')
    unprotected = bridge.is_unprotected(family)
    last = 'accept comment "UNPROTECTED"' if unprotected else 'drop comment "UNPUBLISHED PORT DROP"'
    yield NftRule(comes, Group.FINAL, f"{COUNTED} {last}")
    if bridge.is_routed(family):
        protocol = "ip protocol icmp" if family == 4 else "meta l4proto ipv6-icmp"
        yield NftRule(comes, Group.INITIAL, f'{protocol} {COUNTED} accept comment "ICMP"')
    source = bridge.source.get(family)
    verdict, title = (f"snat to {source}", "SNAT") if source else ("masquerade", "MASQUERADE")
    if bridge.masquerade and not bridge.is_routed(family):
        subnet = f"{word} saddr {bridge.subnets[family]}"
        yield NftRule(post_out, Group.INITIAL, f'oifname != "{name}" {subnet} {COUNTED} {verdict} comment "{title}"')
    if hairpin:
        yield NftRule(post_in, Group.INITIAL, f'fib saddr type local {COUNTED} {verdict} comment "{title} FROM HOST"')


def endpoint_rules(bridge: Bridge, address: Address) -> Iterator[NftRule]:
    """Yield the rule that keeps outsiders from a container's own address."""
    family = address.version
    if bridge.internal or bridge.is_routed(family) or bridge.is_unprotected(family):
        return
    names = sorted({bridge.interface, *bridge.trusted})
    known = f'"{names[0]}"' if len(names) == 1 else "{ " + ", ".join(f'"{name}"' for name in names) + " }"
    way = f"{WORD[family]} daddr {address} iifname != {known}"
    yield NftRule("raw-PREROUTING", Group.PORTS, f'{way} {COUNTED} drop comment "DROP DIRECT ACCESS"')


def port_rules(bridge: Bridge, binding: Binding, *, hairpin: bool) -> Iterator[NftRule]:
    """Yield the rules of a published port."""
    family, protocol = binding.family, binding.port.protocol
    word, (comes, _, post_in, _) = WORD[family], own_chains(bridge).values()
    direct = f"{word} daddr {binding.container} {protocol} dport {binding.port.number}"
    if not bridge.is_unprotected(family):
        yield NftRule(comes, Group.PORTS, f"{direct} {COUNTED} accept")
    if not binding.host_port or binding.host.version != family:
        return
    at_host = "" if binding.host.is_unspecified else f"{word} daddr {binding.host} "
    at_host += f"{protocol} dport {binding.host_port}"
    container = f"[{binding.container}]" if family == 6 else str(binding.container)
    from_others = "" if hairpin else f'iifname != "{bridge.interface}" '
    from_others += "ip6 saddr != fe80::/10 " if family == 6 else ""
    target = f'dnat to {container}:{binding.port.number} comment "DNAT"'
    yield NftRule("nat-prerouting-and-output", Group.INITIAL, f"{from_others}{at_host} {COUNTED} {target}")
    if hairpin:
        itself = f"{word} saddr {binding.container} {direct}"
        yield NftRule(post_in, Group.INITIAL, f'{itself} {COUNTED} masquerade comment "MASQ TO OWN PORT"')
    if family == 4 and binding.host.is_loopback:
        guard = 'drop comment "DROP REMOTE LOOPBACK"'
        yield NftRule("raw-PREROUTING", Group.PORTS, f'iifname != "lo" {at_host} {COUNTED} {guard}')


def link_rules(bridge: Bridge, parent: Address, child: Address, port: Port) -> Iterator[NftRule]:
    """Yield the rules by which a container may ask a port of another on a bridge that keeps them apart."""
    comes = own_chains(bridge)["filter-forward-in-jumps"]
    there = f"ip saddr {parent} ip daddr {child} {port.protocol} dport {port.number}"
    back = f"ip daddr {parent} ip saddr {child} {port.protocol} sport {port.number}"
    yield NftRule(comes, Group.LINKS, f"{there} {COUNTED} accept")
    yield NftRule(comes, Group.LINKS, f"{back} {COUNTED} accept")


def _mark(mark: str) -> str:
    value, slash, mask = mark.partition("/")
    shown = f"0x{int(value, 0):08x}"
    return f"& 0x{int(mask, 0):08x} == {shown}" if slash else shown
