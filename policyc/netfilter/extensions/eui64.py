"""-m eui64: the host part of the IPv6 source is made of the frame's MAC address (net/ipv6/netfilter/ip6t_eui64.c)."""

from __future__ import annotations

from policyc.net.intervals import IntervalSet
from policyc.netfilter import fields
from policyc.netfilter.extension import MatchExtension, Options, Surroundings, in_hooks
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import In, Opaque, Predicate, all_of


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    has_frame = In(fields.MAC_SRC, IntervalSet.of((0, (1 << 48) - 1)))
    return all_of(has_frame, Opaque("-m eui64", (fields.SRC, fields.MAC_SRC)))


MATCH = MatchExtension(
    name="eui64",
    families=(6,),
    placement=in_hooks(Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, why="only a received frame has a MAC address"),
    meaning=_meaning,
)
