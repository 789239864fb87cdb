"""-j CLUSTERIP: one address on several nodes, each answering a share (ipt_CLUSTERIP.c, gone from Linux since 6.9).

Which packets a node takes depends on a hash and on who else is up, so the effect is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.netfilter.arguments import MacAddress, Number, choice
from policyc.netfilter.effect import Effect, Note
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension

TOGETHER = ("new", "hashmode", "clustermac", "total-nodes", "local-node")
MULTICAST = 1 << 40  # the lowest bit of the first byte


@frozen
class MulticastMac(MacAddress):
    """A link-layer multicast address, printed in upper case."""

    def parse(self, word: str, family: int) -> int:
        """Return the address; raise ValueError."""
        address = MacAddress.parse(self, word, family)
        if not address & MULTICAST:
            raise ValueError(f"`{word}` is not a multicast address: its first byte must be odd")
        return address

    def write(self, value: int, family: int) -> str:
        """Return the address."""
        return MacAddress.write(self, value, family).upper()


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    missing = [name for name in TOGETHER if name not in options]
    if missing and options.given:
        yield f"`CLUSTERIP --new` needs {', '.join(f'`--{name}`' for name in missing)} too"
    elif options.given and not 1 <= options["local-node"] <= options["total-nodes"]:
        yield "`--local-node` is a number from 1 to `--total-nodes`"


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return options.with_values(hash_init=options.get("hash-init", 0)) if options.given else options


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Note("unknown", "CLUSTERIP"),)


TARGET = TargetExtension(
    name="CLUSTERIP",
    families=(4,),
    options=(
        Option("new"),
        Option("hashmode", choice("sourceip", "sourceip-sourceport", "sourceip-sourceport-destport")),
        Option("clustermac", MulticastMac()),
        Option("total-nodes", Number(0, 16)),
        Option("local-node", Number(0, 16)),
        Option("hash-init", Number()),
    ),
    check=_check,
    normalise=_normalise,
    effects=_effects,
)
