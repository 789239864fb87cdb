"""-m socket: whether the packet belongs to a socket of this host (net/netfilter/xt_socket.c, revision 3)."""

from __future__ import annotations

from policyc.netfilter import fields
from policyc.netfilter.effect import Assign, Effect
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings, in_hooks
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import Ask, Predicate

_READS = (fields.SRC, fields.DST, fields.SPORT, fields.DPORT, fields.PROTO, fields.IIF)
_ALL_BITS = 0xFFFFFFFF


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    return Ask("socket", tuple(name for name in ("transparent", "nowildcard") if name in options), _READS)


def _side_effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    if "restore-skmark" not in options:
        return ()
    return (Assign(fields.MARK, _ALL_BITS, 0, fields.SOCKET_MARK, _ALL_BITS),)


MATCH = MatchExtension(
    name="socket",
    options=(Option("transparent"), Option("nowildcard"), Option("restore-skmark")),
    placement=in_hooks(Hook.PREROUTING, Hook.INPUT, why="the socket is that of a packet that came in"),
    meaning=_meaning,
    side_effects=_side_effects,
)
