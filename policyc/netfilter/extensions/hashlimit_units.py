"""Rates and bursts of `hashlimit`: packets in a unit of time, or bytes in a second, as libxt_hashlimit.c keeps and prints them.

A byte rate is kept as a cost, so that few of all rates can be kept exactly: 1000mb/s is kept as 1008mb/s.
"""

from __future__ import annotations

import re

from policyc.frozen import frozen
from policyc.netfilter.arguments import Argument, parse_number
from policyc.netfilter.extensions.rates import SECONDS, format_rate, parse_rate, unit_of

SCALE = 1_000_000  # XT_HASHLIMIT_SCALE_v2: periods are kept in microseconds
CHUNK = 4  # XT_HASHLIMIT_BYTE_SHIFT: bytes are counted in chunks of 16
MAX_BYTES = 0xFFFFFFFF
UNITS = {"mb": 1 << 20, "kb": 1 << 10, "b": 1}
_BYTE_RATE = re.compile(r"(\d+)(mb|kb|b)/([a-z]+)", re.ASCII)
_BYTES = re.compile(r"(\d+)(mb?|kb?|b)", re.ASCII)


@frozen
class Amount:
    """A burst: packets, or bytes where a unit was written."""

    number: int
    in_bytes: bool = False


@frozen
class Speed:
    """A rate: the microseconds that a packet's token takes to grow back, or the cost of 16 bytes; the other is 0.

    `unit` is the unit of time written (sec for bytes): the lifetime of an entry follows it.
    """

    period: int
    unit: str
    cost: int = 0

    @property
    def bytes(self) -> int:
        """The byte rate, per second, that the cost stands for."""
        return (MAX_BYTES // self.cost - 1) << CHUNK

    @property
    def per_second(self) -> Speed:
        """The same number of packets in each second, as `--hashlimit-rate-match` keeps it beside its interval."""
        return Speed(self.period // SECONDS[self.unit], "sec")

    @property
    def printed_unit(self) -> str:
        """The unit of time in which the rate is printed."""
        return "sec" if self.cost else format_rate(self.period, SCALE)[1]

    def refills(self, burst: Amount) -> int:
        """How many seconds of a byte rate a burst is worth, the last one begun counting as whole."""
        return -(-burst.number // self.bytes)

    def canonical_burst(self, burst: Amount) -> Amount:
        """Return the burst of a byte rate that iptables-save prints, or where that would load as less, one that does not."""
        refills = self.refills(burst)
        whole = refills * self.bytes
        size = next(size for size in UNITS.values() if whole >= size)
        for number in (whole // size * size, whole):
            if number <= MAX_BYTES and self.refills(Amount(number)) == refills:
                return Amount(number, in_bytes=True)
        return Amount(burst.number, in_bytes=True)


def cost_of(number: int) -> int:
    """Return the cost of a byte rate."""
    return MAX_BYTES // ((number >> CHUNK) + 1)


def in_units(number: int) -> str:
    """Return a number of bytes in the largest unit that holds it exactly."""
    name = next(name for name, size in UNITS.items() if number % size == 0 and (number or size == 1))
    return f"{number // UNITS[name]}{name}"


@frozen
class SpeedArgument(Argument):
    """`NUMBER[/UNIT]` packets, or `NUMBERb/s`, `NUMBERkb/s`, `NUMBERmb/s`."""

    def parse(self, word: str, family: int) -> Speed:  # noqa: ARG002
        """Return the rate; raise ValueError where it cannot be kept."""
        found = _BYTE_RATE.fullmatch(word)
        if not found:
            period, unit = parse_rate(word, SCALE)
            return Speed(period, unit)
        if unit_of(found[3]) != "sec":
            raise ValueError(f"`{word}`: bytes are counted in seconds only, such as 512kb/s")
        number = int(found[1]) * UNITS[found[2]]
        if not 1 << CHUNK <= number < 1 << 35:
            raise ValueError(f"`{word}` is not a byte rate from 16b/s to 32767mb/s")
        return Speed(0, "sec", cost_of(number))

    def write(self, value: Speed, family: int) -> str:  # noqa: ARG002
        """Return the rate; bytes in the largest unit whose whole number is kept as the same cost."""
        if not value.cost:
            return format_rate(value.period, SCALE)[0]
        number = value.bytes
        for name, size in UNITS.items():
            if number >= size and cost_of(number - number % size & MAX_BYTES) == value.cost:  # 32 bits, as there
                return f"{number // size}{name}/s"
        return f"{number}b/s"


@frozen
class AmountArgument(Argument):
    """A number of packets, or of bytes with `b`, `kb` or `mb`; without a unit the rate decides which."""

    def parse(self, word: str, family: int) -> Amount:  # noqa: ARG002
        """Return the amount; raise ValueError."""
        found = _BYTES.fullmatch(word)
        if not found:
            return Amount(parse_number(word, 1, 1_000_000))
        number = int(found[1]) * UNITS[found[2].rstrip("b") + "b"]
        if not 1 <= number <= MAX_BYTES:
            raise ValueError(f"`{word}` is not a number of bytes from 1b to 4095mb")
        return Amount(number, in_bytes=True)

    def write(self, value: Amount, family: int) -> str:  # noqa: ARG002
        """Return the number with its unit."""
        return in_units(value.number) if value.in_bytes else str(value.number)
