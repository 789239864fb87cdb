"""-m rpfilter: whether an answer would leave by the interface the packet came in by (ipt_rpfilter.c, ip6t_rpfilter.c)."""

from __future__ import annotations

from policyc.netfilter import fields
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings, in_tables
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import Ask, Predicate, negate_if

_QUESTION = ("loose", "validmark", "accept-local")


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    subject = tuple(name for name in _QUESTION if name in options)
    reads = (fields.SRC, fields.DST, fields.IIF, fields.TOS, *((fields.MARK,) if "validmark" in options else ()))
    return negate_if("invert" in options, Ask("rpfilter", subject, reads))


MATCH = MatchExtension(
    name="rpfilter",
    options=(*(Option(name) for name in _QUESTION), Option("invert")),
    placement=in_tables("raw", "mangle", hooks=(Hook.PREROUTING,), why="the kernel asks its routes before routing"),
    meaning=_meaning,
)
