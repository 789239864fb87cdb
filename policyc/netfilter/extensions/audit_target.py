"""-j AUDIT: a record for auditd(8); the packet goes on (net/netfilter/xt_AUDIT.c)."""

from __future__ import annotations

from policyc.netfilter.arguments import choice
from policyc.netfilter.effect import Effect, Note
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Note("audit", options["type"]),)


TARGET = TargetExtension(
    name="AUDIT",
    options=(Option("type", choice("accept", "drop", "reject", fold=True), required=True),),
    effects=_effects,
)
