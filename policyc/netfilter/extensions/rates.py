"""What `limit` and `hashlimit` share: rates such as `5/min`, kept as the time that one token takes to grow back.

Sources: `parse_rate` and `print_rate` of libxt_limit.c and libxt_hashlimit.c, whose integer divisions decide what is kept.
"""

from __future__ import annotations

import re

from policyc.frozen import frozen
from policyc.netfilter.arguments import Argument

SECONDS = {"sec": 1, "min": 60, "hour": 3600, "day": 86400}
_UNITS = {"second": "sec", "minute": "min", "hour": "hour", "day": "day"}
_RATE = re.compile(r"\+?(\d+)(?:/([A-Za-z]+))?", re.ASCII)


def unit_of(word: str) -> str | None:
    """Return sec, min, hour or day for any beginning of second, minute, hour, day in any case; None for other words."""
    return next((unit for whole, unit in _UNITS.items() if word and whole.startswith(word.lower())), None)


def parse_rate(word: str, scale: int) -> tuple[int, str]:
    """Return the period of a rate `NUMBER[/UNIT]` in 1/scale seconds, and its unit; raise ValueError.

    The period is rounded down to a whole number, as iptables does, and may not vanish.
    """
    found = _RATE.fullmatch(word.strip())
    unit = unit_of(found[2]) if found and found[2] else "sec"
    if not found or unit is None or not int(found[1]):
        raise ValueError(f"`{word}` is not a rate such as 5/sec, 10/min, 3/hour or 1/day")
    period = scale * SECONDS[unit] // int(found[1])
    if not period:
        raise ValueError(f"`{word}` is faster than {scale}/sec, the fastest rate that the kernel can keep")
    return period, unit


def format_rate(period: int, scale: int) -> tuple[str, str]:
    """Return the rate of a period in the largest unit that loses little, and that unit."""
    names = list(reversed(SECONDS))
    chosen = names[0]
    for name in names[1:]:
        whole = SECONDS[name] * scale
        if period > whole or whole // period < whole % period:
            break
        chosen = name
    return f"{SECONDS[chosen] * scale // period}/{chosen}", chosen


@frozen
class Rate(Argument):
    """`NUMBER[/UNIT]` as the period in 1/scale seconds."""

    scale: int

    def parse(self, word: str, family: int) -> int:  # noqa: ARG002
        """Return the period; raise ValueError."""
        return parse_rate(word, self.scale)[0]

    def write(self, value: int, family: int) -> str:  # noqa: ARG002
        """Return the rate."""
        return format_rate(value, self.scale)[0]
