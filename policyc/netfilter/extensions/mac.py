"""-m mac: the source address of the Ethernet frame (net/netfilter/xt_mac.c).

Packets that came in no Ethernet frame match neither with nor without `!`.
"""

from __future__ import annotations

from policyc.net.intervals import IntervalSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import MacAddress
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings, in_hooks
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import In, Predicate


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    address = IntervalSet.of(options["mac-source"])
    return In(fields.MAC_SRC, address.complement((1 << 48) - 1) if options.negated("mac-source") else address)


MATCH = MatchExtension(
    name="mac",
    options=(Option("mac-source", MacAddress(), negatable=True, required=True),),
    placement=in_hooks(Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, why="only a received frame has a MAC address"),
    meaning=_meaning,
)
