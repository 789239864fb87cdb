"""What `-j SET` makes of a host's ipsets: sets are values, so a change gives new ones. Part of `policyc.host`.

Sources: net/netfilter/xt_set.c (set_target_v3), net/netfilter/ipset/ip_set_hash_gen.h (mtype_add, mtype_del), ip_set_list_set.c.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from policyc.host.membership import address_of, value_of
from policyc.host.probe import Probe
from policyc.host.set_kinds import Part
from policyc.host.set_values import Entry, Key, MemberSet, prefix_mask, whole

Sets = Mapping[str, MemberSet]


def with_packet(
    sets: Sets,
    name: str,
    directions: Sequence[str],
    probe: Probe,
    *,
    timeout: int | None = None,
    exist: bool = False,
    now: int = 0,
) -> Sets:
    """Return the sets after `--add-set NAME DIRECTIONS`, the same object where nothing is added.

    `timeout` in seconds overrides the set's own, 0 is for ever; `exist` starts the timeout of a member anew. To a list the
    packet is added in the first set that takes it.
    """
    one = sets[name]
    if not _fits(one, directions, probe):
        return sets
    if one.shape.parts == (Part.SET,):
        for member in _members(one, sets, now):
            changed = with_packet(sets, member, directions, probe, timeout=timeout, exist=exist, now=now)
            if changed is not sets:
                return changed
        return sets
    key = _new_key(one, directions, probe)
    if key is None:
        return sets
    old = one.entries.get(key)
    known = old is not None and not old.is_over(now)
    if known and not exist:
        return sets
    kept = {other: entry for other, entry in one.entries.items() if not entry.is_over(now)}
    if not known and len(kept) >= one.size:
        return sets
    seconds = one.timeout if timeout is None or one.timeout is None else timeout
    mac = value_of(one, Part.MAC, directions[1], probe) if one.kind == "bitmap:ip,mac" else None
    kept[key] = Entry(timeout=now + seconds if seconds else None, mac=mac if isinstance(mac, int) else None)
    return {**sets, name: replace(one, entries=kept)}


def without_packet(sets: Sets, name: str, directions: Sequence[str], probe: Probe, *, now: int = 0) -> Sets:
    """Return the sets after `--del-set NAME DIRECTIONS`, the same object where there was nothing to delete."""
    one = sets[name]
    if not _fits(one, directions, probe):
        return sets
    if one.shape.parts == (Part.SET,):
        for member in _members(one, sets, now):
            changed = without_packet(sets, member, directions, probe, now=now)
            if changed is not sets:
                return changed
        return sets
    key = _new_key(one, directions, probe)
    if key is None or key not in one.entries:
        return sets
    return {**sets, name: replace(one, entries={other: entry for other, entry in one.entries.items() if other != key})}


def _fits(one: MemberSet, directions: Sequence[str], probe: Probe) -> bool:
    return len(directions) >= one.shape.dimension and one.family in {0, probe.family}


def _members(one: MemberSet, sets: Sets, now: int) -> list[str]:
    names = (str(key[0]) for key, entry in one.entries.items() if not entry.is_over(now))
    return [name for name in names if name in sets]


def _new_key(one: MemberSet, directions: Sequence[str], probe: Probe) -> Key | None:
    """Return the key that the packet is added under: a network gets the set's longest prefix, a whole address in a new set."""
    parts: list[object] = []
    lengths = iter(one.prefixes)
    for part, direction in zip(one.shape.parts, directions, strict=False):
        if part is Part.NET:
            length = next(iter(next(lengths)), whole(one.family))
            parts.append((one.masked(address_of(probe, direction)) & prefix_mask(one.family, length), length))
            continue
        value = value_of(one, part, direction, probe)
        if value is None:
            return None
        if not (one.kind == "bitmap:ip,mac" and part is Part.MAC):
            parts.append(value)
    return tuple(parts)
