"""-m realm: the routing realm of the packet's route (net/netfilter/xt_realm.c, ip-route(8))."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument, MaskedNumber
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings, in_hooks
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import Bits, Predicate, negate_if

_FULL = 0xFFFFFFFF


@frozen
class Realm(Argument):
    """`VALUE[/MASK]`; of the names in /etc/iproute2/rt_realms only the one that iproute2 ships is known, `cosmos` for 0."""

    def parse(self, word: str, family: int) -> tuple[int, int]:
        """Return value and mask; raise ValueError."""
        return (0, _FULL) if word == "cosmos" else MaskedNumber().parse(word, family)

    def write(self, value: tuple[int, int], family: int) -> str:
        """Return the numbers: a name would need the host's file to be read again."""
        return MaskedNumber().write(value, family)


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    value, mask = options["realm"]
    return negate_if(options.negated("realm"), Bits(fields.REALM, mask, value))


MATCH = MatchExtension(
    name="realm",
    options=(Option("realm", Realm(), negatable=True, required=True),),
    families=(4,),
    placement=in_hooks(
        Hook.INPUT, Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING, why="before routing a packet has no realm"
    ),
    meaning=_meaning,
)
