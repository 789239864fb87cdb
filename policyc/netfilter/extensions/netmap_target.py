"""-j NETMAP: a network is mapped onto another, host part kept (net/netfilter/xt_NETMAP.c).

The hook decides which side is translated: the destination before routing, the source behind it.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.netfilter.address_arguments import NetworkArgument
from policyc.netfilter.effect import Effect, Rewrite, Verdict
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension, in_tables


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    if options["to"].prefix is None:
        yield f"`--to {options['to']}`: the mask has holes; iptables would not print it as it is"


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return Rewrite(None, options["to"].values, None, "prefix"), Verdict("accept")


TARGET = TargetExtension(
    name="NETMAP",
    options=(Option("to", NetworkArgument(), required=True),),
    placement=in_tables("nat"),
    check=_check,
    effects=_effects,
    terminal=True,
)
