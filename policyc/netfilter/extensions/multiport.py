"""-m multiport: up to fifteen ports or port ranges (net/netfilter/xt_multiport.c)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.net.intervals import IntervalSet
from policyc.net.protocols import WITH_PORTS
from policyc.net.services import port_of
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings, lacking
from policyc.netfilter.extensions.ports import has_header
from policyc.netfilter.predicate import In, Predicate, all_of, any_of, negate_if

MOST_PORTS = 15  # XT_MULTI_PORTS; a range takes two
_NAMES = ("sports", "dports", "ports")
_FIELDS = {"sports": (fields.SPORT,), "dports": (fields.DPORT,), "ports": (fields.SPORT, fields.DPORT)}


@frozen
class PortList(Argument):
    """`PORT[:PORT],…` as a tuple of (low, high) in the order given, which iptables-save keeps."""

    def parse(self, word: str, family: int) -> tuple[tuple[int, int], ...]:  # noqa: ARG002
        """Return the ranges; raise ValueError for an unknown port, a range that is not rising, or too many ports."""
        found: list[tuple[int, int]] = []
        for part in word.split(","):
            first, colon, last = part.partition(":")
            low = port_of(first)
            high = port_of(last) if colon else low
            if colon and low >= high:
                raise ValueError(f"the port range `{part}` does not rise")
            found.append((low, high))
        slots = sum(1 if low == high else 2 for low, high in found)
        if slots > MOST_PORTS:
            raise ValueError(f"{slots} ports are too many: {MOST_PORTS} fit in a rule, and a range counts as two")
        return tuple(found)

    def write(self, value: tuple[tuple[int, int], ...], family: int) -> str:  # noqa: ARG002
        """Return the list."""
        return ",".join(str(low) if low == high else f"{low}:{high}" for low, high in value)


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, *_NAMES)


def _meaning(options: Options, around: Surroundings) -> Predicate:
    protocols = (around.protocol,) if around.protocol else sorted(WITH_PORTS)
    tests = [any_of(*(has_header(protocol) for protocol in protocols))]
    for item in options.given:
        ports = IntervalSet.of(*item.value)
        tests.append(negate_if(item.negated, any_of(*(In(field, ports) for field in _FIELDS[item.name]))))
    return all_of(*tests)


MATCH = MatchExtension(
    name="multiport",
    options=(
        Option("sports", PortList(), ("source-ports",), negatable=True, excludes=("dports", "ports")),
        Option("dports", PortList(), ("destination-ports",), negatable=True, excludes=("sports", "ports")),
        Option("ports", PortList(), negatable=True, excludes=("sports", "dports")),
    ),
    protocols=WITH_PORTS,
    check=_check,
    meaning=_meaning,
)
