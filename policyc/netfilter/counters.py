"""Counters behind `May`: what decides a nondeterministic match once somebody counts along from a known start.

The simulator starts them as the kernel does after loading: buckets full, lists empty, counters at zero.
"""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.netfilter.fields import Field


@frozen
class TokenBucket:
    """`limit` and `hashlimit`: matches while tokens last. `tokens` grow back in `microseconds`, `burst` fit into the bucket.

    `per` are the fields (with the length of their masks in bits) of which each combination has a bucket; `name` shares
    buckets between rules (hashlimit), None means the rule's own. `above` inverts: matches when no token is left.
    `in_bytes`: a packet takes as many tokens as it has bytes, else one.
    """

    tokens: int
    microseconds: int
    burst: int
    per: tuple[tuple[Field, int], ...] = ()
    name: str | None = None
    above: bool = False
    in_bytes: bool = False


@frozen
class RecentList:
    """`recent`: a list of addresses seen. `action` is set, rcheck, update or remove; `seconds`, `hits` 0 when not asked.

    `mask` is the bits of the address that are kept. `reap`: entries older than `seconds` are purged.
    """

    name: str
    action: str
    side: Field
    mask: int
    seconds: int = 0
    hits: int = 0
    same_ttl: bool = False
    reap: bool = False


@frozen
class Nth:
    """`statistic --mode nth`: every `every`-th packet, the first one counted from `packet`."""

    every: int
    packet: int


@frozen
class Quota:
    """`quota`: holds until `size` bytes have passed."""

    size: int


@frozen
class ConnectionCount:
    """`connlimit`: connections of one network (`mask` bits of `side`); holds while at most `most`, or above it."""

    most: int
    above: bool
    side: Field
    mask: int


@frozen
class ConnectionBytes:
    """`connbytes`: what a connection has carried: `unit` packets, bytes or avgpkt, `direction` original, reply or both."""

    low: int
    high: int
    unit: str
    direction: str


@frozen
class Clock:
    """`time`: a window. Days of the month and week as numbers (Monday 1), seconds of the day, unix times; UTC unless `local`."""

    month_days: frozenset[int]
    week_days: frozenset[int]
    day_start: int
    day_stop: int
    date_start: int
    date_stop: int
    contiguous: bool
    local: bool


Counter = TokenBucket | RecentList | Nth | Quota | ConnectionCount | ConnectionBytes | Clock
