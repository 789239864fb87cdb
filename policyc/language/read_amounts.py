"""Texts to numbers, marks, rates and times: the roles NUMBER, MARK, MASK, RATE, DURATION, PERIOD, LIMIT_KEY, ACCOUNT.

Every function takes the text, the offset where it begins and where to report; it returns None when it has reported.
"""

from __future__ import annotations

import re

from policyc.language.definitions import LimitKey
from policyc.language.literals import (
    Days,
    Duration,
    Hours,
    MarkValue,
    Mask,
    Name,
    Number,
    NumberRange,
    Rate,
)
from policyc.language.problems import Problems, one_of, suggestion
from policyc.language.read_names import decimal, foreign, name
from policyc.language.vocabulary import RATE_UNITS, WEEKDAYS
from policyc.source import Span

_BITS = 0xFFFFFFFF
_MARK = re.compile(r"(0x[0-9a-fA-F]+|[0-9]+)(?:/(0x[0-9a-fA-F]+|[0-9]+))?")
_DURATION = re.compile(r"(?:[0-9]+[wdhms])+|[0-9]+")
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_HOURS = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_KEY = re.compile(r"(source|destination)(?:/([0-9]{1,3}))?")
_LONGEST = 2147483
"""Seconds: the longest timeout that ipset(8) takes."""


def _span(text: str, start: int, problems: Problems) -> Span:
    return Span(problems.source, start, start + len(text))


def number(text: str, start: int, problems: Problems, low: int = 0, high: int = _BITS) -> Number | None:
    """Read a decimal number from low to high."""
    if low <= (value := decimal(text)) <= high:
        return Number(value, _span(text, start, problems))
    problems.report("bad-literal", f"`{text}` is not a number from {low} to {high}", start, start + len(text))
    return None


def mark(text: str, start: int, problems: Problems) -> Name | MarkValue | None:
    """Read the name of a mark or its value; numbers may be decimal or `0x…`."""
    if not text[0].isdecimal():
        return name(text, start, problems, "a mark")
    match = _MARK.fullmatch(text)
    end = start + len(text)
    if not match:
        problems.report("bad-literal", f"`{text}` is not a mark", start, end, "write `0x200` or `0x200/0xff00`")
        return None
    value, mask = _integer(match[1]), _integer(match[2]) if match[2] else None
    if value > _BITS or (mask or 0) > _BITS:
        problems.report("bad-literal", f"`{text}` is more than the 32 bits of a mark", start, end)
        return None
    if mask is not None and value & ~mask:
        message = f"the value {value:#x} has bits outside its mask {mask:#x}"
        problems.report("bad-literal", message, start, end)
        return None
    return MarkValue(value, mask, _span(text, start, problems))


def _integer(text: str) -> int:
    """Return the value of a number in `0x…` or decimal form; what is far too long is over every limit."""
    if text.startswith("0x"):
        return int(text, 16)
    return decimal(text) if len(text) <= 10 else _BITS + 1


def mask(text: str, start: int, problems: Problems) -> Mask | None:
    """Read the mask after `save-mark` and `restore-mark`."""
    if _integer(text) <= _BITS:
        return Mask(_integer(text), _span(text, start, problems))
    problems.report("bad-literal", f"`{text}` is more than the 32 bits of a mark", start, start + len(text))
    return None


def rate(text: str, start: int, problems: Problems) -> Rate | None:
    """Read `6/minute`."""
    count, _, unit = text.partition("/")
    end = start + len(text)
    if not 0 < decimal(count) <= _BITS:
        problems.report("bad-literal", f"`{text}` is not a rate", start, end, "write `6/minute`")
    elif unit not in RATE_UNITS:
        near = [word for word in RATE_UNITS if unit and word.startswith(unit)] or RATE_UNITS
        hint = f"write `{count}/{near[0]}`" if len(near) == 1 else f"the unit is {one_of(RATE_UNITS)}"
        problems.report("bad-literal", f"`{text}` has no known unit of time", start, end, hint)
    else:
        return Rate(decimal(count), unit, _span(text, start, problems))
    return None


def duration(text: str, start: int, problems: Problems) -> Duration | None:
    """Read `1h`, `1h30m` or seconds, from one second to what ipset takes."""
    end = start + len(text)
    if not _DURATION.fullmatch(text):
        message = f"`{text}` is not a duration"
        problems.report("bad-literal", message, start, end, "write `90s`, `10m`, `1h` or `2d`")
        return None
    parts = re.findall(r"([0-9]+)([wdhms])", text) or [(text, "s")]
    seconds = sum(_integer(amount) * _SECONDS[unit] for amount, unit in parts)
    if 0 < seconds <= _LONGEST:
        return Duration(seconds, _span(text, start, problems))
    message = f"`{text}` is not between 1 and {_LONGEST} seconds, which is what an ipset takes"
    problems.report("bad-literal", message, start, end)
    return None


def period(text: str, start: int, problems: Problems) -> Days | Hours | None:
    """Read weekdays (`mon-fri`) or times of day (`08:00-18:00`)."""
    end = start + len(text)
    if ":" not in text:
        first, _, last = text.partition("-")
        unknown = [day for day in (first, last or first) if day not in WEEKDAYS]
        if not unknown and not text.endswith("-"):
            return Days(WEEKDAYS.index(first) + 1, WEEKDAYS.index(last or first) + 1, _span(text, start, problems))
        hint = suggestion(unknown[0] if unknown else first, WEEKDAYS) or f"a day is {one_of(WEEKDAYS)}"
        problems.report("bad-literal", f"`{text}` is neither weekdays nor times of day", start, end, hint)
        return None
    match = _HOURS.fullmatch(text)
    if match:
        hours = [int(match[1]), int(match[3])]
        minutes = [int(match[2]), int(match[4])]
        first_minute, last_minute = (hour * 60 + minute for hour, minute in zip(hours, minutes, strict=True))
        if max(minutes) < 60 and first_minute < 1440 and last_minute <= 1440 and first_minute != last_minute:
            return Hours(first_minute, last_minute, _span(text, start, problems))
    problems.report("bad-literal", f"`{text}` is not a time of day", start, end, "write `08:00-18:00`")
    return None


def limit_key(text: str, start: int, problems: Problems) -> LimitKey | None:
    """Read what a limit counts apart: `source`, `destination/24`."""
    match = _KEY.fullmatch(text)
    if match and int(match[2] or 0) <= 128:
        return LimitKey(match[1], int(match[2]) if match[2] else None, _span(text, start, problems))
    hint = suggestion(text.split("/", maxsplit=1)[0], ("source", "destination")) or "write `source` or `source/24`"
    message = f"`{text}` is not what a limit counts by"
    problems.report("bad-literal", message, start, start + len(text), hint)
    return None


def account(text: str, start: int, problems: Problems) -> Name | Number | NumberRange | None:
    """Read a user or group: a name of the host, an id, or a range of ids."""
    if not text[0].isdecimal():
        return foreign(text, start, problems)
    first, dash, last = text.partition("-")
    if not dash:
        return number(text, start, problems)
    if 0 <= (low := decimal(first)) <= (high := decimal(last)) <= _BITS:
        return NumberRange(low, high, _span(text, start, problems))
    message = f"`{text}` is neither a name, an id nor a range of ids"
    problems.report("bad-literal", message, start, start + len(text))
    return None
