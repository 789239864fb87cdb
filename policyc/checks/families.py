"""ipv6-open, nd-blocked, family-asymmetry: IPv6 rules beside those of IPv4.

Neighbour discovery is UNTRACKED and never ESTABLISHED (measured); without it IPv6 ends when the neighbours are forgotten
(RFC 4861), without packet-too-big large packets do (RFC 4890, 4.3.1).
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.admitting import Admission, falls_through
from policyc.checks.contexts import OTHER
from policyc.checks.fates import goes_elsewhere, refuses
from policyc.checks.limits import accepts_known
from policyc.checks.possible import OUTSIDE, Known
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, Place, diagnose
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.net.protocols import ICMPV6, TCP, UDP
from policyc.netfilter import fields
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Match
from policyc.netfilter.ruleset import Table

_NEEDED = {
    "neighbour solicitation": (135, "UNTRACKED"), "neighbour advertisement": (136, "UNTRACKED"), "packet too big": (2, "RELATED"),
}  # fmt: skip
_WHERE = frozenset((OTHER, fields.SRC, fields.MAC_SRC, fields.MARK))


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield what IPv6 is missing, or has too much of."""
    six = survey.ruleset.table(6, "filter")
    if six is None or survey.ruleset.shared or _is_off(survey):
        return
    yield from _needed(survey, six)
    four = survey.ruleset.table(4, "filter")
    if four is not None:
        yield from _open(survey, four, six)
        yield from _asymmetric(survey)


def _is_off(survey: Survey) -> bool:
    host = survey.ruleset.host
    return host is not None and host.sysctls.of_all(6, "disable_ipv6") == 1


def _needed(survey: Survey, six: Table) -> Iterator[Diagnostic]:
    chain = six.chain(Hook.INPUT.value)
    if chain is None:
        return
    refused: dict[str, Standing | None] = {}
    for name, (kind, state) in _NEEDED.items():
        known: Known = {
            fields.PROTO: IntervalSet.of(ICMPV6), fields.ICMP: IntervalSet.of((kind * 256, kind * 256 + 255)),
            fields.CT_STATE: NameSet.of(state), fields.FRAG: NameSet.of("whole"), fields.SPORT: IntervalSet(),
            fields.DPORT: IntervalSet(), fields.TCP_FLAGS: IntervalSet(), fields.IIF: OUTSIDE,
        }  # fmt: skip
        refuser = Admission(survey, six, known).refused_by(Hook.INPUT)
        if refuser is not None:
            refused[name] = refuser if isinstance(refuser, Standing) else None
    if not refused or not _lets_in(survey, six):
        return
    by = next((one for one in refused.values() if one is not None), None)
    yield diagnose(
        "nd-blocked", f"INPUT refuses ICMPv6 that IPv6 cannot do without: {', '.join(refused)}",
        by.span if by is not None else chain.span, place=by.place if by is not None else Place(6, "filter", chain.name, 0),
        help="accept `-p ipv6-icmp`, or these types by name; in a policy, `use baseline` does",
    )  # fmt: skip


def _lets_in(survey: Survey, six: Table) -> bool:
    """Whether some rule lets in more than answers and loopback, so that IPv6 is meant to work."""
    for standing, _ in survey.uses("ACCEPT"):
        if standing.table is six and Hook.INPUT in survey.graph(six).hooks[standing.chain.name]:
            incoming = standing.rule.selector("-i")
            is_loopback = incoming is not None and incoming.value == "lo" and not incoming.negated
            if not is_loopback and not accepts_known(standing.rule, 6):
                return True
    return False


def _open(survey: Survey, four: Table, six: Table) -> Iterator[Diagnostic]:
    if four.chain(Hook.INPUT.value) is None or falls_through(survey, four, Hook.INPUT):
        return
    chain = six.chain(Hook.INPUT.value)
    rules = chain.rules if chain is not None else ()
    if falls_through(survey, six, Hook.INPUT) and not any(refuses(rule) or goes_elsewhere(rule) for rule in rules):
        yield diagnose(
            "ipv6-open", "INPUT of IPv6 refuses nothing, and that of IPv4 refuses what no rule accepts",
            chain.span if chain is not None else None, place=Place(6, "filter", Hook.INPUT.value, 0),
            help="load rules for IPv6 too, or set net.ipv6.conf.all.disable_ipv6=1",
        )  # fmt: skip


def _asymmetric(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules that open to everybody in one family what the other opens to some only."""
    services: dict[int, dict[tuple[int, int], list[Standing]]] = {4: {}, 6: {}}
    for standing, _ in survey.uses("ACCEPT"):
        hooks = survey.graph(standing.table).hooks[standing.chain.name]
        port = _service(standing) if Hook.INPUT in hooks and standing.table.name == "filter" else None
        if port is not None:
            services[standing.table.family].setdefault(port, []).append(standing)
    for family, other in ((4, 6), (6, 4)):
        for port, rules in services[family].items():
            theirs = services[other].get(port, [])
            wide = next((one for one in theirs if survey.tested(one).isdisjoint(_WHERE | {fields.IIF})), None)
            if wide is not None and all(fields.SRC in survey.tested(one) for one in rules):
                yield diagnose(
                    "family-asymmetry", f"everybody may connect to port {port[1]} by IPv{other}, and by IPv{family} only some",
                    wide.span, place=wide.place, related=(rules[0].related(f"accepts it by IPv{family} from some"),),
                    help="accept it from the same hosts' addresses of this family",
                )  # fmt: skip


def _service(standing: Standing) -> tuple[int, int] | None:
    protocol = standing.rule.protocol
    if protocol not in {TCP, UDP}:
        return None
    for part in standing.rule.parts:
        if isinstance(part, Match) and part.name in {"tcp", "udp"} and not part.options.negated("dport"):
            low, high = part.options.get("dport", (0, 65535))
            if low == high:
                return protocol, low
    return None
