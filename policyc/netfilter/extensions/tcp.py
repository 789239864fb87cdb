"""-m tcp: ports, flags and options of TCP (net/netfilter/xt_tcpudp.c, iptables-extensions(8))."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from policyc.frozen import frozen
from policyc.net.intervals import IntervalSet
from policyc.net.protocols import TCP
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument, Number
from policyc.netfilter.extension import Given, MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.ports import (
    DESTINATION_PORT,
    SOURCE_PORT,
    has_header,
    port_tests,
    without_all_ports,
)
from policyc.netfilter.predicate import Bits, In, Predicate, all_of, negate_if

FLAGS = {
    "FIN": 1,
    "SYN": 2,
    "RST": 4,
    "PSH": 8,
    "ACK": 16,
    "URG": 32,
}  # in the order in which iptables-save prints them
SYN_TEST = (1 | 2 | 4 | 16, 2)  # what --syn stands for


@frozen
class FlagPair(Argument):
    """`MASK SET`, two comma-separated lists of flags (ALL, NONE), as two numbers."""

    words: ClassVar[int] = 2

    def read(self, words: Sequence[str], family: int) -> tuple[int, int]:  # noqa: ARG002
        """Return mask and set; raise ValueError for an unknown flag."""
        return _flags(words[0]), _flags(words[1])

    def write(self, value: tuple[int, int], family: int) -> str:  # noqa: ARG002
        """Return both lists."""
        return f"{_names(value[0])} {_names(value[1])}"


def _flags(word: str) -> int:
    number = 0
    for part in filter(None, word.upper().split(",")):  # an empty word is NONE, as iptables takes it
        if part == "ALL":
            number |= 63
        elif part in FLAGS:
            number |= FLAGS[part]
        elif part != "NONE":
            raise ValueError(f"`{part}` is none of the TCP flags {', '.join(FLAGS)}, ALL, NONE")
    return number


def _names(number: int) -> str:
    return ",".join(name for name, bit in FLAGS.items() if number & bit) or "NONE"


def _normalise(options: Options, family: int) -> Options:
    given = (
        Given("tcp-flags", SYN_TEST, item.negated) if item.name == "syn" else item
        for item in without_all_ports(options, family).without("tcp-flags", (0, 0)).given
    )
    return Options(tuple(given))


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    tests = [has_header(TCP), port_tests(options)]
    if "tcp-flags" in options:
        mask, value = options["tcp-flags"]
        tests.append(negate_if(options.negated("tcp-flags"), Bits(fields.TCP_FLAGS, mask, value)))
    if "tcp-option" in options:
        option = In(fields.TCP_OPTION, IntervalSet.of(options["tcp-option"]))
        tests.append(negate_if(options.negated("tcp-option"), option))
    return all_of(*tests)


MATCH = MatchExtension(
    name="tcp",
    options=(
        SOURCE_PORT,
        DESTINATION_PORT,
        Option("tcp-option", Number(1, 255), negatable=True),
        Option("tcp-flags", FlagPair(), negatable=True, excludes=("syn",)),
        Option("syn", negatable=True, excludes=("tcp-flags",)),
    ),
    protocols=frozenset((TCP,)),
    normalise=_normalise,
    meaning=_meaning,
)
