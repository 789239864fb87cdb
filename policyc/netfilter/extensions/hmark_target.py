"""-j HMARK: the mark becomes a hash over addresses, ports or the connection (net/netfilter/xt_HMARK.c)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.net.addresses import WIDTH
from policyc.netfilter import fields
from policyc.netfilter.address_arguments import PrefixLength
from policyc.netfilter.arguments import ChoiceList, Number
from policyc.netfilter.effect import Effect, Mutate
from policyc.netfilter.extension import Given, Option, Options, Surroundings, TargetExtension, lacking

# What a member of `--hmark-tuple` stands for; the prefixes are as long as the family's addresses.
MEMBERS = {
    "src": "hmark-src-prefix", "dst": "hmark-dst-prefix", "sport": "hmark-sport-mask", "dport": "hmark-dport-mask",
    "spi": "hmark-spi-mask", "proto": "hmark-proto-mask", "ct": "",
}  # fmt: skip
CONNECTION = "ct"
_HASHED = ("hmark-tuple", *(name for name in MEMBERS.values() if name), "hmark-sport", "hmark-dport", "hmark-spi")
_FULL = {
    "hmark-sport-mask": 0xFFFF,
    "hmark-dport-mask": 0xFFFF,
    "hmark-spi-mask": 0xFFFFFFFF,
    "hmark-proto-mask": 0xFFFF,
}


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    members = options.get("hmark-tuple", ())
    stands_for = {MEMBERS[member] for member in members if MEMBERS[member]}
    yield from (f"`--{name}` is given twice, once by `--hmark-tuple`" for name in sorted(stands_for) if name in options)
    yield from lacking(options, *_HASHED)
    names = {item.name for item in options.given} | stands_for
    for spi, ports in (
        ("hmark-spi-mask", {"hmark-sport-mask", "hmark-dport-mask"}),
        ("hmark-spi", {"hmark-sport", "hmark-dport"}),
    ):
        if spi in names and ports & names:
            yield f"`--{spi}` excludes ports: a packet has one or the other"


def _normalise(options: Options, family: int) -> Options:
    """Write `--hmark-tuple` out as the prefixes and masks that it stands for; only `ct` stays."""
    members = options.get("hmark-tuple", frozenset())
    written = tuple(
        Given(name, _FULL.get(name, WIDTH[family])) for member, name in MEMBERS.items() if member in members and name
    )
    connection = (Given("hmark-tuple", frozenset((CONNECTION,))),) if CONNECTION in members else ()
    return Options((*(item for item in options.given if item.name != "hmark-tuple"), *written, *connection))


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    first = options.get("hmark-offset", 0)
    return (Mutate("mark", f"{first}-{first + options['hmark-mod'] - 1} by a hash", (fields.MARK,)),)


TARGET = TargetExtension(
    name="HMARK",
    options=(
        Option("hmark-src-prefix", PrefixLength()),
        Option("hmark-dst-prefix", PrefixLength()),
        Option("hmark-sport-mask", Number(0, 0xFFFF, "#06x")),
        Option("hmark-dport-mask", Number(0, 0xFFFF, "#06x")),
        Option("hmark-spi-mask", Number(form="#010x")),
        Option("hmark-sport", Number(0, 0xFFFF, "#06x")),
        Option("hmark-dport", Number(0, 0xFFFF, "#06x")),
        Option("hmark-spi", Number(form="#010x")),
        Option("hmark-proto-mask", Number(0, 0xFFFF, "#04x")),
        Option("hmark-rnd", Number(form="#010x"), required=True),
        Option("hmark-mod", Number(1), required=True),
        Option("hmark-offset", Number()),
        Option("hmark-tuple", ChoiceList(tuple(MEMBERS))),
    ),
    check=_check,
    normalise=_normalise,
    effects=_effects,
)
