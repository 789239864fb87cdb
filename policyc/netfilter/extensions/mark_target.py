"""-j MARK: bits of the packet's mark (net/netfilter/xt_mark.c). It is accepted in every table, not only in mangle."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.netfilter import fields
from policyc.netfilter.effect import Assign, Effect
from policyc.netfilter.extension import Given, Options, Surroundings, TargetExtension, lacking
from policyc.netfilter.extensions.marks import operations, value_and_mask


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, *(option.name for option in TARGET.options))


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return Options((Given("set-xmark", value_and_mask(options.given[0])),))


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    value, mask = options["set-xmark"]
    return (Assign(fields.MARK, mask, value),)


TARGET = TargetExtension(
    name="MARK",
    options=operations(),
    check=_check,
    normalise=_normalise,
    effects=_effects,
)
