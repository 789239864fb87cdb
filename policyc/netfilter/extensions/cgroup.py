"""-m cgroup: the control group of the packet's socket, by net_cls number or by path (net/netfilter/xt_cgroup.c).

False without a socket, negated or not. Which path a socket has is known to the host alone, so a path is opaque; so is the
socket that a packet from outside is for, which the kernel may have found before INPUT.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import Number, Text
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings, in_hooks, lacking
from policyc.netfilter.extensions.owner import HAS_SOCKET
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import In, Opaque, Predicate, all_of, any_of, negate

_RECEIVER = (fields.SRC, fields.DST, fields.SPORT, fields.DPORT, fields.PROTO)


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, "path", "cgroup")


def _meaning(options: Options, around: Surroundings) -> Predicate:
    text = MATCH.spelled(options, around.family)
    came_in = all_of(In(fields.IIF, ~NameSet()), Opaque(text, _RECEIVER))
    if "cgroup" in options:
        number = In(fields.CGROUP, IntervalSet.of(options["cgroup"]))
        if options.negated("cgroup"):
            return any_of(all_of(In(fields.CGROUP, IntervalSet.of((0, 2**32 - 1))), negate(number)), came_in)
        return any_of(number, came_in)
    return any_of(all_of(HAS_SOCKET, Opaque(text, (fields.UID, fields.GID, fields.CGROUP))), came_in)


MATCH = MatchExtension(
    name="cgroup",
    options=(
        Option("path", Text(511, "path"), negatable=True, excludes=("cgroup",)),  # XT_CGROUP_PATH_LEN is 512
        Option("cgroup", Number(), negatable=True, excludes=("path",)),
    ),
    placement=in_hooks(
        Hook.INPUT, Hook.OUTPUT, Hook.POSTROUTING, why="the packet must belong to a socket of this host"
    ),
    check=_check,
    meaning=_meaning,
)
