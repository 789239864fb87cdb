"""Whether a packet is in an ipset, as `-m set` asks it. Part of `policyc.host`.

Sources: net/netfilter/ipset/ip_set_core.c (ip_set_test), ip_set_hash_gen.h (mtype_test), ip_set_getport.c and one file for
each kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from policyc.host.probe import Probe
from policyc.host.set_kinds import Part
from policyc.host.set_values import Entry, Key, MemberSet, prefix_mask
from policyc.net.protocols import ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE

_WITH_PORTS = frozenset((TCP, UDP, UDPLITE, SCTP))
_WITH_TYPES = frozenset((ICMP, ICMPV6))


def is_member(
    sets: Mapping[str, MemberSet],
    name: str,
    directions: Sequence[str],
    probe: Probe,
    *,
    return_nomatch: bool = False,
    now: int = 0,
) -> bool:
    """Whether `-m set --match-set NAME DIRECTIONS` matches; `directions` are `src` and `dst`, `now` seconds after reading.

    False where the rule names fewer directions than the set has parts, the family differs, or the packet lacks a part.
    Raises KeyError for a set that does not exist.
    """
    one = sets[name]
    kind = one.shape
    if len(directions) < kind.dimension or one.family not in {0, probe.family}:
        return False
    if kind.parts == (Part.SET,):
        members = (str(key[0]) for key, entry in one.entries.items() if not entry.is_over(now))
        return any(
            is_member(sets, member, directions, probe, return_nomatch=return_nomatch, now=now)
            for member in members
            if member in sets
        )
    entry = find(one, directions, probe, now)
    if entry is None:
        return False
    return entry.nomatch is (return_nomatch and kind.has_exceptions)


def find(one: MemberSet, directions: Sequence[str], probe: Probe, now: int = 0) -> Entry | None:
    """Return the entry that decides about a packet: of networks the most specific one, exceptions included."""
    if Part.IFACE in one.shape.parts:
        return _by_interface(one, directions, probe, now)
    for key in keys(one, directions, probe):
        entry = one.entries.get(key)
        if entry is not None and not entry.is_over(now):
            return entry if _has_mac(entry, one, directions, probe) else None
    return None


def keys(one: MemberSet, directions: Sequence[str], probe: Probe) -> Iterator[Key]:
    """Yield the keys under which the packet may be found, the most specific first; none where it lacks a part."""
    choices: list[tuple[object, ...]] = []
    lengths = iter(one.prefixes)
    for part, direction in zip(one.shape.parts, directions, strict=False):
        if part is Part.NET:
            address = one.masked(address_of(probe, direction))
            choices.append(tuple((address & prefix_mask(one.family, n), n) for n in next(lengths)))
        elif one.kind == "bitmap:ip,mac" and part is Part.MAC:
            continue
        else:
            value = value_of(one, part, direction, probe)
            if value is None:
                return
            choices.append((value,))
    yield from product(*choices)


def address_of(probe: Probe, direction: str) -> int:
    """Return the address of that direction."""
    return probe.source if direction == "src" else probe.destination


def value_of(one: MemberSet, part: Part, direction: str, probe: Probe) -> object | None:
    """Return the packet's value for a part that is no network, None where it has none or the set cannot hold it."""
    is_source = direction == "src"
    if part is Part.IP:
        address = one.masked(address_of(probe, direction))
        if one.kind.startswith("bitmap:"):
            return address if one.low <= address <= one.high else None
        # The kernel takes the unset address for a missing one in these two kinds.
        return None if address == 0 and one.kind in {"hash:ip", "hash:ip,mac"} else address
    if part is Part.PORT:
        return port_of(probe, is_source=is_source)
    if part is Part.PORT_ALONE:
        found = port_of(probe, is_source=is_source)
        return found[1] if found is not None and found[0] in {TCP, UDP} and one.low <= found[1] <= one.high else None
    if part is Part.MAC:
        return (probe.source_mac if is_source else probe.destination_mac) or None
    if part is Part.MARK:
        return probe.mark & one.markmask
    return (probe.iif if is_source else probe.oif) or None


def port_of(probe: Probe, *, is_source: bool) -> tuple[int, int] | None:
    """Return (protocol, port), with type and code for ICMP and 0 for protocols without ports (ip_set_get_ip4_port)."""
    protocol = probe.protocol
    has_port = protocol in _WITH_PORTS
    if has_port or protocol in _WITH_TYPES:
        number = probe.icmp if not has_port else probe.sport if is_source else probe.dport
        return None if probe.is_later_fragment or number is None else (protocol, number)
    return (protocol, 0) if protocol else None


def _by_interface(one: MemberSet, directions: Sequence[str], probe: Probe, now: int) -> Entry | None:
    name = probe.iif if directions[1] == "src" else probe.oif
    if not name:
        return None
    address = address_of(probe, directions[0])
    for length in one.prefixes[0]:
        network = (address & prefix_mask(one.family, length), length)
        patterns = one.interfaces.get(network)
        if patterns is None:
            continue
        for pattern in patterns:
            entry = one.entries[network, pattern]
            fits = name.startswith(pattern) if entry.wildcard else name == pattern
            if fits and not entry.is_over(now):
                return entry
        return None  # the most specific network decides, even where it stands with other interfaces only
    return None


def _has_mac(entry: Entry, one: MemberSet, directions: Sequence[str], probe: Probe) -> bool:
    if one.kind != "bitmap:ip,mac":
        return True
    found = value_of(one, Part.MAC, directions[1], probe)
    return found is not None and entry.mac in {None, found}
