"""Matches that count: limits, quotas, lists of addresses seen, chances, clocks. `May` becomes statements of nft with memory.

Used by `predicates`. What a memory is shared by in iptables shares it here: rules that name one `hashlimit` fill one set.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from policyc.net.addresses import WIDTH, format_address
from policyc.net.protocols import WITH_PORTS
from policyc.netfilter import fields
from policyc.netfilter.counters import (
    Clock,
    ConnectionBytes,
    ConnectionCount,
    Nth,
    Quota,
    RecentList,
    TokenBucket,
)  # fmt: skip
from policyc.netfilter.fields import Field
from policyc.netfilter.parts import Match
from policyc.netfilter.predicate import May
from policyc.netfilter.ruleset import Ruleset
from policyc.writers.nft.conditions import Either, Known, Neither, NoForm, Tests, Word
from policyc.writers.nft.declared import Declared, set_lines
from policyc.writers.nft.spelling import identifier

_MOST = 65535  # elements of a set that rules fill
_UNITS = (("second", 10**6), ("minute", 60 * 10**6), ("hour", 3600 * 10**6), ("day", 86400 * 10**6))
_NO_END = 2**64 - 1
_SCALE = 1 << 31  # of a probability
_DEFAULT_EXPIRE = {"sec": 1000, "min": 60_000, "hour": 3_600_000, "day": 86_400_000}
_LAST_SECOND = 86399
_DAYS_OF_WEEK = frozenset(range(1, 8))


@dataclass(slots=True)
class Shared:
    """What all rules of a family say about the memories that they share by name."""

    seconds: dict[str, set[int]] = field(default_factory=dict)
    buckets: dict[str, set[tuple[object, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, ruleset: Ruleset, family: int) -> Shared:
        """Return what the lists of `recent` and the tables of `hashlimit` are asked for in a family."""
        found = cls()
        for table, _, _, rule in ruleset.rules():
            if table.family != family:
                continue
            for match in rule.matches:
                if match.name == "recent" and "set" not in match.options and "remove" not in match.options:
                    name = str(match.options["name"])
                    found.seconds.setdefault(name, set()).add(int(match.options.get("seconds", 0)))
                elif match.name == "hashlimit":
                    part = match.meaning(rule.around(family))
                    if isinstance(part, May) and isinstance(part.counter, TokenBucket):
                        one = part.counter
                        key = (one.tokens, one.microseconds, one.burst, one.per, one.in_bytes)
                        found.buckets.setdefault(one.name or "", set()).add(key)
        return found


def counted(may: May, match: Match, known: Known, declared: Declared, shared: Shared) -> Tests:
    """Return the test of a nondeterministic match. Raises NoForm."""
    counter = may.counter
    match counter:
        case TokenBucket():
            return _bucket(counter, match, known, declared, shared)
        case ConnectionCount():
            return _connections(counter, declared)
        case RecentList():
            return _recent(counter, declared, shared)
        case Nth():
            return (Word(f"numgen inc mod {counter.every} {counter.packet}", counts=True),)
        case Quota():
            return (Word(f"quota {counter.size} bytes", counts=True),)
        case ConnectionBytes():
            return _carried(counter)
        case Clock():
            return _clock(counter)
    if match.name == "statistic":
        return (Word(f"numgen random mod {_SCALE} < {match.options['probability']}", counts=True),)
    raise NoForm(f"`-m {match.name}{' --hashlimit-rate-match' if match.name == 'hashlimit' else ''}`")


# ------------------------------------------------------------------ limits
def rate(bucket: TokenBucket) -> str:
    """Return `limit rate …` of a bucket."""
    if bucket.in_bytes:  # a bucket of nft holds one unit of the rate and the burst
        return f"rate {bucket.tokens} bytes/second burst {bucket.burst - bucket.tokens} bytes"
    return f"rate {_per_unit(bucket.microseconds)} burst {bucket.burst} packets"


def _per_unit(period: int) -> str:
    """Return the rate whose period comes nearest, in the smallest unit that does."""
    best = min(
        (abs(length / count - period), place, f"{count}/{unit}")
        for place, (unit, length) in enumerate(_UNITS)
        if (count := round(length / period))
    )
    return best[2]


def _bucket(bucket: TokenBucket, match: Match, known: Known, declared: Declared, shared: Shared) -> Tests:
    if bucket.name is None:
        return (Word(f"limit {rate(bucket)}", counts=True),)
    if len(shared.buckets[bucket.name]) > 1:
        raise NoForm(f"`--hashlimit-name {bucket.name}` with rates, bursts or modes that differ between rules")
    name = identifier("hashlimit", bucket.name)
    if not bucket.per:
        declared.objects.setdefault(f"limit {name}", [rate(bucket)])
        word = Word(f'limit name "{name}"', counts=True)
    else:
        keys, kinds = zip(*(_key(one, bits, known, declared) for one, bits in bucket.per), strict=True)
        settings = [f"size {_size(match)}", f"timeout {_expire(match)}"]
        made = declared.filled(name, set_lines(" . ".join(kinds), ("dynamic", "timeout"), settings))
        word = Word(f"update {made} {{ {' . '.join(keys)} limit {rate(bucket)} }}", counts=True)
    return (Neither(((word,),)),) if bucket.above else (word,)


def _size(match: Match) -> int:
    return int(match.options.get("hashlimit-htable-max", 0)) or _MOST


def _expire(match: Match) -> str:
    speed = match.options.get("hashlimit-upto") or match.options.get("hashlimit-above")
    own = match.options.get("hashlimit-htable-expire")
    if own is None:
        burst = "hashlimit-burst" in match.options
        own = (60_000 if burst else 10_000) if speed.cost else _DEFAULT_EXPIRE[speed.unit]
    return f"{own // 1000}s" if own % 1000 == 0 else f"{own}ms"


def _key(of: Field, bits: int, known: Known, declared: Declared) -> tuple[str, str]:
    if of in {fields.SRC, fields.DST}:
        left = f"{declared.ip} {of.name[0]}addr"
        width = WIDTH[declared.family]
        mask = ((1 << bits) - 1) << (width - bits)
        shown = left if bits == width else f"{left} & {format_address(mask, declared.family)}"
        return shown, declared.address
    if not known.has(WITH_PORTS):
        raise NoForm("`--hashlimit-mode` with a port, where the rule does not ask for one protocol with ports")
    return f"th {of.name}", "inet_service"


def _connections(counter: ConnectionCount, declared: Declared) -> Tests:
    test = f"ct count {'over ' if counter.above else ''}{counter.most}"
    if not counter.mask:
        return (Word(test, counts=True),)
    number = 1 + sum(1 for name in declared.sets if name.startswith("connlimit/"))
    key, kind = _key(counter.side, counter.mask, Known(declared.family), declared)
    made = declared.filled(f"connlimit/{number}", set_lines(kind, ("dynamic",), [f"size {_MOST}"]))
    return (Word(f"add {made} {{ {key} {test} }}", counts=True),)


# ------------------------------------------------------------------ addresses seen
def _list(counter: RecentList, declared: Declared, shared: Shared) -> tuple[str, str, str]:
    """Return the name of a list's set, the address that is its key, and what an update writes. Raises NoForm."""
    asked = shared.seconds.get(counter.name, set())
    if len(asked) > 1:
        raise NoForm(f"the list `{counter.name}` of `-m recent`, which rules ask for different `--seconds`")
    if counter.hits > 1:
        raise NoForm("`-m recent --hitcount`; a set of nft knows when an address was seen, not how often")
    if counter.same_ttl:
        raise NoForm("`-m recent --rttl`")
    seconds = next(iter(asked), 0)
    width = WIDTH[declared.family]
    length = counter.mask.bit_count()
    if counter.mask != ((1 << length) - 1) << (width - length):
        raise NoForm("`-m recent` under a mask with holes")
    key, kind = _key(counter.side, length, Known(declared.family), declared)
    settings = [f"size {_MOST}", *([f"timeout {seconds}s"] if seconds else [])]
    flags = ("dynamic", "timeout") if seconds else ("dynamic",)
    made = declared.filled(identifier("recent", counter.name), set_lines(kind, flags, settings))
    return made, key, f"update {made} {{ {key} }}"


