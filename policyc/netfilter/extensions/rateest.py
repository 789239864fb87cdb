"""-m rateest: compares rates that RATEEST targets estimate, with a value or with each other (net/netfilter/xt_rateest.c).

iptables-extensions(8) lists the combinations: one estimator and a value, or two estimators, each with or without a difference
(`--rateest-delta`), in bits or packets a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.netfilter.arguments import Argument, Number, Word
from policyc.netfilter.extension import Given, MatchExtension, Option, Options, Surroundings, lacking
from policyc.netfilter.predicate import May, Predicate

OPERATORS = ("rateest-lt", "rateest-gt", "rateest-eq")
MAX_BYTES = 2**32 - 1
_RATE = re.compile(r"(\d+\.?\d*|\.\d+)([A-Za-z]*)", re.ASCII)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def _bits(suffix: str) -> int | None:
    """Return how many bits a suffix such as kbit, Mibit or KiBps stands for; tc(8) does not look at its case."""
    for ending, size in (("bit", 1), ("bps", 8)):
        if suffix.endswith(ending):
            prefix = suffix.removesuffix(ending)
            base, prefix = (1024, prefix[:-1]) if len(prefix) == 2 and prefix[1] == "i" else (1000, prefix)
            return size * base ** _POWERS[prefix] if prefix in _POWERS else None
    return 1 if not suffix else None


@frozen
class BitRate(Argument):
    """A rate with a suffix of tc(8), bits without one, as whole bytes a second."""

    def parse(self, word: str, family: int) -> int:  # noqa: ARG002
        """Return the bytes a second; raise ValueError."""
        found = _RATE.fullmatch(word)
        bits = _bits(found[2].lower()) if found else None
        if not found or bits is None:
            raise ValueError(f"`{word}` is not a rate such as 250kbit or 2.5mbit")
        rate = int(float(found[1]) * bits / 8)
        if rate > MAX_BYTES:
            raise ValueError(f"`{word}` is over {MAX_BYTES} bytes a second, the fastest rate that the kernel can keep")
        return rate

    def write(self, value: int, family: int) -> str:  # noqa: ARG002
        """Return the rate in bits; iptables-save rounds to Kbit from 1,000 of them on, here only where nothing is lost."""
        bits = value * 8
        for name, size in (("Mbit", 10**6), ("Kbit", 10**3)):
            if bits >= 1000 * size and bits % size == 0:
                return f"{bits // size}{name}"
        return f"{bits}bit"


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    yield from lacking(options, "rateest", "rateest1")
    yield from lacking(options, *OPERATORS)
    delta, relative = "rateest-delta" in options, "rateest2" in options
    if "rateest1" in options and not relative:
        yield "`--rateest1` needs `--rateest2`; one estimator alone is `--rateest`"
    wanted = ("rateest-bps2", "rateest-pps2") if delta else ("rateest-bps", "rateest-pps")
    allowed = ("rateest-bps1", "rateest-pps1", *wanted) if delta else wanted
    yield from lacking(options, *allowed)
    values = [item for item in options.given if item.name.startswith(("rateest-bps", "rateest-pps"))]
    for item in values:
        if item.name not in allowed:
            yield f"`--{item.name}` goes {'without' if delta else 'with'} `--rateest-delta`"
        elif item.name in wanted:
            if not delta and relative and item.value is not None:
                yield f"`--{item.name}` takes no value where two estimators are compared"
            elif not delta and not relative and item.value is None:
                yield f"`--{item.name}` needs a value to compare the estimator with"
    if len({item.name[:11] for item in values}) > 1:
        yield "bits and packets cannot be compared in one match"


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    """Call the first of two estimators `--rateest1`, and put in the differences left out, which are 0."""
    given = [
        Given("rateest1", item.value) if item.name == "rateest" and "rateest2" in options else item
        for item in options.given
    ]
    if "rateest-delta" in options:
        unit = "rateest-bps" if "rateest-bps1" in options or "rateest-bps2" in options else "rateest-pps"
        given += [Given(f"{unit}{side}", 0) for side in (1, 2) if f"{unit}{side}" not in options]
    return Options(tuple(given))


def _meaning(options: Options, around: Surroundings) -> Predicate:
    return May(MATCH.spelled(options, around.family))


MATCH = MatchExtension(
    name="rateest",
    options=(
        Option("rateest-delta"),
        Option("rateest", Word(15, "name of the estimator"), excludes=("rateest1",)),  # IFNAMSIZ is 16
        Option("rateest1", Word(15, "name of the estimator"), excludes=("rateest",)),
        Option("rateest-bps1", BitRate()),
        Option("rateest-pps1", Number()),
        *(
            Option(name, negatable=True, excludes=tuple(other for other in OPERATORS if other != name))
            for name in OPERATORS
        ),
        Option("rateest-bps", BitRate(), optional=True),
        Option("rateest-pps", Number(), optional=True),
        Option("rateest-bps2", BitRate()),
        Option("rateest-pps2", Number()),
        Option("rateest2", Word(15, "name of the estimator")),
    ),
    check=_check,
    normalise=_normalise,
    meaning=_meaning,
)
