"""loopback-blocked, loopback-by-address: a host whose rules keep its programs from talking to each other.

What a host sends to any of its own addresses goes by `lo`, to 192.0.2.1 as to 127.0.0.1, and passes INPUT and OUTPUT (measured).
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.admitting import Admission
from policyc.checks.fates import accepts
from policyc.checks.possible import Known
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, Place, diagnose
from policyc.net.addresses import Network, parse_address, parse_network
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.net.protocols import TCP
from policyc.netfilter import fields
from policyc.netfilter.hooks import Hook
from policyc.netfilter.ruleset import Table

# An address that stands for one of this host's own, of no special range, and ports that no rule is about.
_OWN = {4: parse_address("9.77.77.77", 4), 6: parse_address("2620:77:77::77", 6)}
_PORTS = IntervalSet.of(47113), IntervalSet.of(47811)
_LOOPBACK = {4: parse_network("127.0.0.0/8", 4), 6: parse_network("::1", 6)}


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield at most one finding for each family and direction."""
    for table in survey.tables:
        if table.name != "filter" or survey.ruleset.shared:
            continue
        for hook, option in ((Hook.INPUT, "-i"), (Hook.OUTPUT, "-o")):
            chain = table.chain(hook.value)
            if chain is None or not _accepts_something(survey, table, hook):
                continue
            refuser = Admission(survey, table, _own_packet(table.family, option)).refused_by(hook)
            if refuser is None or (isinstance(refuser, Standing) and refuser.is_foreign):
                continue
            related = (refuser.related("refuses them here"),) if isinstance(refuser, Standing) else ()
            place = Place(table.family, table.name, chain.name, 0)
            told = _by_address(survey, table, hook)
            if told is not None:
                yield diagnose(
                    "loopback-by-address",
                    "packets between this host's other addresses go by `lo` too, and no rule accepts them",
                    told.span, place=told.place, related=related, help=f"accept `{option} lo` instead of loopback addresses",
                )  # fmt: skip
            else:
                yield diagnose(
                    "loopback-blocked", f"{hook.value} refuses what programs of this host send to each other",
                    refuser.span, place=place, related=related,
                    help=f"accept `{option} lo` first; in a policy, `use baseline` does",
                )  # fmt: skip


def _own_packet(family: int, option: str) -> Known:
    address = IntervalSet.of(_OWN[family])
    local, none = NameSet.of("lo"), NameSet()
    return {
        fields.IIF: local if option == "-i" else none, fields.OIF: local if option == "-o" else none,
        fields.SRC: address, fields.DST: address, fields.PROTO: IntervalSet.of(TCP), fields.CT_STATE: NameSet.of("NEW"),
        fields.SPORT: _PORTS[0], fields.DPORT: _PORTS[1], fields.FRAG: NameSet.of("whole"),
    }  # fmt: skip


def _accepts_something(survey: Survey, table: Table, hook: Hook) -> bool:
    """Whether the hook is made for traffic at all: a rule accepts, or jumps somewhere."""
    graph = survey.graph(table)
    chains = (chain for chain in table.chains if hook in graph.hooks[chain.name])
    return any(accepts(rule) for chain in chains for rule in chain.rules)


def _by_address(survey: Survey, table: Table, hook: Hook) -> Standing | None:
    """Return the first rule that accepts loopback addresses and means the interface."""
    loopback = _LOOPBACK[table.family]
    for standing, _ in survey.uses("ACCEPT"):
        if standing.table is table and hook in survey.graph(table).hooks[standing.chain.name]:
            ends = [part for part in standing.rule.selectors if part.option in {"-s", "-d"} and not part.negated]
            networks = [part.value for part in ends if isinstance(part.value, Network)]
            if any(one.address & loopback.mask == loopback.address and one.mask & loopback.mask == loopback.mask
                   for one in networks):  # fmt: skip
                return standing
    return None
