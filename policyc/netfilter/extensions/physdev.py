"""-m physdev: the bridge ports by which a packet came and will leave (net/netfilter/xt_physdev.c).

A packet that came over no bridge has no ports and meets every negated option, as the kernel has it. `--physdev-is-bridged` and
`--physdev-is-out` ask the same here: only for a bridged packet is the port out known. One that came in by a port and has none
to leave by meets neither `--physdev-out` nor its negation (measured).
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import Interface
from policyc.netfilter.extension import (
    ANYWHERE,
    Given,
    MatchExtension,
    Option,
    Options,
    Placement,
    Surroundings,
    in_hooks,
    lacking,
)
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import In, Predicate, all_of, any_of, negate, negate_if

_ANY_PORT = ~NameSet()
_FIELDS = {
    "physdev-is-in": fields.PHYSDEV_IN,
    "physdev-in": fields.PHYSDEV_IN,
    "physdev-is-out": fields.PHYSDEV_OUT,
    "physdev-out": fields.PHYSDEV_OUT,
    "physdev-is-bridged": fields.PHYSDEV_OUT,
}
_NOT_IN_OUTPUT = in_hooks(
    *(hook for hook in Hook if hook is not Hook.OUTPUT),
    why="the port out is known for bridged packets only, which `--physdev-is-bridged` has to say",
)


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, *_FIELDS)


def _placement(options: Options, family: int) -> Placement:  # noqa: ARG001
    asks_out = "physdev-out" in options or "physdev-is-out" in options
    is_bridged = "physdev-is-bridged" in options and not options.negated("physdev-is-bridged")
    return _NOT_IN_OUTPUT if asks_out and not is_bridged else ANYWHERE


def _test(item: Given) -> Predicate:
    ports = _ANY_PORT if item.value is None else NameSet.interface(item.value)
    test = In(_FIELDS[item.name], ports)
    if item.name == "physdev-out" and item.negated:
        leaves = In(fields.PHYSDEV_OUT, _ANY_PORT)
        return all_of(negate(test), any_of(leaves, negate(In(fields.PHYSDEV_IN, _ANY_PORT))))
    return negate_if(item.negated, test)


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    return all_of(*map(_test, options.given))


MATCH = MatchExtension(
    name="physdev",
    options=(
        Option("physdev-is-in", negatable=True),
        Option("physdev-in", Interface(), negatable=True),
        Option("physdev-is-out", negatable=True),
        Option("physdev-out", Interface(), negatable=True),
        Option("physdev-is-bridged", negatable=True),
    ),
    placement=_placement,
    check=_check,
    meaning=_meaning,
)
