"""What `-j TTL` and `-j HL` share: setting, raising and lowering the time to live (net/netfilter/xt_HL.c)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.netfilter.arguments import Number
from policyc.netfilter.effect import Effect, Shift
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension, in_tables, lacking


def hop_limit_target(name: str, family: int) -> TargetExtension:
    """Return the target `TTL` or `HL` of its family."""
    ways = {f"{name.lower()}-{how}": how for how in ("set", "dec", "inc")}

    def check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
        return lacking(options, *ways)

    def effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
        (item,) = options.given
        return (Shift(ways[item.name], item.value),)

    return TargetExtension(
        name=name,
        families=(family,),
        options=tuple(
            Option(way, Number(0 if how == "set" else 1, 255), excludes=tuple(other for other in ways if other != way))
            for way, how in ways.items()
        ),
        placement=in_tables("mangle"),
        check=check,
        effects=effects,
    )
