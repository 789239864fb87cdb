"""-j TCPMSS: the maximum segment size that a SYN announces (net/netfilter/xt_TCPMSS.c).

iptables-legacy refuses a rule whose `-m tcp` does not demand SYN; iptables-nft loads it, because the kernel does not see the
match there. Here it is refused: the target acts on nothing else, and such a rule would not load everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.net.protocols import TCP
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument, parse_number
from policyc.netfilter.effect import Effect, Mutate
from policyc.netfilter.extension import (
    ANYWHERE,
    Option,
    Options,
    Placement,
    Surroundings,
    TargetExtension,
    in_hooks,
    lacking,
)
from policyc.netfilter.extensions.tcp import FLAGS
from policyc.netfilter.hooks import Hook

LARGEST = {4: 65535 - 20, 6: 65535 - 40}  # libxt_TCPMSS: what an IP header leaves of the largest packet


@frozen
class SegmentSize(Argument):
    """Bytes, at most what the family's header leaves of 65535."""

    def parse(self, word: str, family: int) -> int:
        """Return the size; raise ValueError."""
        return parse_number(word, 0, LARGEST[family])


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, "set-mss", "clamp-mss-to-pmtu")


def _demand(options: Options, around: Surroundings) -> Iterable[str]:  # noqa: ARG001
    for name, given in around.matches:
        if name == "tcp" and "tcp-flags" in given and not given.negated("tcp-flags"):
            _, demanded = given["tcp-flags"]
            if demanded & FLAGS["SYN"]:
                return
    yield "`TCPMSS` needs `-m tcp --tcp-flags SYN,RST SYN` or another test for SYN in the same rule"


def _placement(options: Options, family: int) -> Placement:  # noqa: ARG001
    if "clamp-mss-to-pmtu" not in options:
        return ANYWHERE
    return in_hooks(
        Hook.FORWARD,
        Hook.OUTPUT,
        Hook.POSTROUTING,
        why="the path that `--clamp-mss-to-pmtu` asks about has no route yet",
    )


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    size = options.get("set-mss")
    return (
        Mutate(
            "tcp-mss", "path MTU" if size is None else str(size), (fields.TCP_MSS, fields.TCP_OPTION, fields.LENGTH)
        ),
    )


TARGET = TargetExtension(
    name="TCPMSS",
    options=(
        Option("set-mss", SegmentSize(), excludes=("clamp-mss-to-pmtu",)),
        Option("clamp-mss-to-pmtu", excludes=("set-mss",)),
    ),
    protocols=frozenset((TCP,)),
    placement=_placement,
    check=_check,
    demand=_demand,
    effects=_effects,
)
