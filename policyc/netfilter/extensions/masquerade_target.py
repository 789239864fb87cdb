"""-j MASQUERADE: the source becomes an address of the outgoing interface (net/netfilter/xt_MASQUERADE.c)."""

from __future__ import annotations

from policyc.netfilter import fields
from policyc.netfilter.effect import Effect
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension, in_tables
from policyc.netfilter.extensions.nat import PORT_PROTOCOLS, NewTuple, Ports, translation
from policyc.netfilter.hooks import Hook


def _protocols(options: Options) -> frozenset[int] | None:
    return PORT_PROTOCOLS if "to-ports" in options else None


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return translation(fields.SRC, NewTuple(None, options.get("to-ports")), "outgoing", options)


TARGET = TargetExtension(
    name="MASQUERADE",
    options=(Option("to-ports", Ports()), Option("random"), Option("random-fully")),
    protocols_for=_protocols,
    placement=in_tables(
        "nat", hooks=(Hook.POSTROUTING,), why="it takes the address of the outgoing interface, known behind routing"
    ),
    effects=_effects,
    terminal=True,
)
