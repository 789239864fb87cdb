"""-j SET: the packet's addresses and ports are added to an ipset or deleted, or a set tells its mark (net/netfilter/xt_set.c)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.netfilter import fields
from policyc.netfilter.arguments import Number, Pair, Word
from policyc.netfilter.effect import Effect, Mutate, Note
from policyc.netfilter.extension import (
    ANYWHERE,
    Option,
    Options,
    Placement,
    Surroundings,
    TargetExtension,
    in_tables,
    lacking,
)
from policyc.netfilter.extensions.set_match import MAX_NAME, Directions
from policyc.netfilter.hooks import Hook

SET_REFERENCE = Pair(Word(MAX_NAME, "name of the set"), Directions())
MAPPED = ("map-mark", "map-prio", "map-queue")


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    yield from lacking(options, "add-set", "del-set", "map-set")
    if "map-set" in options:
        yield from lacking(options, *MAPPED)


def _placement(options: Options, family: int) -> Placement:  # noqa: ARG001
    if "map-set" not in options:
        return ANYWHERE
    if "map-prio" not in options and "map-queue" not in options:
        return in_tables("mangle", why="`--map-set` changes the packet")
    hooks = (Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING)
    return in_tables("mangle", hooks=hooks, why="priorities and queues are for packets that leave")


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:
    effects: list[Effect] = [
        Note("set", f"{name[:3]} {SET_REFERENCE.write(options[name], around.family)}")
        for name in ("add-set", "del-set")
        if name in options
    ]
    if "map-set" in options:
        changed = (fields.MARK,) if "map-mark" in options else ()
        effects.append(
            Mutate("mark and class of a set", SET_REFERENCE.write(options["map-set"], around.family), changed)
        )
    return tuple(effects)


TARGET = TargetExtension(
    name="SET",
    options=(
        Option("add-set", SET_REFERENCE),
        Option("exist", needs=("add-set",)),
        Option("timeout", Number(0, 0xFFFFFFFE), needs=("add-set",)),
        Option("del-set", SET_REFERENCE),
        Option("map-set", SET_REFERENCE),
        *(Option(name, needs=("map-set",)) for name in MAPPED),
    ),
    placement=_placement,
    check=_check,
    effects=_effects,
)
