"""-m devgroup: the group of the incoming or outgoing interface under a mask (net/netfilter/xt_devgroup.c)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.netfilter import fields
from policyc.netfilter.arguments import MaskedNumber
from policyc.netfilter.extension import MatchExtension, Option, Options, Placement, Surroundings, in_hooks, lacking
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import Predicate, all_of, negate_if, under_mask

_INCOMING = frozenset((Hook.PREROUTING, Hook.INPUT, Hook.FORWARD))
_OUTGOING = frozenset((Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING))
_FIELDS = {"src-group": fields.DEVGROUP_IN, "dst-group": fields.DEVGROUP_OUT}


@frozen
class Group(MaskedNumber):
    """`GROUP[/MASK]`; `default` is 0, other names are those of the host's /etc/iproute2/group and are refused.

    Group 0 is printed as a number, because a host without that file would not know the name `default`.
    """

    def parse(self, word: str, family: int) -> tuple[int, int]:
        """Return group and mask; raise ValueError."""
        if word == "default":
            return 0, (1 << self.bits) - 1
        if word[:1].isalpha():
            raise ValueError(
                f"`{word}` stands for a number of the host's /etc/iproute2/group, which is not read here; write the number"
            )
        return MaskedNumber.parse(self, word, family)


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, "src-group", "dst-group")


def _placement(options: Options, family: int) -> Placement:  # noqa: ARG001
    hooks = frozenset(Hook)
    if "src-group" in options:
        hooks &= _INCOMING
    if "dst-group" in options:
        hooks &= _OUTGOING
    return in_hooks(*hooks, why="the packet must have the interface whose group is tested")


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    tests = []
    for name, field in _FIELDS.items():
        if name in options:
            group, mask = options[name]
            # unlike `-m mark` the kernel masks both sides of the comparison
            tests.append(negate_if(options.negated(name), under_mask(field, group & mask, mask)))
    return all_of(*tests)


MATCH = MatchExtension(
    name="devgroup",
    options=(Option("src-group", Group(), negatable=True), Option("dst-group", Group(), negatable=True)),
    placement=_placement,
    check=_check,
    meaning=_meaning,
)
