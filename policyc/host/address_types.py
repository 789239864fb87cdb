"""What `-m addrtype` calls an address, by this host's routes. Part of `policyc.host`.

Sources: net/ipv4/fib_frontend.c (__inet_dev_addr_type), net/netfilter/xt_addrtype.c (match_type6, match_lookup_rt6).
"""

from __future__ import annotations

from policyc.host.fib import Failure, Fib, Flow
from policyc.host.host import RouteKind
from policyc.host.ipv4_kinds import LIMITED_BROADCAST
from policyc.host.ipv4_kinds import is_multicast as is_multicast_v4
from policyc.host.ipv6_kinds import UNSPECIFIED, is_multicast, is_unicast


def address_types(fib: Fib, family: int, address: int, device: str = "") -> frozenset[str]:
    """Return the types of an address, as `--src-type` spells them; `device` is set with `--limit-iface-in` or `-out`.

    An IPv4 address has one type. An IPv6 address has several: its own addresses are UNICAST and LOCAL.
    """
    if family == 6:
        return _types_v6(fib, address, device)
    if address in {0, LIMITED_BROADCAST}:
        return frozenset(("BROADCAST",))
    if is_multicast_v4(address):
        return frozenset(("MULTICAST",))
    found = fib.local_route(address)
    if found is None or (device and found.device != device):
        return frozenset(("UNICAST",))
    return frozenset((found.kind.name,))


def _types_v6(fib: Fib, address: int, device: str) -> frozenset[str]:
    types = set()
    if address == UNSPECIFIED:
        types.add("UNSPEC")
    if is_multicast(address):
        types.add("MULTICAST")
    if is_unicast(address):
        types.add("UNICAST")
    if device and _has(fib, device, address):
        types.add("LOCAL")
    found = fib.lookup(Flow(6, address, None, "lo", device))
    if isinstance(found, Failure):
        types.discard("LOCAL")
        types.add("UNREACHABLE")
        return frozenset(types)
    if found.kind is RouteKind.LOCAL and not device:
        types.add("LOCAL")
    is_subnet_router = found.gateway is None and found.prefix < 127 and address == found.destination.address
    if found.kind is RouteKind.ANYCAST or is_subnet_router:
        types.add("ANYCAST")
    return frozenset(types)


def _has(fib: Fib, device: str, address: int) -> bool:
    interface = fib.host.interface(device)
    return interface is not None and any(one.address == address and one.family == 6 for one in interface.addresses)