def _recent(counter: RecentList, declared: Declared, shared: Shared) -> Tests:
    made, key, update = _list(counter, declared, shared)
    there = Word(f"{key} {made}", counts=True)
    if counter.action == "rcheck":
        return (there,)
    change = update if counter.action == "update" else f"delete {made} {{ {key} }}"
    return there, Word(change, counts=True)


def recorded(counter: RecentList, declared: Declared, shared: Shared) -> Word:
    """Return the statement that writes an address into a list."""
    return Word(_list(counter, declared, shared)[2], counts=True)


# ------------------------------------------------------------------ connections and clocks
def _carried(counter: ConnectionBytes) -> Tests:
    way = "" if counter.direction == "both" else f"{counter.direction} "
    span = f">= {counter.low}" if counter.high == _NO_END else f"{counter.low}-{counter.high}"
    return (Word(f"ct {way}{counter.unit} {span}", counts=True),)


def _clock(clock: Clock) -> Tests:
    if clock.local:
        raise NoForm("`-m time --kerneltz`; nft reads the clock in UTC")
    if len(clock.month_days) < 31:
        raise NoForm("`-m time --monthdays`")
    tests = [Word(f"meta time >= {clock.date_start}")] if clock.date_start else []
    tests.append(Word(f"meta time < {clock.date_stop + 1}"))  # iptables looks at whole seconds
    start, stop = clock.day_start, clock.day_stop
    days = _days(clock.week_days)
    if start < stop:
        hours = [] if (start, stop) == (0, _LAST_SECOND) else [Word(f"meta hour {start}-{stop}")]
        return (*tests, *hours, *days)
    if start == stop:
        return (*tests, *days)
    evening, morning = Word(f"meta hour >= {start}"), Word(f"meta hour <= {stop}")
    if not clock.contiguous or not days:
        return (*tests, Either(((evening,), (morning,))), *days)
    # Before its last second the morning belongs to the day before (net/netfilter/xt_time.c, time_mt).
    after = _days(frozenset(day % 7 + 1 for day in clock.week_days))
    before_stop, last = Word(f"meta hour < {stop}"), Word(f"meta hour {stop}")
    return (*tests, Either(((evening, *days), (before_stop, *after), (last, *days))))


def _days(days: frozenset[int]) -> tuple[Word, ...]:
    """Return the test of the days of the week, Sunday 0 in nft."""
    if days == _DAYS_OF_WEEK:
        return ()
    numbers = sorted(day % 7 for day in days)
    return (Word(f"meta day {numbers[0]}" if len(numbers) == 1 else f"meta day {{ {', '.join(map(str, numbers))} }}"),)
