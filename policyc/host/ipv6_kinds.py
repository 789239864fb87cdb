"""What an IPv6 address is by its bits alone: scope, multicast, mapped, label. Part of `policyc.host`.

Sources: net/ipv6/addrconf_core.c (__ipv6_addr_type), net/ipv6/addrlabel.c, RFC 4291 and RFC 6724.
"""

from __future__ import annotations

UNSPECIFIED, LOCALHOST = 0, 1
LINK_LOCAL, SITE_LOCAL, GLOBAL = 2, 5, 14  # scopes as numbers of RFC 4007


def is_multicast(address: int) -> bool:
    """ff00::/8."""
    return address >> 120 == 0xFF


def is_link_local(address: int) -> bool:
    """fe80::/10."""
    return address >> 118 == 0x3FA


def is_mapped(address: int) -> bool:
    """::ffff:0:0/96."""
    return address >> 32 == 0xFFFF


def is_unicast(address: int) -> bool:
    """Whether the kernel calls the address a unicast one; the unspecified and the IPv4-mapped ones it does not."""
    return address != UNSPECIFIED and not is_multicast(address) and not is_mapped(address)


def scope_of(address: int) -> int:
    """Return the scope from 0 to 15; that of a multicast address stands in it, `::` has none: -1."""
    if address == UNSPECIFIED:
        return -1
    if is_multicast(address):
        return (address >> 112) & 15
    if address == LOCALHOST or is_link_local(address):
        return LINK_LOCAL
    return SITE_LOCAL if address >> 118 == 0x3FB else GLOBAL


def needs_interface(address: int) -> bool:
    """Whether a route to the address must leave by the interface that is asked for (rt6_need_strict)."""
    return is_multicast(address) or is_link_local(address) or address == LOCALHOST


# The kernel's table: (prefix, length, label), the longest first.
_LABELS = (
    (1, 128, 0),
    (0, 96, 3),
    (0xFFFF << 32, 96, 4),
    (0x20010000 << 96, 32, 6),
    (0x20010010 << 96, 28, 7),
    (0x3FFE << 112, 16, 12),
    (0x2002 << 112, 16, 2),
    (0xFEC0 << 112, 10, 11),
    (0xFC00 << 112, 7, 5),
    (0, 0, 1),
)


def label_of(address: int) -> int:
    """Return the label by which a source is paired with a destination (RFC 6724, section 2.1, with the kernel's numbers)."""
    return next(label for prefix, length, label in _LABELS if (address ^ prefix) >> (128 - length) == 0)


def is_orchid(address: int) -> bool:
    """2001:10::/28, the overlay identifiers of RFC 4843."""
    return address >> 100 == 0x2001001
