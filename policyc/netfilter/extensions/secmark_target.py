"""-j SECMARK: the security label of the packet, for SELinux and the like (net/netfilter/xt_SECMARK.c)."""

from __future__ import annotations

from policyc.netfilter.arguments import Word
from policyc.netfilter.effect import Effect, Mutate
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension, in_tables


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Mutate("security label", options["selctx"]),)


TARGET = TargetExtension(
    name="SECMARK",
    options=(Option("selctx", Word(255, "security context"), required=True),),  # SECMARK_SECCTX_MAX less the NUL
    placement=in_tables("mangle", "security"),
    effects=_effects,
)
