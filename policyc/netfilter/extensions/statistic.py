"""-m statistic: some packets, by chance or by turn (net/netfilter/xt_statistic.c)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import floor

from policyc.frozen import frozen
from policyc.netfilter.arguments import Argument, Number, choice
from policyc.netfilter.counters import Nth
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import ALWAYS, NEVER, May, Predicate, negate_if

SCALE = 1 << 31  # the kernel compares 31 random bits
_DECIMAL = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


@frozen
class Probability(Argument):
    """A number from 0 to 1 in units of 1/2**31, as the kernel keeps it."""

    def parse(self, word: str, family: int) -> int:  # noqa: ARG002
        """Return the probability; raise ValueError for anything but a decimal number from 0 to 1."""
        if not _DECIMAL.fullmatch(word) or float(word) > 1:
            raise ValueError(f"`{word}` is not a number from 0 to 1")
        return floor(float(word) * SCALE + 0.5)

    def write(self, value: int, family: int) -> str:  # noqa: ARG002
        """Return eleven places, enough to read the same value back."""
        return f"{value / SCALE:.11f}"


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    needed = ("probability",) if options["mode"] == "random" else ("every", "packet")
    for name in needed:
        if name not in options:
            yield f"`--mode {options['mode']}` needs `--{name}`"
    for name in ("probability", "every", "packet"):
        if name in options and name not in needed:
            yield f"`--{name}` has no meaning with `--mode {options['mode']}`"
    every, packet = options.get("every"), options.get("packet")
    if every is not None and packet is not None and packet >= every:
        yield f"`--packet {packet}` must be less than `--every {every}`"


def _meaning(options: Options, around: Surroundings) -> Predicate:
    if options["mode"] == "random":
        test = _by_chance(options["probability"], MATCH.spelled(options, around.family))
        return negate_if(options.negated("probability"), test)
    test = _by_turn(options["every"], options["packet"], MATCH.spelled(options, around.family))
    return negate_if(options.negated("every"), test)


def _by_chance(probability: int, text: str) -> Predicate:
    if probability in {0, SCALE}:
        return ALWAYS if probability else NEVER
    return May(text)


def _by_turn(every: int, packet: int, text: str) -> Predicate:
    return ALWAYS if every == 1 else May(text, Nth(every, packet))


MATCH = MatchExtension(
    name="statistic",
    options=(
        Option("mode", choice("random", "nth"), required=True),
        Option("probability", Probability(), negatable=True),
        Option("every", Number(low=1), negatable=True),
        Option("packet", Number()),
    ),
    check=_check,
    meaning=_meaning,
)
