"""-j TOS: bits of the TOS byte, or of IPv6's traffic class (net/netfilter/xt_DSCP.c, tos_tg)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.netfilter import fields
from policyc.netfilter.arguments import Number
from policyc.netfilter.effect import Assign, Effect
from policyc.netfilter.extension import Given, Option, Options, Surroundings, TargetExtension, in_tables, lacking
from policyc.netfilter.extensions.marks import value_and_mask
from policyc.netfilter.extensions.tos import TosValue

_NAMES = ("set-tos", "and-tos", "or-tos", "xor-tos")


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, *_NAMES)


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return Options((Given("set-tos", value_and_mask(options.given[0], 0xFF)),))


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    value, mask = options["set-tos"]
    return (Assign(fields.TOS, mask, value),)


TARGET = TargetExtension(
    name="TOS",
    options=tuple(
        Option(
            name,
            TosValue() if name == "set-tos" else Number(0, 0xFF),
            excludes=tuple(other for other in _NAMES if other != name),
        )
        for name in _NAMES
    ),
    placement=in_tables("mangle"),
    check=_check,
    normalise=_normalise,
    effects=_effects,
)
