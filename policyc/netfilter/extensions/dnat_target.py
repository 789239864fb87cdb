"""-j DNAT: a new destination for the connection (net/netfilter/xt_nat.c)."""

from __future__ import annotations

from policyc.netfilter import fields
from policyc.netfilter.effect import Effect
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension, in_tables
from policyc.netfilter.extensions.nat import PORT_PROTOCOLS, Destination, translation
from policyc.netfilter.hooks import Hook


def _protocols(options: Options) -> frozenset[int] | None:
    return None if options["to-destination"].ports is None else PORT_PROTOCOLS


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return translation(fields.DST, options["to-destination"], "given", options)


TARGET = TargetExtension(
    name="DNAT",
    options=(
        Option("to-destination", Destination(shifted=True), required=True),
        Option("random"),
        Option("persistent"),
    ),
    protocols_for=_protocols,
    placement=in_tables(
        "nat", hooks=(Hook.PREROUTING, Hook.OUTPUT), why="destinations are translated before routing only"
    ),
    effects=_effects,
    terminal=True,
)
