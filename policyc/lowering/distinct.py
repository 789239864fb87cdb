"""Lists whose items do not overlap, so that a packet fits one item at most: its rule acts, counts and logs once.

Items that others cover are left out; the union stays the same. What does not overlap stays as it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policyc.net.addresses import ALL_ONES, WIDTH, Network, range_network
from policyc.net.intervals import IntervalSet
from policyc.policy.values import AddressItem, AddressRange

Range = tuple[int, int]


def span_of(item: AddressItem) -> Range:
    """Return the first and the last address of an item."""
    if isinstance(item, AddressRange):
        return item.first, item.last
    return item.address, item.address | (item.mask ^ ALL_ONES[item.family])


def distinct_ranges(ranges: Sequence[Range]) -> Sequence[Range]:
    """Return ranges of numbers without overlap, in written order where that is possible."""
    if len(ranges) < 2:
        return ranges
    kept = _without_covered(ranges)
    merged = IntervalSet.union_of(kept)
    return kept if _total(kept) == merged.size else merged.spans


def distinct_addresses(items: Sequence[AddressItem]) -> Sequence[AddressItem]:
    """Return addresses of one family without overlap, in written order where that is possible."""
    if len(items) < 2:
        return items
    by_span = {span_of(item): item for item in reversed(items)}
    ranges = [span_of(item) for item in items]
    return [by_span.get(span) or item_of(*span, items[0].family) for span in distinct_ranges(ranges)]


def distinct_interfaces(patterns: Sequence[str]) -> Sequence[str]:
    """Return interface patterns of which none covers another, in written order."""
    wild = [pattern[:-1] for pattern in patterns if pattern.endswith("+")]
    kept = []
    for pattern in dict.fromkeys(patterns):
        stem = pattern.removesuffix("+")
        if not any(stem.startswith(other) and (other != stem or not pattern.endswith("+")) for other in wild):
            kept.append(pattern)
    return kept


def item_of(first: int, last: int, family: int) -> AddressItem:
    """Return the addresses from first to last as a network where one has exactly them."""
    return range_network(first, last, family) or AddressRange(family, first, last)


def networks_of(item: AddressItem) -> Iterator[Network]:
    """Yield the networks that together have exactly the item's addresses, ascending."""
    if isinstance(item, Network):
        yield item
        return
    first, width = item.first, WIDTH[item.family]
    while first <= item.last:
        bits = min((first & -first).bit_length() - 1 if first else width, (item.last - first + 1).bit_length() - 1)
        yield Network(item.family, first, ALL_ONES[item.family] ^ ((1 << bits) - 1))
        first += 1 << bits


def _without_covered(ranges: Sequence[Range]) -> Sequence[Range]:
    order = sorted(range(len(ranges)), key=lambda at: (ranges[at][0], -ranges[at][1], at))
    covered, reached = set(), -1
    for at in order:
        if ranges[at][1] <= reached:
            covered.add(at)
        else:
            reached = ranges[at][1]
    return [span for at, span in enumerate(ranges) if at not in covered] if covered else ranges


def _total(ranges: Sequence[Range]) -> int:
    return sum(last - first + 1 for first, last in ranges)
