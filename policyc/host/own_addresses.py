"""The addresses of an interface in the order in which the kernel keeps them, which decides who is chosen. Part of `policyc.host`.

Sources: net/ipv4/devinet.c (__inet_insert_ifa, inet_select_addr), net/ipv6/addrconf.c (ipv6_link_dev_addr).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from policyc.host.host import Host, Interface, InterfaceAddress, Scope
from policyc.host.ipv6_kinds import scope_of
from policyc.net.addresses import parse_address

LOCALHOST = {4: parse_address("127.0.0.1", 4), 6: 1}


@lru_cache(maxsize=256)
def kept(interface: Interface, family: int) -> tuple[InterfaceAddress, ...]:
    """Return the addresses as the kernel lists them.

    IPv4: primary before secondary. IPv6: the wide scope before the narrow, within a scope the newest first.
    """
    listed: list[InterfaceAddress] = []
    if family == 6:
        for one in (each for each in interface.addresses if each.family == 6):
            scope = scope_of(one.address)
            at = next((n for n, other in enumerate(listed) if scope >= scope_of(other.address)), len(listed))
            listed.insert(at, one)
        return tuple(listed)
    secondary: list[InterfaceAddress] = []
    for one in (each for each in interface.addresses if each.family == 4):
        if _is_covered(one, listed):
            secondary.append(one)
            continue
        wider = [n for n, other in enumerate(listed) if one.scope.value <= other.scope.value]
        listed.insert(wider[-1] + 1 if wider else 0, one)
    return (*listed, *secondary)


def _is_covered(one: InterfaceAddress, listed: list[InterfaceAddress]) -> bool:
    return any(other.network == one.network for other in listed)


def primary_of(interface: Interface, one: InterfaceAddress) -> InterfaceAddress:
    """Return the IPv4 address whose subnet this one shares and that stands for it: itself unless it is secondary."""
    return next(other for other in kept(interface, one.family) if other.network == one.network)


def is_secondary(interface: Interface, one: InterfaceAddress) -> bool:
    """Whether another IPv4 address of the same subnet was there first."""
    return primary_of(interface, one) != one


def select_address(host: Host, device: str, near: int | None, scope: Scope = Scope.UNIVERSE) -> int | None:
    """Return the IPv4 address with which a device speaks to `near` (inet_select_addr), None where there is none.

    It is the first primary address that is valid in `scope` and shares a subnet with `near`, else the first at all; a device
    without addresses borrows from another one.
    """
    interface = host.interface(device)
    first = None
    if interface is not None:
        widest = Scope.LINK if host.sysctls.either(4, device, "route_localnet") else Scope.HOST
        for one in kept(interface, 4):
            if is_secondary(interface, one) or min(one.scope.value, widest.value) > scope.value:
                continue
            if near is None or near in one.network:
                return one.address
            first = one.address if first is None else first
    if first is not None:
        return first
    for other in host.interfaces:
        for one in kept(other, 4):
            if not is_secondary(other, one) and one.scope is not Scope.LINK and one.scope.value <= scope.value:
                return one.address
    return None


def link_local(mac: int) -> InterfaceAddress:
    """Return the fe80::/64 address that the kernel forms of a MAC (RFC 4291 appendix A, modified EUI-64)."""
    high, low = mac >> 24, mac & 0xFFFFFF
    identifier = ((high << 40) | (0xFFFE << 24) | low) ^ (1 << 57)
    return InterfaceAddress(6, (0xFE80 << 112) | identifier, 64, Scope.LINK)


def with_loopback(interfaces: tuple[Interface, ...]) -> tuple[Interface, ...]:
    """Return the interfaces with `lo` first and its two addresses, as every namespace has them once `lo` is up."""
    found = next((one for one in interfaces if one.is_loopback), Interface("lo", mtu=65536))
    missing = [
        InterfaceAddress(family, LOCALHOST[family], prefix, Scope.HOST)
        for family, prefix in ((4, 8), (6, 128))
        if not any(one.address == LOCALHOST[family] and one.family == family for one in found.addresses)
    ]
    loopback = replace(found, addresses=(*missing, *found.addresses))
    return (loopback, *(one for one in interfaces if not one.is_loopback))
