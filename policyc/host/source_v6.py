"""Which of its IPv6 addresses this host speaks with: RFC 6724 as the kernel does it. Part of `policyc.host`.

Source: net/ipv6/addrconf.c (ipv6_dev_get_saddr, ipv6_get_saddr_eval). Temporary and home addresses are not told apart.
"""

from __future__ import annotations

from policyc.host.host import Host, Interface, InterfaceAddress
from policyc.host.ipv6_kinds import LINK_LOCAL, is_multicast, is_orchid, label_of, scope_of
from policyc.host.own_addresses import kept


def select_source_v6(host: Host, device: str, destination: int) -> int | None:
    """Return the source for a destination that is left for by the device, "" for any; None where no address will do."""
    best: tuple[tuple[int, ...], int] | None = None
    for interface in _candidates(host, device, destination):
        for one in kept(interface, 6):
            score = _score(one, interface.name, device, destination)
            if best is None or score > best[0]:  # of equals the first
                best = score, one.address
    return None if best is None else best[1]


def _candidates(host: Host, device: str, destination: int) -> tuple[Interface, ...]:
    up = tuple(one for one in host.interfaces if one.up)
    only_here = (
        is_multicast(destination)
        or scope_of(destination) <= LINK_LOCAL
        or host.sysctls.either(6, device, "use_oif_addrs_only")
    )
    return tuple(one for one in up if one.name == device) if device and only_here else up


def _score(one: InterfaceAddress, name: str, device: str, destination: int) -> tuple[int, ...]:
    """Return the kernel's rules in order, a larger number being the better source."""
    scope = scope_of(one.address)
    reaches = -scope if scope >= scope_of(destination) else scope - 128
    shared = 128 - (one.address ^ destination).bit_length()
    return (
        int(one.address == destination),
        reaches,
        int(not one.deprecated),
        int(not device or name == device),
        int(label_of(one.address) == label_of(destination)),
        int(is_orchid(one.address) == is_orchid(destination)),
        min(shared, one.prefix),
    )
