"""related-without-helper, related-too-wide: data connections that a helper of connection tracking announces.

Since Linux 6.0 no helper is assigned by port (net.netfilter.nf_conntrack_helper is gone, measured); `CT --helper` does it.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.contexts import OTHER
from policyc.checks.fates import accepts
from policyc.checks.possible import is_possible
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.net.names import NameSet
from policyc.net.protocols import TCP, UDP
from policyc.netfilter import fields
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Match, Target

SERVICES = {(TCP, 21): "ftp", (UDP, 69): "tftp", (TCP, 1723): "pptp"}
_TO_SERVICES = frozenset((Hook.INPUT, Hook.FORWARD))
_MANY = 50  # ports that are open besides, which a server may use for its data connections


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield services whose data connections nothing announces, and rules that accept whatever is announced."""
    helped = {
        (standing.table.family, part.options["helper"])
        for standing, part in survey.uses("CT", foreign=True)
        if "helper" in part.options
    }
    related = list(_related(survey))
    host = survey.ruleset.host
    if host is None or host.sysctls.text("net.netfilter.nf_conntrack_helper") != "1":
        yield from _without_helper(survey, helped, {one.table.family for one in related})
    for one in related:
        if any(family == one.table.family for family, _ in helped) and _is_wide(survey, one):
            yield diagnose(
                "related-too-wide", "the rule accepts to any port what a helper announces, and peers say what it announces",
                one.span, place=one.place, help="ask for `-m helper --helper NAME` and the ports that it may use",
            )  # fmt: skip
            break


def _related(survey: Survey) -> Iterator[Standing]:
    """Yield the rules that accept RELATED packets and no new ones."""
    for name in ("conntrack", "state"):
        for standing, part in survey.uses(name):
            if standing.table.name != "filter" or not accepts(standing.rule) or not isinstance(part, Match):
                continue
            meaning = part.meaning(Surroundings(standing.table.family))
            states = {
                state for state in ("NEW", "RELATED") if is_possible(meaning, {fields.CT_STATE: NameSet.of(state)})
            }
            if states == {"RELATED"}:
                yield standing


def _is_wide(survey: Survey, one: Standing) -> bool:
    tested = survey.tested(one)
    return tested.isdisjoint({fields.CT_HELPER, fields.DPORT, fields.SPORT, fields.ICMP, OTHER}) and (
        one.rule.protocol in {None, TCP, UDP}
    )


def _without_helper(survey: Survey, helped: set[tuple[int, str]], related: set[int]) -> Iterator[Diagnostic]:
    told: set[str] = set()
    for match in ("tcp", "udp"):
        for standing, part in survey.uses(match, only=_is_one_port):
            family, protocol = standing.table.family, standing.rule.protocol or 0
            low, high = part.options.get("dport", (0, 0))
            service = SERVICES.get((protocol, low)) if low == high else None
            hooks = survey.graph(standing.table).hooks[standing.chain.name]
            if service is None or service in told or family not in related or (family, service) in helped:
                continue
            if not accepts(standing.rule) or standing.table.name != "filter" or not hooks <= _TO_SERVICES:
                continue
            if not _opens_many(survey, standing):
                told.add(service)
                yield diagnose(
                    "related-without-helper", f"nothing announces the data connections of {service}, so that none is RELATED",
                    standing.span, place=standing.place,
                    help=f"`-t raw -A PREROUTING -p {match} --dport {low} -j CT --helper {service}`; or open the server's"
                    " range of data ports",
                )  # fmt: skip


def _is_one_port(part: Match | Target) -> bool:
    low, high = part.options.get("dport", (0, 1))
    return low == high and low in {port for _, port in SERVICES}


def _opens_many(survey: Survey, standing: Standing) -> bool:
    """Whether another rule opens a range of ports of the same protocol, for the data connections perhaps."""
    for part in survey.parts(standing.chain).values():
        if isinstance(part, Match) and part.protocols and standing.rule.protocol in part.protocols:
            low, high = part.options.get("dport", (0, 0))
            spans = [(low, high), *part.options.get("dports", ())]
            if any(last - first >= _MANY for first, last in spans):
                return True
    return False
