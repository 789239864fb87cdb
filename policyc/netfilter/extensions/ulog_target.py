"""-j ULOG: the predecessor of NFLOG, IPv4 only; gone from Linux since 3.17, still read by iptables (libipt_ULOG)."""

from __future__ import annotations

from policyc.netfilter.arguments import Number, Text
from policyc.netfilter.effect import Effect, Note
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return options.without("ulog-nlgroup", 1).without("ulog-cprange", 0).without("ulog-qthreshold", 1)


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Note("nflog", options.get("ulog-prefix", "")),)


TARGET = TargetExtension(
    name="ULOG",
    families=(4,),
    options=(
        Option("ulog-prefix", Text(31, "log prefix", 1)),  # ULOG_PREFIX_LEN is 32 with the NUL
        Option("ulog-nlgroup", Number(1, 32)),
        Option("ulog-cprange", Number()),
        Option("ulog-qthreshold", Number(1, 50)),
    ),
    normalise=_normalise,
    effects=_effects,
)
