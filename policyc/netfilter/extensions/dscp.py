"""-m dscp: the differentiated services code point, the upper six bits of TOS (net/netfilter/xt_dscp.c, RFC 2474)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.netfilter import fields
from policyc.netfilter.arguments import Number, choice
from policyc.netfilter.extension import Given, MatchExtension, Option, Options, Surroundings, lacking
from policyc.netfilter.extensions.dscp_classes import CLASSES
from policyc.netfilter.predicate import Bits, Predicate, negate_if


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, "dscp", "dscp-class")


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    (item,) = options.given
    return options if item.name == "dscp" else Options((Given("dscp", CLASSES[item.value], item.negated),))


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    return negate_if(options.negated("dscp"), Bits(fields.TOS, 0xFC, options["dscp"] << 2))


MATCH = MatchExtension(
    name="dscp",
    options=(
        Option("dscp", Number(0, 63, "#04x"), negatable=True, excludes=("dscp-class",)),
        Option("dscp-class", choice(*CLASSES, fold=True), negatable=True, excludes=("dscp",)),
    ),
    check=_check,
    normalise=_normalise,
    meaning=_meaning,
)
