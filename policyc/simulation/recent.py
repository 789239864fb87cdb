"""The lists of `-m recent` while packets are replayed: addresses with the times they were seen. Part of `policyc.simulation`.

Source: net/netfilter/xt_recent.c. A replay takes no time unless its clock moves.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from policyc.net.addresses import ALL_ONES
from policyc.netfilter import fields
from policyc.netfilter.counters import RecentList
from policyc.simulation.packet import Packet

_STAMPS = 255  # XT_RECENT_MAX_NSTAMPS - 1


@dataclass(slots=True)
class _Seen:
    ttl: int
    stamps: list[int] = field(default_factory=list)


class RecentLists:
    """All lists by name and family; each begins empty."""

    __slots__ = ("_lists",)

    def __init__(self) -> None:
        self._lists: dict[tuple[str, int], dict[int, _Seen]] = {}

    def clear(self) -> None:
        """Empty all lists."""
        self._lists.clear()

    def record(self, what: RecentList, packet: Packet, now: int) -> None:
        """Carry out `--set`: the packet's address is entered, or seen once more."""
        listed = self._lists.setdefault((what.name, packet.family), {})
        address, ttl = _key(what, packet)
        found = listed.get(address)
        if found is None or (what.same_ttl and found.ttl != ttl):
            found = listed[address] = _Seen(ttl)
        _stamp(found, ttl, now)

    def matches(self, what: RecentList, packet: Packet, now: int) -> bool:
        """Carry out `--rcheck`, `--update` or `--remove` and return whether the list knows the address well enough."""
        listed = self._lists.setdefault((what.name, packet.family), {})
        address, ttl = _key(what, packet)
        found = listed.get(address)
        if found is None or (what.same_ttl and found.ttl != ttl):
            return False
        if what.action == "remove":
            del listed[address]
            return True
        since = now - what.seconds if what.seconds else 0
        hits = sum(1 for stamp in found.stamps if stamp >= since)
        holds = hits >= max(what.hits, 1)
        if what.reap:
            found.stamps = [stamp for stamp in found.stamps if stamp >= since]
        if what.action == "update" and holds:
            _stamp(found, ttl, now)
        return holds


def _key(what: RecentList, packet: Packet) -> tuple[int, int]:
    address = packet.src if what.side is fields.SRC else packet.dst
    seen_ttl = packet.ttl + (packet.oif is not None and not packet.outgoing)
    return address & what.mask & ALL_ONES[packet.family], seen_ttl


def _stamp(found: _Seen, ttl: int, now: int) -> None:
    found.ttl = ttl
    found.stamps = [*found.stamps[-_STAMPS + 1 :], now]
