"""-j DSCP: the differentiated services code point, the upper six bits of TOS (net/netfilter/xt_DSCP.c, RFC 2474)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.netfilter import fields
from policyc.netfilter.arguments import Number, choice
from policyc.netfilter.effect import Assign, Effect
from policyc.netfilter.extension import Given, Option, Options, Surroundings, TargetExtension, in_tables, lacking
from policyc.netfilter.extensions.dscp_classes import CLASSES


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, "set-dscp", "set-dscp-class")


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    (item,) = options.given
    return options if item.name == "set-dscp" else Options((Given("set-dscp", CLASSES[item.value]),))


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Assign(fields.TOS, 0xFC, options["set-dscp"] << 2),)


TARGET = TargetExtension(
    name="DSCP",
    options=(
        Option("set-dscp", Number(0, 63, "#04x"), excludes=("set-dscp-class",)),
        Option("set-dscp-class", choice(*CLASSES, fold=True), excludes=("set-dscp",)),
    ),
    placement=in_tables("mangle"),
    check=_check,
    normalise=_normalise,
    effects=_effects,
)
