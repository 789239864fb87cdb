"""-j LOG: a line in the kernel log; the packet goes on (net/netfilter/xt_LOG.c)."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.netfilter.arguments import Argument, Text, parse_number
from policyc.netfilter.effect import Effect, Note
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension

# The names of syslog(3) that iptables reads (libxtables, xtables_parse_log_level); numbers are printed.
LEVELS = {
    "panic": 0, "emerg": 0, "alert": 1, "crit": 2, "error": 3, "warning": 4, "notice": 5, "info": 6, "debug": 7,
}  # fmt: skip
DEFAULT_LEVEL = LEVELS["warning"]


@frozen
class Level(Argument):
    """A level of syslog(3) by name or number from 0 to 7."""

    def parse(self, word: str, family: int) -> int:  # noqa: ARG002
        """Return the number; raise ValueError."""
        if word in LEVELS:
            return LEVELS[word]
        try:
            return parse_number(word, 0, 7)
        except ValueError:
            raise ValueError(f"`{word}` is neither a number from 0 to 7 nor one of {', '.join(LEVELS)}") from None


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return options.without("log-level", DEFAULT_LEVEL)


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Note("log", options.get("log-prefix", "")),)


TARGET = TargetExtension(
    name="LOG",
    options=(
        Option("log-prefix", Text(29, "log prefix", 1)),  # struct xt_log_info.prefix holds 30 bytes with the NUL
        Option("log-level", Level()),
        Option("log-tcp-sequence"),
        Option("log-tcp-options"),
        Option("log-ip-options"),
        Option("log-uid"),
        Option("log-macdecode"),
    ),
    normalise=_normalise,
    effects=_effects,
)
