"""-j TEE: a copy of the packet goes to another machine of the link; the packet goes on (net/netfilter/xt_TEE.c)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.net.addresses import format_address
from policyc.netfilter.address_arguments import Address
from policyc.netfilter.arguments import Interface
from policyc.netfilter.effect import Effect, Note
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension


def _check(options: Options, family: int) -> Iterable[str]:
    if options["gateway"] == 0:
        yield f"`--gateway {format_address(0, family)}` is no address that a packet can be sent to"


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:
    return (Note("copy", format_address(options["gateway"], around.family)),)


TARGET = TargetExtension(
    name="TEE",
    options=(Option("gateway", Address(), required=True), Option("oif", Interface())),
    check=_check,
    effects=_effects,
)
