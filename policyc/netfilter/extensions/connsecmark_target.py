"""-j CONNSECMARK: the security label of a connection, saved from or restored to a packet (net/netfilter/xt_CONNSECMARK.c)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.netfilter.effect import Effect, Mutate
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension, in_tables, lacking


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, "save", "restore")


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Mutate("security label", options.given[0].name),)


TARGET = TargetExtension(
    name="CONNSECMARK",
    options=(Option("save", excludes=("restore",)), Option("restore", excludes=("save",))),
    placement=in_tables("mangle", "security"),
    check=_check,
    effects=_effects,
)
