"""Addresses as Docker's address manager gives them out: subnets from its pools, in each the lowest that is free.

Source: libnetwork/ipam and libnetwork/ipamutils (the local default pools).
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from policyc.engines.docker.ports import Address
from policyc.engines.docker.scenario import AddressPool, Subnet

DEFAULT_POOLS: tuple[AddressPool, ...] = (
    *(AddressPool(IPv4Network(f"172.{second}.0.0/16"), 16) for second in range(17, 32)),
    AddressPool(IPv4Network("192.168.0.0/16"), 20),
)
UNKNOWN_POOL = AddressPool(IPv6Network("fd00::/48"), 64)
"""Stands for the unique local prefix that the daemon makes of the host's identity."""


class Subnets:
    """The subnets in use: those of the host, which are avoided, and those of networks, which may not overlap."""

    def __init__(self, pools: Iterable[AddressPool], host: Iterable[Subnet]) -> None:
        self._pools = tuple(pools)
        self._host = tuple(host)
        self._used: list[Subnet] = []

    def draw(self, family: int) -> Subnet | None:
        """Return the first subnet of the pools that nobody has, None where there is none."""
        own = [pool for pool in self._pools if pool.base.version == family]
        pools = own or (DEFAULT_POOLS if family == 4 else (UNKNOWN_POOL,))
        for pool in pools:
            for subnet in pool.base.subnets(new_prefix=pool.size):
                if not any(_overlap(subnet, other) for other in (*self._host, *self._used)):
                    return subnet
        return None

    def take(self, subnet: Subnet) -> Subnet | None:
        """Take a subnet for a network; return the one in use that it overlaps instead, if there is one."""
        other = next((other for other in self._used if _overlap(subnet, other)), None)
        if other is None:
            self._used.append(subnet)
        return other

    def release(self, subnet: Subnet) -> None:
        """Give a subnet back."""
        self._used.remove(subnet)


class Leases:
    """The addresses of one subnet; containers get them from `within`, which is the subnet or a part of it."""

    def __init__(self, subnet: Subnet, within: Subnet | None = None) -> None:
        self.subnet = subnet
        self._within = within or subnet
        self._used: set[Address] = {subnet.network_address}
        if isinstance(subnet, IPv4Network) and subnet.prefixlen < 31:
            self._used.add(subnet.broadcast_address)

    def take(self, wanted: Address | None = None) -> Address | None:
        """Take an address, the lowest free one where none is wanted; None where it is not to be had."""
        if wanted is not None:
            if wanted not in self.subnet or wanted in self._used:
                return None
            self._used.add(wanted)
            return wanted
        found = next((address for address in self._candidates() if address not in self._used), None)
        if found is not None:
            self._used.add(found)
        return found

    def release(self, address: Address) -> None:
        """Give an address back."""
        self._used.discard(address)

    def _candidates(self) -> Iterable[Address]:
        first, last = int(self._within.network_address), int(self._within.broadcast_address)
        kind = IPv4Address if isinstance(self.subnet, IPv4Network) else IPv6Address
        return (kind(number) for number in range(first, last + 1))


def address_of_mac(subnet: IPv6Network, ipv4: IPv4Address) -> IPv6Address:
    """Return the address that the default bridge made of a container's MAC address, which repeats its IPv4 address.

    The MAC address is 02:42 and the four octets (libnetwork/netutils, GenerateMACFromIP), the host part its six octets.
    """
    return IPv6Address(int(subnet.network_address) | 0x0242 << 32 | int(ipv4))


def _overlap(one: Subnet, other: Subnet) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)
