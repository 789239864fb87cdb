"""Addresses as host-local gives them: the next free one behind the last that it gave, around the range.

Source: plugins/ipam/host-local/backend (allocator, range, disk store).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_interface

from policyc.engines.cni.scenario import HostLocal, Interface, Range
from policyc.engines.fields import Address, Subnet

Key = tuple[str, str]
"""A container and its interface."""


class NoAddressError(ValueError):
    """No address of a set is free, or the one that is asked for is not."""


def range_of(subnet: Subnet, first: Address | None, last: Address | None, gateway: Address | None) -> Range:
    """Return a range with its defaults: all hosts of the subnet, whose first one is the gateway.

    Raises ValueError where a part lies outside the subnet, or the subnet has no room.
    """
    spare = 2 if subnet.version == 4 else 1
    if subnet.prefixlen > subnet.max_prefixlen - 2:
        raise ValueError(f"{subnet} is too small: there is no room for a container beside the gateway")
    lowest, highest = subnet.network_address + 1, subnet[subnet.num_addresses - spare]
    for each in (first, last):
        if each is not None and each not in subnet:
            raise ValueError(f"{each} is outside {subnet}")
    begin, end = first or lowest, last or highest
    if int(begin) > int(end):
        raise ValueError(f"the range from {begin} to {end} is empty")
    return Range(subnet, begin, end, gateway or lowest)


class Leases:
    """What host-local keeps on disk for one network."""

    def __init__(self) -> None:
        self._given: dict[Address, Key] = {}
        self._last: dict[int, Address] = {}

    def give(self, ipam: HostLocal, key: Key) -> tuple[Interface, ...]:
        """Return an address from each set. Raises NoAddressError where there is none."""
        found: list[Interface] = []
        for number, ranges in enumerate(ipam.sets):
            asked = [address for address in ipam.requested if any(_holds(each, address) for each in ranges)]
            chosen, around = self._chosen(ranges, asked[0]) if asked else self._next(number, ranges)
            self._given[chosen] = key
            self._last[number] = chosen
            found.append(ip_interface(f"{chosen}/{around.subnet.prefixlen}"))
        return tuple(found)

    def take_back(self, key: Key) -> None:
        """Free the addresses of a container's interface."""
        self._given = {address: owner for address, owner in self._given.items() if owner != key}

    def _chosen(self, ranges: tuple[Range, ...], address: Address) -> tuple[Address, Range]:
        around = next(each for each in ranges if _holds(each, address))
        if address in self._given or address == around.gateway:
            raise NoAddressError(f"{address} is not free")
        return address, around

    def _next(self, number: int, ranges: tuple[Range, ...]) -> tuple[Address, Range]:
        for address, around in _around(ranges, self._last.get(number)):
            if address not in self._given and address != around.gateway:
                return address, around
        raise NoAddressError(f"no address of {', '.join(str(each.subnet) for each in ranges)} is free")


def _holds(each: Range, address: Address) -> bool:
    return address.version == each.subnet.version and int(each.first) <= int(address) <= int(each.last)


def _around(ranges: tuple[Range, ...], last: Address | None) -> Iterator[tuple[Address, Range]]:
    """Yield the addresses of ranges, beginning behind the last one that was given, and once around."""
    at = next((i for i, each in enumerate(ranges) if last is not None and _holds(each, last)), 0)
    behind = int(last) + 1 if last is not None and _holds(ranges[at], last) else int(ranges[at].first)
    turns = [(ranges[at], behind, int(ranges[at].last))]
    turns += [(each, int(each.first), int(each.last)) for each in (*ranges[at + 1 :], *ranges[:at])]
    turns.append((ranges[at], int(ranges[at].first), behind - 1))
    for each, begin, end in turns:
        for number in range(begin, end + 1):
            yield _address(number, each), each


def _address(number: int, around: Range) -> Address:
    """Return the address with a number, which may be a small one of IPv6."""
    return ip_address(number) if around.subnet.version == 4 else type(around.first)(number)
