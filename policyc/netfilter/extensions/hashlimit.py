"""-m hashlimit: a token bucket for each address or port, shared by rules of one name (net/netfilter/xt_hashlimit.c, revision 3).

Rates are of packets (`5/min`) or of bytes (`512kb/s`); `hashlimit_units` knows their spelling.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from policyc.net.addresses import WIDTH
from policyc.netfilter import fields
from policyc.netfilter.address_arguments import PrefixLength
from policyc.netfilter.arguments import ChoiceList, Number, Word
from policyc.netfilter.counters import TokenBucket
from policyc.netfilter.extension import Given, MatchExtension, Option, Options, Surroundings, lacking
from policyc.netfilter.extensions.hashlimit_units import SCALE, Amount, AmountArgument, Speed, SpeedArgument
from policyc.netfilter.extensions.rates import SECONDS
from policyc.netfilter.fields import Field
from policyc.netfilter.predicate import May, Predicate

DEFAULT_BURST = 5
DEFAULT_COLLECTION = 1000  # --hashlimit-htable-gcinterval, milliseconds
BYTE_EXPIRE, BYTE_EXPIRE_WITH_BURST = 15_000, 60_000  # --hashlimit-htable-expire of byte rates, milliseconds
MAX_PACKETS = 1_000_000  # XT_HASHLIMIT_BURST_MAX
CREDITS_PER_MICROSECOND = 137_438_953  # of a kernel with HZ 250 or 1000; credits are kept in 64 bits
MODES: dict[str, Field] = {"srcip": fields.SRC, "srcport": fields.SPORT, "dstip": fields.DST, "dstport": fields.DPORT}
_PREFIX = "hashlimit-"


def _speed(options: Options) -> tuple[Speed, bool]:
    """Return the rate, and whether the match holds above it."""
    for name, above in (("hashlimit-upto", False), ("hashlimit-above", True)):
        if name in options:
            return options[name], above is not options.negated(name)
    raise KeyError("hashlimit-upto")


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    missing = [*lacking(options, "hashlimit-upto", "hashlimit-above")]
    if missing or "hashlimit-name" not in options:
        yield from missing
        return
    name = options["hashlimit-name"]
    if name in {".", ".."} or "/" in name:
        yield f"the table's name `{name}` cannot be the name of a file of /proc/net/ipt_hashlimit"
    speed, _ = _speed(options)
    burst: Amount = options.get("hashlimit-burst", Amount(DEFAULT_BURST))
    if speed.cost:
        if "hashlimit-burst" in options and burst.number < speed.bytes:
            yield f"the burst of a byte rate may not be less than one second of it, {speed.bytes}b"
    elif burst.in_bytes:
        yield "the burst of a packet rate is a number of packets; bytes go with a rate such as 512kb/s"
    elif not 1 <= burst.number <= MAX_PACKETS:
        yield f"the burst is not between 1 and {MAX_PACKETS} packets"
    elif "hashlimit-rate-match" not in options and _overflows(speed.period, burst.number):
        yield "the burst takes so long to grow back at this rate that the kernel's credits overflow; make it smaller"
    elif "hashlimit-rate-match" in options and not speed.per_second.period:
        yield "the rate is too fast for `--hashlimit-rate-match`"


def _overflows(period: int, burst: int) -> bool:
    """Whether the kernel refuses: `user2credits(avg * burst) < user2credits(avg)` in 64 bits."""
    one = period * CREDITS_PER_MICROSECOND
    return one * burst % 2**64 < one % 2**64


def _normalise(options: Options, family: int) -> Options:
    speed, above = _speed(options)
    kept = {item.name: item.value for item in options.given if item.name not in {"hashlimit-upto", "hashlimit-above"}}
    seconds = SECONDS[speed.unit]
    burst: Amount | None = kept.get("hashlimit-burst")
    own_expire = seconds * 1000 if not speed.cost else BYTE_EXPIRE_WITH_BURST if burst else BYTE_EXPIRE
    expire = kept.pop("hashlimit-htable-expire", own_expire)
    if "hashlimit-rate-match" in kept and not speed.cost:
        speed = speed.per_second
        kept.setdefault("hashlimit-rate-interval", seconds)
    speed = replace(speed, unit=speed.printed_unit)
    if speed.cost:
        if burst:
            kept["hashlimit-burst"] = speed.canonical_burst(burst)
        printed_expire = BYTE_EXPIRE_WITH_BURST if burst else BYTE_EXPIRE
    else:
        kept["hashlimit-burst"] = burst or Amount(DEFAULT_BURST)
        printed_expire = SECONDS[speed.unit] * 1000
    if expire != printed_expire:
        kept["hashlimit-htable-expire"] = expire
    silent = {
        "hashlimit-htable-size": 0, "hashlimit-htable-max": 0, "hashlimit-htable-gcinterval": DEFAULT_COLLECTION,
        "hashlimit-mode": frozenset(), "hashlimit-rate-interval": 1,
        "hashlimit-srcmask": WIDTH[family], "hashlimit-dstmask": WIDTH[family],
    }  # fmt: skip
    given = [Given("hashlimit-above" if above else "hashlimit-upto", speed)]
    given += [Given(name, value) for name, value in kept.items() if silent.get(name) != value or name not in silent]
    return Options(tuple(given))


def _meaning(options: Options, around: Surroundings) -> Predicate:
    speed, above = _speed(options)
    text = MATCH.spelled(options, around.family)
    if "hashlimit-rate-match" in options:
        return May(text)  # measures a rate over an interval: no bucket
    modes = options.get("hashlimit-mode", frozenset())
    masks = {"srcip": "hashlimit-srcmask", "dstip": "hashlimit-dstmask"}
    per = tuple(
        (field, options.get(masks[mode], WIDTH[around.family]) if mode in masks else field.bits)
        for mode, field in MODES.items()
        if mode in modes
    )
    name = options["hashlimit-name"]
    burst: Amount = options.get("hashlimit-burst", Amount(0))
    if not speed.cost:
        return May(text, TokenBucket(1, speed.period, burst.number, per, name, above))
    # the bucket holds one second of the rate, and is filled again at once as often as the burst is worth
    size = speed.bytes * (1 + speed.refills(burst))
    return May(text, TokenBucket(speed.bytes, SCALE, size, per, name, above, in_bytes=True))


MATCH = MatchExtension(
    name="hashlimit",
    options=(
        Option(
            "hashlimit-upto", SpeedArgument(), aliases=("hashlimit",), negatable=True, excludes=("hashlimit-above",)
        ),
        Option("hashlimit-above", SpeedArgument(), negatable=True, excludes=("hashlimit-upto",)),
        Option("hashlimit-burst", AmountArgument()),
        Option("hashlimit-mode", ChoiceList(tuple(MODES))),
        Option("hashlimit-name", Word(255, "name of the table"), required=True),  # NAME_MAX
        Option("hashlimit-htable-size", Number(high=1 << 20)),  # the kernel makes no larger table
        Option("hashlimit-htable-max", Number()),
        Option("hashlimit-htable-gcinterval", Number(low=1)),
        Option("hashlimit-htable-expire", Number(low=1)),
        Option("hashlimit-srcmask", PrefixLength()),
        Option("hashlimit-dstmask", PrefixLength()),
        Option("hashlimit-rate-match"),
        Option("hashlimit-rate-interval", Number(1, 2**31 - 1), needs=("hashlimit-rate-match",)),
    ),
    check=_check,
    normalise=_normalise,
    meaning=_meaning,
)
