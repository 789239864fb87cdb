"""-m osf: which operating system sent a SYN, by passive fingerprinting (net/netfilter/nfnetlink_osf.c).

The fingerprints are loaded at run time, so the outcome is opaque. The kernel never looks at `!`, and with `--log` any known
system will do: that is why each spelling is a condition of its own and no complement of another.
"""

from __future__ import annotations

from policyc.net.protocols import TCP
from policyc.netfilter import fields
from policyc.netfilter.arguments import Number, Word
from policyc.netfilter.effect import Effect, Note
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings, in_hooks, written
from policyc.netfilter.extensions.ports import has_header
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import Bits, Opaque, Predicate, all_of

_SYN = 2


def _meaning(options: Options, around: Surroundings) -> Predicate:
    reads = (fields.TTL, fields.LENGTH, fields.TCP_OPTION, fields.TCP_MSS)
    fingerprint = Opaque(f"-m osf{written(MATCH, options, around.family)}", reads)
    return all_of(has_header(TCP), Bits(fields.TCP_FLAGS, _SYN, _SYN), fingerprint)


def _side_effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Note("log", "osf"),) if "log" in options else ()


MATCH = MatchExtension(
    name="osf",
    options=(
        Option("genre", Word(31, "genre"), negatable=True, required=True),  # MAXGENRELEN is 32 with the NUL
        Option("ttl", Number(0, 2)),
        Option("log", Number(0, 2)),
    ),
    families=(4,),
    protocols=frozenset((TCP,)),
    placement=in_hooks(Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, why="only what was received has a foreign sender"),
    meaning=_meaning,
    side_effects=_side_effects,
)
