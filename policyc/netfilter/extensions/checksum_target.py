"""-j CHECKSUM: a checksum that the network card should have filled in is filled in (net/netfilter/xt_CHECKSUM.c)."""

from __future__ import annotations

from policyc.netfilter.effect import Effect, Note
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension, in_tables


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Note("checksum"),)


TARGET = TargetExtension(
    name="CHECKSUM",
    options=(Option("checksum-fill", required=True),),
    placement=in_tables("mangle"),
    effects=_effects,
)
