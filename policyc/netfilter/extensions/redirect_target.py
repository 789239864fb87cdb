"""-j REDIRECT: the destination becomes this host (net/netfilter/xt_REDIRECT.c).

In PREROUTING that is the primary address of the incoming interface, in OUTPUT 127.0.0.1 or ::1.
"""

from __future__ import annotations

from policyc.netfilter import fields
from policyc.netfilter.effect import Effect
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension, in_tables
from policyc.netfilter.extensions.nat import PORT_PROTOCOLS, NewTuple, Ports, translation
from policyc.netfilter.hooks import Hook


def _protocols(options: Options) -> frozenset[int] | None:
    return PORT_PROTOCOLS if "to-ports" in options else None


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return translation(fields.DST, NewTuple(None, options.get("to-ports")), "incoming", options)


TARGET = TargetExtension(
    name="REDIRECT",
    options=(Option("to-ports", Ports()), Option("random")),
    protocols_for=_protocols,
    placement=in_tables(
        "nat", hooks=(Hook.PREROUTING, Hook.OUTPUT), why="destinations are translated before routing only"
    ),
    effects=_effects,
    terminal=True,
)
