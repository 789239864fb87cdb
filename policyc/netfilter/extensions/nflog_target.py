"""-j NFLOG: the packet is copied to a program that reads a netlink group; it goes on (net/netfilter/xt_NFLOG.c)."""

from __future__ import annotations

from policyc.netfilter.arguments import Number, Text
from policyc.netfilter.effect import Effect, Note
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    for name in ("nflog-group", "nflog-range", "nflog-threshold"):
        options = options.without(name, 0)
    return options


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Note("nflog", options.get("nflog-prefix", "")),)


TARGET = TargetExtension(
    name="NFLOG",
    options=(
        Option("nflog-prefix", Text(64, "log prefix", 1)),  # XT_NFLOG_PREFIX_LEN
        Option("nflog-group", Number(0, 0xFFFF)),
        Option("nflog-size", Number(), excludes=("nflog-range",)),
        Option("nflog-range", Number(), excludes=("nflog-size",)),  # has no effect in any kernel; nft forgets it
        Option("nflog-threshold", Number(0, 0xFFFF)),
    ),
    normalise=_normalise,
    effects=_effects,
)
