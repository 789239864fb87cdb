"""-j SYNPROXY: TCP handshakes are answered for the server (net/ipv4/netfilter/ipt_SYNPROXY.c)."""

from __future__ import annotations

from policyc.net.protocols import TCP
from policyc.netfilter.arguments import Number
from policyc.netfilter.effect import Effect, Handshake
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension, in_hooks
from policyc.netfilter.hooks import Hook


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Handshake(),)


TARGET = TargetExtension(
    name="SYNPROXY",
    options=(
        Option("sack-perm"),
        Option("timestamp"),
        Option("wscale", Number(0, 0xFF)),
        Option("mss", Number(0, 0xFFFF)),
        Option("ecn"),
    ),
    protocols=frozenset((TCP,)),
    placement=in_hooks(Hook.INPUT, Hook.FORWARD, why="it stands between a client and a server that packets reach"),
    effects=_effects,
)
