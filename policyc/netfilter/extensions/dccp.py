"""-m dccp: ports, packet types and options of DCCP (net/netfilter/xt_dccp.c, RFC 4340)."""

from __future__ import annotations

from policyc.net.intervals import IntervalSet
from policyc.net.protocols import DCCP
from policyc.netfilter import fields
from policyc.netfilter.arguments import ChoiceList, Number
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.ports import DESTINATION_PORT, SOURCE_PORT, has_header, port_tests
from policyc.netfilter.predicate import In, Predicate, all_of, negate_if

# RFC 4340, table 1, numbered from 0; INVALID is the kernel's first unassigned number.
TYPES = (
    "REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ", "CLOSE", "RESET", "SYNC", "SYNCACK", "INVALID",
)  # fmt: skip


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    tests = [has_header(DCCP), port_tests(options)]
    if "dccp-types" in options:
        numbers = IntervalSet.of(*(TYPES.index(name) for name in options["dccp-types"]))
        tests.append(negate_if(options.negated("dccp-types"), In(fields.DCCP_TYPE, numbers)))
    if "dccp-option" in options:
        option = In(fields.DCCP_OPTION, IntervalSet.of(options["dccp-option"]))
        tests.append(negate_if(options.negated("dccp-option"), option))
    return all_of(*tests)


MATCH = MatchExtension(
    name="dccp",
    options=(
        SOURCE_PORT,
        DESTINATION_PORT,
        Option("dccp-types", ChoiceList(TYPES, fold=True), negatable=True),
        Option("dccp-option", Number(1, 255), negatable=True),
    ),
    protocols=frozenset((DCCP,)),
    meaning=_meaning,
)
