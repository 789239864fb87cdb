"""-j CLASSIFY: the traffic control class of the packet (net/netfilter/xt_CLASSIFY.c)."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.netfilter.arguments import Argument
from policyc.netfilter.effect import Effect, Mutate
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension, in_hooks
from policyc.netfilter.hooks import Hook


@frozen
class Handle(Argument):
    """`MAJOR:MINOR`, both hexadecimal with or without 0x, at most ffff: what the kernel keeps of longer ones is another class."""

    def parse(self, word: str, family: int) -> tuple[int, int]:  # noqa: ARG002
        """Return both numbers; raise ValueError."""
        major, _, minor = word.partition(":")
        return _half(major, word), _half(minor, word)

    def write(self, value: tuple[int, int], family: int) -> str:  # noqa: ARG002
        """Return both as four hexadecimal digits."""
        return f"{value[0]:04x}:{value[1]:04x}"


def _half(text: str, word: str) -> int:
    digits = text.lower().removeprefix("0x")
    if not digits or not set(digits) <= set("0123456789abcdef") or int(digits, 16) > 0xFFFF:
        raise ValueError(f"`{word}` is not a class MAJOR:MINOR, two hexadecimal numbers up to ffff")
    return int(digits, 16)


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:
    return (Mutate("class", Handle().write(options["set-class"], around.family)),)


TARGET = TargetExtension(
    name="CLASSIFY",
    options=(Option("set-class", Handle(), required=True),),
    placement=in_hooks(Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING, why="classes are for packets that leave"),
    effects=_effects,
)
