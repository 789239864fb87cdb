"""-j LED: a light blinks (net/netfilter/xt_LED.c)."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.netfilter.arguments import Argument, Text, parse_number
from policyc.netfilter.effect import Effect, Note
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension

FOR_EVER = "inf"


@frozen
class TriggerName(Text):
    """A name of 1 to 16 bytes that iptables-save always quotes."""

    def write(self, value: str, family: int) -> str:  # noqa: ARG002
        """Return the name in double quotes."""
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'


@frozen
class Delay(Argument):
    """Milliseconds, or `inf`."""

    def parse(self, word: str, family: int) -> str:  # noqa: ARG002
        """Return the number in decimal, or `inf`; raise ValueError."""
        return word if word == FOR_EVER else str(parse_number(word, 0, 0xFFFFFFFF))


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return options.without("led-delay", "0")


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Note("led", options["led-trigger-id"]),)


TARGET = TargetExtension(
    name="LED",
    options=(
        Option("led-trigger-id", TriggerName(16, "trigger name", 1), required=True),
        Option("led-delay", Delay()),
        Option("led-always-blink"),
    ),
    normalise=_normalise,
    effects=_effects,
)
