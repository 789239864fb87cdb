"""Which address MASQUERADE and REDIRECT write into a packet. Part of `policyc.host`.

Sources: net/netfilter/nf_nat_masquerade.c, net/netfilter/nf_nat_redirect.c.
"""

from __future__ import annotations

from policyc.host.host import Host
from policyc.host.ipv6_kinds import LINK_LOCAL, SITE_LOCAL, is_mapped, is_multicast, scope_of
from policyc.host.own_addresses import LOCALHOST, kept, select_address
from policyc.host.source_v6 import select_source_v6


def masquerade_address(host: Host, family: int, device: str, next_hop: int, destination: int) -> int | None:
    """Return the source that MASQUERADE gives a packet on its way out by the device; None: the packet is dropped.

    IPv4 takes the device's first address that shares a subnet with the next hop, IPv6 the one it would speak with itself.
    """
    if family == 6:
        return select_source_v6(host, device, destination)
    return select_address(host, device, next_hop)


def redirect_address(host: Host, family: int, iif: str, destination: int) -> int | None:
    """Return the destination that REDIRECT gives a packet; None: the packet is dropped. `iif` is "" in OUTPUT.

    In PREROUTING it is the first address of the incoming interface, whatever address was asked for.
    """
    if not iif:
        return LOCALHOST[family]
    interface = host.interface(iif)
    if interface is None:
        return None
    if family == 4:
        return next((one.address for one in kept(interface, 4)), None)
    wanted = _scope_bits(destination)
    for one in kept(interface, 6):
        if not is_mapped(one.address) and (not wanted or wanted & _scope_bits(one.address)):
            return one.address
    return None


def _scope_bits(address: int) -> int:
    """Return the address's scope as the kernel's bits, 0 for a global one (IPV6_ADDR_SCOPE_MASK)."""
    if address == LOCALHOST[6]:
        return 0x10
    scope = scope_of(address)
    if is_multicast(address) and scope == 1:
        return 0x10
    return {LINK_LOCAL: 0x20, SITE_LOCAL: 0x40}.get(scope, 0)
