"""An ipset with its members as values. A value of `policyc.host`; `policyc.host.membership` says who is in it.

The key of a member is a tuple of its parts (`set_kinds.Part`); a member of `bitmap:ip,mac` is kept under its
address alone, and a port of a bridge is spelled `physdev:NAME`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from policyc.frozen import frozen
from policyc.host.set_kinds import KINDS, Part, SetKind
from policyc.net.addresses import ALL_ONES, WIDTH

Key = tuple[object, ...]


@frozen
class Entry:
    """What a set knows of one member.

    `nomatch`: an exception among networks. `timeout` in seconds after the set was read, None for ever. `wildcard`: the
    interface's name is a beginning. `mac` of `bitmap:ip,mac`: None where the first packet decides.
    """

    nomatch: bool = False
    timeout: int | None = None
    wildcard: bool = False
    mac: int | None = None

    def is_over(self, now: int) -> bool:
        """Whether the entry has timed out `now` seconds after the set was read."""
        return self.timeout is not None and now >= self.timeout


@frozen
class MemberSet:
    """A set: `kind` as `ipset create` spells it, `family` 4 or 6, 0 for the kinds that know none.

    `entries` in the order in which they were added. `mask` (of `netmask` or `bitmask`) is laid over addresses that are
    looked up, `markmask` over marks; `low` and `high` bound a bitmap. `timeout` is that of entries added later, None where
    the set knows no timeouts. `size` is how many entries fit.
    """

    name: str
    kind: str
    family: int
    entries: Mapping[Key, Entry] = field(default_factory=dict)
    mask: int | None = None
    markmask: int = 0xFFFFFFFF
    low: int = 0
    high: int = 0
    timeout: int | None = None
    size: int = 65536
    prefixes: tuple[tuple[int, ...], ...] = field(init=False, repr=False, compare=False)
    interfaces: Mapping[object, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "prefixes", _prefixes(self.shape, self.entries))
        by_network: dict[object, list[str]] = {}
        if Part.IFACE in self.shape.parts:
            for network, name in self.entries:
                by_network.setdefault(network, []).append(str(name))
        object.__setattr__(self, "interfaces", {network: tuple(names) for network, names in by_network.items()})

    @property
    def shape(self) -> SetKind:
        """The kind's parts."""
        return KINDS[self.kind]

    def masked(self, address: int) -> int:
        """Return the address as the set looks it up."""
        return address if self.mask is None else address & self.mask


def prefix_mask(family: int, prefix: int) -> int:
    """Return the mask of a prefix length."""
    return ALL_ONES[family] ^ (ALL_ONES[family] >> prefix)


def whole(family: int) -> int:
    """Return the prefix length of a single address."""
    return WIDTH[family]


def _prefixes(kind: SetKind, entries: Mapping[Key, Entry]) -> tuple[tuple[int, ...], ...]:
    """Return, for each part that is a network, the prefix lengths that occur, the longest first."""
    places = [n for n, part in enumerate(kind.parts) if part is Part.NET]
    found: list[set[int]] = [set() for _ in places]
    for key in entries:
        for lengths, place in zip(found, places, strict=True):
            network = key[place]
            assert isinstance(network, tuple)
            lengths.add(network[1])
    return tuple(tuple(sorted(lengths, reverse=True)) for lengths in found)
