"""Limits, log rates, shares and schedules as kernel tests: what depends on how much, how often or when.

A limit is one counter in each family, however many lines name it: `accept ssh limit L` and `drop ssh over L` share it, so
that no packet is neither under nor over. Connections are the exception, the kernel counts them for each rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.lowering.pieces import Parts, Pieces
from policyc.net.addresses import WIDTH
from policyc.netfilter.chain_names import letters
from policyc.policy.defined import Limit, Schedule

UNITS = {"second": ("sec", 1), "minute": ("min", 60), "hour": ("hour", 3600), "day": ("day", 86400)}
"""A unit of time as iptables prints it, and its seconds."""
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def rate_test(pieces: Pieces, rate: tuple[int, str], burst: int) -> Parts:
    """Return the test that holds while packets come no faster than a rate."""
    return pieces.read(f"-m limit --limit {_rate(rate)} --limit-burst {burst}")


def limit_test(pieces: Pieces, limit: Limit, policy: str, *, over: bool, alone: bool) -> Parts:
    """Return the test that holds under a limit of a policy, or above it where `over`; `alone`: nothing else asks it.

    The kernel finds the counters of a hashlimit by name, and a name that is there already keeps its old rate. So the name
    changes with the policy and the rate.
    """
    if limit.connections is not None:
        return pieces.read(_connections(limit, pieces.family, over=over))
    assert limit.rate is not None, "a limit has a rate or connections"
    if alone and not limit.per and not over:
        return rate_test(pieces, limit.rate, limit.burst)
    name = f"{limit.name}.{letters(f'{policy} {limit.rate} {limit.burst} {limit.per} {limit.prefix}', 6)}"
    text = f"-m hashlimit --hashlimit-{'above' if over else 'upto'} {_rate(limit.rate)} --hashlimit-burst {limit.burst}"
    if limit.per:
        text += f" --hashlimit-mode {'srcip' if limit.per == 'source' else 'dstip'}"
    text += f" --hashlimit-name {name}"
    count, unit = limit.rate
    seconds = UNITS[unit][1]
    if limit.burst * seconds > count * seconds:
        # The kernel forgets an address after one unit, and then its bucket is full again; it must fill up at its rate.
        text += f" --hashlimit-htable-expire {-(-limit.burst * seconds * 1000 // count)}"
    if limit.per and limit.prefix not in {None, WIDTH[pieces.family]}:
        text += f" --hashlimit-{'src' if limit.per == 'source' else 'dst'}mask {limit.prefix}"
    return pieces.read(text)


def _rate(rate: tuple[int, str]) -> str:
    return f"{rate[0]}/{UNITS[rate[1]][0]}"


def _connections(limit: Limit, family: int, *, over: bool) -> str:
    mask = (WIDTH[family] if limit.prefix is None else limit.prefix) if limit.per else 0
    side = "daddr" if limit.per == "destination" else "saddr"
    word = "above" if over else "upto"
    return f"-m connlimit --connlimit-{word} {limit.connections} --connlimit-mask {mask} --connlimit-{side}"


def share_tests(pieces: Pieces, balance: str, count: int) -> Iterator[Parts]:
    """Yield the test of each of several endpoints in turn: 1/n, 1/(n-1), … and all that is left for the last."""
    for left in range(count, 1, -1):
        if balance == "nth":
            yield pieces.read(f"-m statistic --mode nth --every {left} --packet 0")
        else:
            yield pieces.read(f"-m statistic --mode random --probability {round(2**31 / left) / 2**31:.11f}")
    yield ()


def schedule_tests(pieces: Pieces, schedule: Schedule) -> list[Parts]:
    """Return the alternatives of a schedule, one for each time of day; the end of a time is no longer inside."""
    days = ",".join(DAYS[day - 1] for day in schedule.days)
    weekdays = f" --weekdays {days}" if days else ""
    return [pieces.read(f"-m time{hours}{weekdays}{across}") for hours, across in _times(schedule)]


def _times(schedule: Schedule) -> Iterator[tuple[str, str]]:
    for start, end in schedule.hours:
        # `--contiguous`: after midnight the time still belongs to the day on which it began. An end at 00:00 is no time
        # after midnight.
        yield (
            f" --timestart {_clock(start * 60)} --timestop {_clock(end * 60 - 1)}",
            " --contiguous" * (0 < end < start),
        )
    if not schedule.hours:
        yield "", ""


def _clock(second: int) -> str:
    second %= 86400
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
