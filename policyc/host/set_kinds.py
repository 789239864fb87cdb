"""The kinds of ipset: of what parts their members are made. Part of `policyc.host`. Sources: ipset(8), net/netfilter/ipset/."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from policyc.frozen import frozen


class Part(Enum):
    """One part of a member; its Python value in the comment."""

    IP = "ip"  # an address as a number
    NET = "net"  # (address, prefix length)
    PORT = "port"  # (protocol, port or ICMP type * 256 + code)
    PORT_ALONE = "port of a bitmap"  # a port of TCP and UDP both
    MAC = "mac"  # a 48-bit number
    MARK = "mark"  # a number
    IFACE = "iface"  # a name
    SET = "set"  # a name


@frozen
class SetKind:
    """A kind by its parts. `families` are those it can have, none for the kinds that do not know one.

    A packet is tested only by a rule that names at least `dimension` directions.
    """

    name: str
    parts: tuple[Part, ...]
    families: tuple[int, ...] = (4, 6)

    @property
    def dimension(self) -> int:
        """How many directions a rule must name."""
        return len(self.parts)

    @property
    def has_exceptions(self) -> bool:
        """Whether members may be `nomatch`."""
        return Part.NET in self.parts


def _hash(*words: str) -> SetKind:
    families = () if words == ("mac",) else (4, 6)
    return SetKind(f"hash:{','.join(words)}", tuple(Part(word) for word in words), families)


_ALL = (
    _hash("ip"), _hash("net"), _hash("mac"), _hash("ip", "mac"), _hash("ip", "mark"), _hash("ip", "port"),
    _hash("net", "port"), _hash("net", "iface"), _hash("net", "net"), _hash("ip", "port", "ip"),
    _hash("ip", "port", "net"), _hash("net", "port", "net"),
    SetKind("bitmap:ip", (Part.IP,), (4,)), SetKind("bitmap:ip,mac", (Part.IP, Part.MAC), (4,)),
    SetKind("bitmap:port", (Part.PORT_ALONE,), ()), SetKind("list:set", (Part.SET,), ()),
)  # fmt: skip

KINDS: Mapping[str, SetKind] = {kind.name: kind for kind in _ALL}
