"""What an IPv4 address is by its bits alone. Part of `policyc.host`. Source: include/linux/in.h."""

from __future__ import annotations

LIMITED_BROADCAST = 0xFFFFFFFF


def is_multicast(address: int) -> bool:
    """224.0.0.0/4."""
    return address >> 28 == 0xE


def is_link_group(address: int) -> bool:
    """224.0.0.0/24, the groups that no router forwards."""
    return address >> 8 == 0xE00000


def is_loopback(address: int) -> bool:
    """127.0.0.0/8."""
    return address >> 24 == 127
