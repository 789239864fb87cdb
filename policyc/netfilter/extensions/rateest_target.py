"""-j RATEEST: packets are counted into an estimator that `-m rateest` asks (net/netfilter/xt_RATEEST.c).

The kernel keeps the interval as a power of two and the averaging time as a logarithm; both are rounded as iptables does
(libxt_RATEEST, RATEEST_final_check), and what is printed is what they were rounded to.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.netfilter.arguments import Argument, Word
from policyc.netfilter.effect import Effect, Note
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension

SECOND = 1_000_000  # in microseconds, the unit of both durations
INTERVALS = tuple(SECOND // 4 << power for power in range(6))  # 250 ms to 8 s
_UNITS = {
    "": 1, "us": 1, "usec": 1, "usecs": 1, "ms": 1000, "msec": 1000, "msecs": 1000,
    "s": SECOND, "sec": SECOND, "secs": SECOND,
}  # fmt: skip
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([a-z]*)", re.ASCII)


@frozen
class Duration(Argument):
    """A number with the unit s, ms or us (also sec, msec …; microseconds without one), as microseconds."""

    def parse(self, word: str, family: int) -> int:  # noqa: ARG002
        """Return the microseconds; raise ValueError for zero and for more than 32 bits hold."""
        found = _DURATION.fullmatch(word.lower())
        if found is None or found[2] not in _UNITS:
            raise ValueError(f"`{word}` is not a duration such as 250ms or 2s")
        microseconds = int(float(found[1]) * _UNITS[found[2]])
        if not 0 < microseconds <= 0xFFFFFFFF:
            raise ValueError(f"`{word}` is not between 1us and {0xFFFFFFFF // SECOND}s")
        return microseconds

    def write(self, value: int, family: int) -> str:  # noqa: ARG002
        """Return the duration with one decimal in seconds or milliseconds, or as whole microseconds."""
        if value >= SECOND:
            return f"{value / SECOND:.1f}s"
        return f"{value / 1000:.1f}ms" if value >= 1000 else f"{value}us"


def _logarithm(interval: int, averaging: int) -> int:
    """Return how often the interval must be doubled at most to stay within the averaging time; 0 when never."""
    for power in range(1, 32):
        if interval / -math.log(1 - 1 / (1 << power)) > averaging:
            return power - 1
    return 31


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    interval, averaging = options["rateest-interval"], options["rateest-ewmalog"]
    if interval > INTERVALS[-1]:
        yield "`--rateest-interval` is over 8s"
    if not 1 <= _logarithm(interval, averaging) < 30:
        yield "`--rateest-ewmalog` must be longer than `--rateest-interval`, at least half as long again"


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    asked = options["rateest-interval"]
    interval = next(length for length in INTERVALS if asked <= length)
    power = _logarithm(asked, options["rateest-ewmalog"])
    return options.with_values(rateest_interval=interval, rateest_ewmalog=interval << power)


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Note("counter", options["rateest-name"]),)


TARGET = TargetExtension(
    name="RATEEST",
    options=(
        Option("rateest-name", Word(15, "estimator"), required=True),  # IFNAMSIZ with the NUL
        Option("rateest-interval", Duration(), required=True),
        Option("rateest-ewmalog", Duration(), required=True),
    ),
    check=_check,
    normalise=_normalise,
    effects=_effects,
)
