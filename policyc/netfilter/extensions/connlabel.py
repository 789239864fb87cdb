"""-m connlabel: a label of the packet's connection, one of 128 bits (net/netfilter/xt_connlabel.c).

With `--set` the label is given to the connection when it lacks it, so that the test holds for every connection. The names of
/etc/xtables/connlabel.conf belong to the host and are not read.
"""

from __future__ import annotations

from policyc.net.intervals import IntervalSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument, parse_number
from policyc.netfilter.effect import Assign, Effect
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.connection import HAS_ENTRY
from policyc.netfilter.predicate import In, Predicate, negate_if

LABELS = 128  # XT_CONNLABEL_MAXBIT is 127


class Label(Argument):
    """The number of a label, which iptables-save prints in quotes."""

    __slots__ = ()

    def parse(self, word: str, family: int) -> int:  # noqa: ARG002
        """Return the number; raise ValueError for a name, too."""
        if word[:1].isalpha():
            raise ValueError(
                f"`{word}` is a name of the host's connlabel.conf, which may differ from host to host; write its number"
            )
        return parse_number(word, 0, LABELS - 1)

    def write(self, value: int, family: int) -> str:  # noqa: ARG002
        """Return the number in quotes."""
        return f'"{value}"'


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    test = HAS_ENTRY if "set" in options else In(fields.CT_LABEL, IntervalSet.of(options["label"]))
    return negate_if(options.negated("label"), test)


def _side_effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    bit = 1 << options["label"]
    return (Assign(fields.CT_LABEL, bit, bit),) if "set" in options else ()


MATCH = MatchExtension(
    name="connlabel",
    options=(Option("label", Label(), negatable=True, required=True), Option("set")),
    meaning=_meaning,
    side_effects=_side_effects,
)
