"""Resolved values of a policy: addresses, services, endpoints and marks, with no name left in them.

Families are 4 and 6. A tuple of families is ascending and never empty. Order is the written order, nothing is merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from policyc.frozen import frozen
from policyc.net.addresses import Network, format_address

if TYPE_CHECKING:
    from policyc.policy.defined import Set

Families = tuple[int, ...]
BOTH: Families = (4, 6)
ONE: dict[int, Families] = {4: (4,), 6: (6,)}
ALL_BITS = 0xFFFFFFFF


@frozen
class AddressRange:
    """The addresses from first to last of one family, both included, where no network says it."""

    family: int
    first: int
    last: int

    def __str__(self) -> str:
        return f"{format_address(self.first, self.family)}-{format_address(self.last, self.family)}"


AddressItem = Network | AddressRange
"""One address is a `Network` whose mask has all bits."""


@frozen
class Addresses:
    """What stands after `from` or `to`, flattened: a packet fits when one of the items or sets has its address.

    `negated` is about the whole list: none of them has it. A set fits both families; `families` are those of the items,
    None where there are only sets. At least one item or set is there.
    """

    negated: bool
    items: tuple[AddressItem, ...]
    sets: tuple[Set, ...]
    families: Families | None

    def of(self, family: int) -> tuple[AddressItem, ...]:
        """Return the items of one family in written order."""
        return tuple(item for item in self.items if item.family == family)


@frozen
class PortService:
    """A protocol with ports: tcp 6, udp 17, dccp 33, sctp 132, udplite 136.

    `ports` (destination) and `source_ports` are (first, last) pairs, both included, in written order; empty means every
    port. Both must fit.
    """

    protocol: int
    ports: tuple[tuple[int, int], ...]
    source_ports: tuple[tuple[int, int], ...]
    families: Families


@frozen
class IcmpService:
    """ICMP of one family: `types` are (type, code) in written order, the code None for every one; empty means all ICMP."""

    types: tuple[tuple[int, int | None], ...]
    families: Families


@frozen
class ProtocolService:
    """An IP protocol by number, 0 to 255, whatever follows its header."""

    protocol: int
    families: Families


Service = PortService | IcmpService | ProtocolService


@frozen
class Endpoint:
    """Where a translation leads: addresses from first to last (equal for one) and ports.

    `family` is None, and first and last are 0, where no host is written: the address stays, or is this host for
    `redirect` and `tproxy`. `ports` is a (first, last) pair, None where the port stays.
    """

    family: int | None
    first: int
    last: int
    ports: tuple[int, int] | None

    def __str__(self) -> str:
        host = "" if self.family is None else format_address(self.first, self.family)
        if self.family is not None and self.first != self.last:
            host += f"-{format_address(self.last, self.family)}"
        if self.ports is None:
            return host
        port = str(self.ports[0]) if self.ports[0] == self.ports[1] else f"{self.ports[0]}-{self.ports[1]}"
        return f"[{host}]:{port}" if self.family == 6 else f"{host}:{port}"


@frozen
class Mark:
    """A packet mark: the bits of `mask` have `value`; both 0 to 0xffffffff, value within mask."""

    value: int
    mask: int = ALL_BITS


@frozen
class Marks:
    """What stands after `marked`: the packet's mark is one of them, or none of them where negated."""

    negated: bool
    values: tuple[Mark, ...]


@frozen
class Names:
    """A list of words as the kernel or the host spells them: interfaces, connection states; `negated` as everywhere."""

    negated: bool
    values: tuple[str, ...]


@frozen
class Accounts:
    """Users or groups as ids (first, last), both included."""

    negated: bool
    values: tuple[tuple[int, int], ...]
