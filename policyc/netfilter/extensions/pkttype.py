"""-m pkttype: to whom the frame was sent (net/netfilter/xt_pkttype.c); what this host sends itself is unicast."""

from __future__ import annotations

from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import Choice
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import In, Predicate, negate_if

TYPES = {
    "unicast": "unicast", "broadcast": "broadcast", "multicast": "multicast", "otherhost": "otherhost",
    "host": "unicast", "bcast": "broadcast", "mcast": "multicast",
}  # fmt: skip


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    return negate_if(options.negated("pkt-type"), In(fields.PKTTYPE, NameSet.of(options["pkt-type"])))


MATCH = MatchExtension(
    name="pkttype",
    options=(Option("pkt-type", Choice(TYPES, fold=True), negatable=True, required=True),),
    meaning=_meaning,
)
