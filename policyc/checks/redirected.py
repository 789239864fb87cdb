"""redirected-port-closed, port-tested-before-translation: the table filter sees the port behind a translation (measured).

REDIRECT delivers to the new port, and INPUT must accept that. TPROXY changes nothing, and INPUT must accept the port that
the client used.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.admission import translated_packet
from policyc.checks.admitting import Admission, falls_through
from policyc.checks.fates import accepts
from policyc.checks.possible import Known, is_possible
from policyc.checks.survey import Standing, Survey
from policyc.checks.translations import Translation, translations
from policyc.diagnostics import Diagnostic, Severity, diagnose
from policyc.net.intervals import IntervalSet
from policyc.netfilter import fields
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Target, Unknown
from policyc.netfilter.ruleset import Table


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the ports that INPUT does not accept, and the rules of FORWARD that ask for the port before translation."""
    yield from _redirected(survey)
    for one in translations(survey, "DNAT", Hook.PREROUTING):
        filters = survey.ruleset.table(one.standing.table.family, "filter")
        if filters is not None and not falls_through(survey, filters, Hook.FORWARD):
            yield from _before_translation(survey, filters, one)


def _redirected(survey: Survey) -> Iterator[Diagnostic]:
    found: list[tuple[Standing, IntervalSet | None]] = [
        (one.standing, one.rewrite.ports) for one in translations(survey, "REDIRECT", Hook.PREROUTING)
    ]
    found += [(standing, None) for standing, _ in survey.uses("TPROXY")]
    for standing, ports in found:
        filters = survey.ruleset.table(standing.table.family, "filter")
        if filters is None or falls_through(survey, filters, Hook.INPUT):
            continue
        known = dict(translated_packet(standing.rule, ports, filters.family))
        if fields.DPORT not in known or Admission(survey, filters, known).admits(Hook.INPUT):
            continue
        yield diagnose(
            "redirected-port-closed", f"INPUT accepts no packet to port {_text(known)}, which these packets have there",
            standing.span, place=standing.place,
            help="accept the port behind REDIRECT, and the port that the client used behind TPROXY",
        )  # fmt: skip


def _text(known: Known) -> str:
    ports = known[fields.DPORT]
    assert isinstance(ports, IntervalSet)
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ports)


def _before_translation(survey: Survey, filters: Table, one: Translation) -> Iterator[Diagnostic]:
    """Yield the rules of FORWARD that accept the port as it was, where none accepts it as it is."""
    before = translated_packet(one.standing.rule, None, filters.family)
    after = dict(translated_packet(one.standing.rule, one.rewrite.ports, filters.family))
    if one.rewrite.addresses is None or one.rewrite.ports is None or fields.DPORT not in before:
        return
    after[fields.DST] = one.rewrite.addresses
    if before[fields.DPORT] == after[fields.DPORT] or Admission(survey, filters, after).admits(Hook.FORWARD):
        return
    around = Surroundings(filters.family)
    for standing, _ in survey.uses("ACCEPT"):
        rule = standing.rule
        hooks = survey.graph(standing.table).hooks[standing.chain.name]
        if standing.table is not filters or Hook.FORWARD not in hooks or fields.DPORT not in survey.tested(standing):
            continue
        tests = [part.meaning(around) for part in rule.parts if not isinstance(part, Target | Unknown)]
        was = all(is_possible(test, before) for test in tests)
        if accepts(rule) and was and not all(is_possible(test, after) for test in tests):
            yield diagnose(
                "port-tested-before-translation", f"FORWARD sees port {_text(after)} here: the packets are translated before",
                standing.span, place=standing.place, related=(one.standing.related("translates them"),),
                severity_override=Severity.WARNING,
                help="accept the new port, or the old one with `-m conntrack --ctorigdstport`",
            )  # fmt: skip
