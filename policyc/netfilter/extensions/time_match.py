"""-m time: a window of the clock (net/netfilter/xt_time.c). Times are UTC unless `--kerneltz` is given.

iptables 1.8.9 gives every rule without `--datestop` the last second of 31 bits, January 2038, and prints it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from policyc.frozen import frozen
from policyc.netfilter.arguments import Argument
from policyc.netfilter.counters import Clock
from policyc.netfilter.extension import Given, MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import May, Predicate

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WHOLE_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ALL_WEEK, ALL_MONTH = frozenset(range(1, 8)), frozenset(range(1, 32))
LAST_SECOND_OF_DAY = 86399
DEFAULT_STOP = 2**31 - 1
_TIME = re.compile(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?", re.ASCII)
_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:T(\d{1,2})(?::(\d{1,2})(?::(\d{1,2}))?)?)?)?)?", re.ASCII
)  # fmt: skip


@frozen
class TimeOfDay(Argument):
    """`HH:MM[:SS]` as seconds since midnight."""

    def parse(self, word: str, family: int) -> int:  # noqa: ARG002
        """Return the seconds; raise ValueError."""
        found = _TIME.fullmatch(word)
        hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (24, 0, 0)
        if hours > 23 or minutes > 59 or seconds > 59:
            raise ValueError(f"`{word}` is not a time of day, written HH:MM or HH:MM:SS, from 00:00 to 23:59:59")
        return hours * 3600 + minutes * 60 + seconds

    def write(self, value: int, family: int) -> str:  # noqa: ARG002
        """Return `HH:MM:SS`."""
        return f"{value // 3600:02}:{value // 60 % 60:02}:{value % 60:02}"


@frozen
class Date(Argument):
    """`YYYY[-MM[-DD[Thh[:mm[:ss]]]]]` as seconds since 1970."""

    def parse(self, word: str, family: int) -> int:  # noqa: ARG002
        """Return the seconds; raise ValueError for a date that does not exist or is not of 1970 to 2038."""
        found = _DATE.fullmatch(word)
        try:
            if not found:
                raise ValueError
            year, month, day, hour, minute, second = (int(number or 0) for number in found.groups())
            moment = datetime(
                year, 1 if found[2] is None else month, 1 if found[3] is None else day, hour, minute, second, tzinfo=UTC
            )
        except ValueError:
            raise ValueError(f"`{word}` is not a date, written YYYY[-MM[-DD[Thh[:mm[:ss]]]]]") from None
        if not 1970 <= moment.year <= 2038:
            raise ValueError(f"`{word}` is not a date of the years 1970 to 2038, which iptables can keep")
        return int(moment.timestamp())

    def write(self, value: int, family: int) -> str:  # noqa: ARG002
        """Return `YYYY-MM-DDThh:mm:ss`."""
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@frozen
class WeekDays(Argument):
    """`Mon,Tue` or `1,2` as numbers, Monday 1."""

    def parse(self, word: str, family: int) -> frozenset[int]:  # noqa: ARG002
        """Return the numbers; raise ValueError."""
        return frozenset(_week_day(part) for part in word.split(","))

    def write(self, value: frozenset[int], family: int) -> str:  # noqa: ARG002
        """Return the names from Monday on."""
        return ",".join(DAYS[day - 1] for day in sorted(value))


def _week_day(word: str) -> int:
    for number, name in enumerate(_WHOLE_DAYS, 1):
        if word == str(number) or (len(word) >= 2 and name.startswith(word)):
            return number
    raise ValueError(f"`{word}` is none of {', '.join(DAYS)} and no number from 1, Monday, to 7")


@frozen
class MonthDays(Argument):
    """`1,2,31` as numbers."""

    def parse(self, word: str, family: int) -> frozenset[int]:  # noqa: ARG002
        """Return the numbers; raise ValueError."""
        parts = word.split(",")
        for part in parts:
            if not (part.isascii() and part.isdecimal() and 1 <= int(part) <= 31):
                raise ValueError(f"`{part}` is not a day of the month from 1 to 31")
        return frozenset(int(part) for part in parts)

    def write(self, value: frozenset[int], family: int) -> str:  # noqa: ARG002
        """Return the numbers in ascending order."""
        return ",".join(str(day) for day in sorted(value))


_WHOLE = {"weekdays": ALL_WEEK, "monthdays": ALL_MONTH}


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    if "contiguous" in options and _day(options)[0] <= _day(options)[1]:
        yield "`--contiguous` needs a `--timestop` that is earlier in the day than `--timestart`"
    for name, whole in _WHOLE.items():
        if options.negated(name) and options[name] == whole:
            yield f"`! --{name}` leaves no day"


def _day(options: Options) -> tuple[int, int]:
    return options.get("timestart", 0), options.get("timestop", LAST_SECOND_OF_DAY)


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    """Write negated days as the others, leave out what holds always, and put in the ends that iptables-save prints."""
    start, stop = _day(options)
    given = [] if (start, stop) == (0, LAST_SECOND_OF_DAY) else [Given("timestart", start), Given("timestop", stop)]
    for item in options.given:
        if item.name in _WHOLE:
            days = _WHOLE[item.name] - item.value if item.negated else item.value
            if days != _WHOLE[item.name]:
                given.append(Given(item.name, days))
        elif item.name in {"contiguous", "kerneltz"} or (item.name == "datestart" and item.value):
            given.append(item)
    given.append(Given("datestop", options.get("datestop", DEFAULT_STOP)))
    return Options(tuple(given))


def _meaning(options: Options, around: Surroundings) -> Predicate:
    start, stop = _day(options)
    clock = Clock(
        month_days=options.get("monthdays", ALL_MONTH),
        week_days=options.get("weekdays", ALL_WEEK),
        day_start=start,
        day_stop=stop,
        date_start=options.get("datestart", 0),
        date_stop=options["datestop"],
        contiguous="contiguous" in options,
        local="kerneltz" in options,
    )
    return May(MATCH.spelled(options, around.family), clock)


MATCH = MatchExtension(
    name="time",
    options=(
        Option("timestart", TimeOfDay()),
        Option("timestop", TimeOfDay()),
        Option("monthdays", MonthDays(), negatable=True),
        Option("weekdays", WeekDays(), negatable=True),
        Option("datestart", Date()),
        Option("datestop", Date()),
        Option("kerneltz", aliases=("localtz",), excludes=("utc",)),
        Option("utc", excludes=("kerneltz",)),
        Option("contiguous"),
    ),
    check=_check,
    normalise=_normalise,
    meaning=_meaning,
)
