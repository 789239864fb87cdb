"""-j TPROXY: the packet goes to a local socket, unchanged (net/netfilter/xt_TPROXY.c)."""

from __future__ import annotations

from policyc.net.protocols import TCP, UDP
from policyc.netfilter.address_arguments import Address
from policyc.netfilter.arguments import MaskedNumber, Port
from policyc.netfilter.effect import Divert, Effect
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension, in_tables
from policyc.netfilter.hooks import Hook


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return options.with_values(on_ip=options.get("on-ip", 0), tproxy_mark=options.get("tproxy-mark", (0, 0)))


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    mark, mask = options["tproxy-mark"]
    return (Divert(options["on-ip"], options["on-port"], mark, mask),)


TARGET = TargetExtension(
    name="TPROXY",
    options=(
        Option("on-port", Port(), required=True),
        Option("on-ip", Address()),
        Option("tproxy-mark", MaskedNumber(always_mask=True)),
    ),
    protocols=frozenset((TCP, UDP)),
    placement=in_tables("mangle", hooks=(Hook.PREROUTING,), why="the socket is looked up before routing"),
    normalise=_normalise,
    effects=_effects,
    terminal=True,
)
