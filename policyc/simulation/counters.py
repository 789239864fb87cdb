"""What decides `limit`, `recent`, `statistic` and the like along a replay that starts as a freshly loaded ruleset does.

Buckets are full, lists empty, counters at zero. Each function is one rule's own counter; None is returned once it cannot be
known any more. Part of `policyc.simulation`. Sources: net/netfilter/xt_limit.c, xt_hashlimit.c, xt_statistic.c, xt_quota.c,
xt_connlimit.c with nf_conncount.c, xt_connbytes.c, xt_time.c.
"""

from __future__ import annotations

from collections import defaultdict

from policyc.net.addresses import WIDTH
from policyc.netfilter import fields
from policyc.netfilter.counters import (
    Clock,
    ConnectionBytes,
    ConnectionCount,
    Counter,
    Nth,
    Quota,
    RecentList,
    TokenBucket,
)
from policyc.netfilter.fields import Field
from policyc.simulation.connection import Connection
from policyc.simulation.evaluate import Test
from policyc.simulation.packet import Packet
from policyc.simulation.state import State

_DAY = 86_400
_READ = {fields.SRC: "src", fields.DST: "dst", fields.SPORT: "sport", fields.DPORT: "dport"}


class Counters:
    """Makes the counters of one ruleset; `hashlimit` tables of one name are one counter."""

    __slots__ = ("_named", "_state")

    def __init__(self, state: State) -> None:
        self._state = state
        self._named: dict[str, dict[tuple[int, ...], int]] = {}

    def test(self, counter: Counter) -> Test:
        """Return the function of a new counter."""
        if isinstance(counter, RecentList):
            return lambda packet: self._state.recent.matches(counter, packet, self._state.now or 0)
        if isinstance(counter, ConnectionBytes):
            return _connection_bytes(counter)
        if isinstance(counter, Clock):
            return _clock(counter, self._state)
        counted = self._counted(counter)
        return lambda packet: None if self._state.miscounted else counted(packet)

    def _counted(self, counter: TokenBucket | Nth | Quota | ConnectionCount) -> Test:
        if isinstance(counter, TokenBucket):
            spent = {} if counter.name is None else self._named.setdefault(counter.name, {})
            return _bucket(counter, spent)
        if isinstance(counter, Nth):
            return _nth(counter)
        return _quota(counter) if isinstance(counter, Quota) else _connection_count(counter)


def _key(per: tuple[tuple[Field, int], ...], packet: Packet) -> tuple[int, ...]:
    """Return the packet's values of a bucket's fields, addresses under their masks."""
    key = []
    for field, bits in per:
        value = getattr(packet, _READ[field]) or 0
        width = WIDTH[packet.family] if field in {fields.SRC, fields.DST} else field.bits
        key.append(value >> max(width - bits, 0))
    return tuple(key)


def _bucket(bucket: TokenBucket, spent: dict[tuple[int, ...], int]) -> Test:
    if not bucket.in_bytes and bucket.microseconds * bucket.burst > _DAY * 1_000_000:
        return lambda packet: None  # noqa: ARG005 - the kernel's credits hold a day for sure, then they begin anew at 0

    def test(packet: Packet) -> bool | None:
        key = _key(bucket.per, packet)
        taken = spent.get(key, 0) + (packet.length if bucket.in_bytes else 1)
        spent[key] = taken
        return not bucket.above if taken <= bucket.burst else None

    return test


def _nth(nth: Nth) -> Test:
    seen = -1

    def test(packet: Packet) -> bool:  # noqa: ARG001
        nonlocal seen
        seen += 1
        return seen % nth.every == nth.packet

    return test


def _quota(quota: Quota) -> Test:
    left = quota.size

    def test(packet: Packet) -> bool:
        nonlocal left
        holds = left >= packet.length
        left = left - packet.length if holds else 0
        return holds

    return test


def _connection_count(counter: ConnectionCount) -> Test:
    known: dict[int, list[Connection]] = defaultdict(list)
    over = {"TIME_WAIT", "CLOSE"}

    def test(packet: Packet) -> bool | None:
        one = packet.ct
        if one is None:
            return None  # the kernel counts such packets by their tuple until its table is cleaned
        origin = one.original
        address = origin.src if counter.side is fields.SRC else origin.dst
        near = known[address >> (WIDTH[packet.family] - counter.mask)]
        near[:] = [each for each in near if each.alive and each.tcp.state not in over and each is not one]
        near.append(one)
        return (len(near) > counter.most) is counter.above

    return test


def _connection_bytes(counter: ConnectionBytes) -> Test:
    sides = {"original": (0,), "reply": (1,), "both": (0, 1)}[counter.direction]

    def test(packet: Packet) -> bool:
        one = packet.ct
        if one is None:
            return False
        packets, carried = sum(one.packets[side] for side in sides), sum(one.bytes[side] for side in sides)
        average = carried // packets if packets else 0
        amount = {"packets": packets, "bytes": carried, "avgpkt": average}[counter.unit]
        if counter.high >= counter.low:
            return counter.low <= amount <= counter.high
        return amount < counter.high or amount > counter.low

    return test


def _clock(clock: Clock, state: State) -> Test:
    def test(packet: Packet) -> bool | None:  # noqa: ARG001
        now = state.now
        if now is None or clock.local:
            return None
        if not clock.date_start <= now <= clock.date_stop:
            return False
        second, day = now % _DAY, now // _DAY
        if clock.day_start < clock.day_stop:
            if not clock.day_start <= second <= clock.day_stop:
                return False
        elif clock.day_stop < second < clock.day_start:
            return False
        elif clock.contiguous and second <= clock.day_stop:
            day -= 1
        return (day + 3) % 7 + 1 in clock.week_days and _day_of_month(day) in clock.month_days

    return test


def _day_of_month(days: int) -> int:
    """Return the day of the month of a day counted from 1970-01-01."""
    from datetime import date

    return date.fromordinal(date(1970, 1, 1).toordinal() + days).day
