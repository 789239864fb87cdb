"""-j TCPOPTSTRIP: TCP options are replaced by no-operations (net/netfilter/xt_TCPOPTSTRIP.c)."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.net.protocols import TCP
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument, parse_number
from policyc.netfilter.effect import Effect, Mutate
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension, in_tables

# Option kinds by name (IANA, TCP option kind numbers); end of options and no-operation cannot be stripped.
NAMES = {"wscale": 3, "mss": 2, "sack-permitted": 4, "sack": 5, "timestamp": 8, "md5": 19}
LOWEST = 2


@frozen
class OptionKinds(Argument):
    """A comma-separated list of kinds from 2 to 255 or names, none of them twice, as a sorted tuple."""

    def parse(self, word: str, family: int) -> tuple[int, ...]:  # noqa: ARG002
        """Return the kinds; raise ValueError."""
        kinds = [NAMES.get(part) or _kind(part) for part in word.split(",")]
        twice = next((kind for kind in kinds if kinds.count(kind) > 1), None)
        if twice is not None:
            raise ValueError(f"the TCP option {twice} is given twice in `{word}`")
        return tuple(sorted(kinds))

    def write(self, value: tuple[int, ...], family: int) -> str:  # noqa: ARG002
        """Return the numbers, smallest first."""
        return ",".join(map(str, value))


def _kind(part: str) -> int:
    try:
        return parse_number(part, LOWEST, 255)
    except ValueError:
        raise ValueError(
            f"`{part}` is neither a TCP option from {LOWEST} to 255 nor one of {', '.join(NAMES)}"
        ) from None


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:
    kinds = options.get("strip-options", ())
    if not kinds:
        return ()
    return (Mutate("tcp-options", OptionKinds().write(kinds, around.family), (fields.TCP_OPTION, fields.TCP_MSS)),)


TARGET = TargetExtension(
    name="TCPOPTSTRIP",
    options=(Option("strip-options", OptionKinds()),),
    protocols=frozenset((TCP,)),
    placement=in_tables("mangle"),
    effects=_effects,
)
