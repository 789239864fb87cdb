"""-j LOG: a line in the kernel log; the packet goes on (net/netfilter/xt_LOG.c)."""

from __future__ import annotations

from policyc.netfilter.arguments import Choice, Text
from policyc.netfilter.effect import Effect, Note
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension

# syslog(3) names and numbers; iptables-save prints the number and leaves out 4, warning.
LEVELS = {
    "emerg": "0", "panic": "0", "alert": "1", "crit": "2", "error": "3", "err": "3", "warning": "4", "warn": "4",
    "notice": "5", "info": "6", "debug": "7", **{str(n): str(n) for n in range(8)},
}  # fmt: skip


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return Options(tuple(item for item in options.given if (item.name, item.value) != ("log-level", "4")))


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Note("log", options.get("log-prefix", "")),)


TARGET = TargetExtension(
    name="LOG",
    options=(
        Option("log-prefix", Text(29, "log prefix")),  # struct xt_log_info.prefix holds 30 bytes with the NUL
        Option("log-level", Choice(LEVELS, fold=True)),
        Option("log-tcp-sequence"),
        Option("log-tcp-options"),
        Option("log-ip-options"),
        Option("log-uid"),
        Option("log-macdecode"),
    ),
    normalise=_normalise,
    effects=_effects,
)
