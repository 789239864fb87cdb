"""dnat-not-admitted: connections get another destination, and no rule can accept them on the way there.

FORWARD sees the translated destination (measured). Asked is only whether some rule may accept; whether an earlier one drops
first is a question about all packets. An address of this host itself is delivered by INPUT: where that accepts, it is a
remark.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.admitting import Admission, falls_through
from policyc.checks.possible import Known
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, Severity, diagnose
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.effect import Rewrite
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Part, Target
from policyc.netfilter.predicate import All, In
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Table


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the translations of the destination that FORWARD does not admit."""
    for nat in survey.tables:
        filters = survey.ruleset.table(nat.family, "filter") if nat.name == "nat" else None
        if filters is None or falls_through(survey, filters, Hook.FORWARD):
            continue
        for chain in nat.chains:
            if Hook.PREROUTING not in survey.graph(nat).hooks[chain.name]:
                continue
            around = Surroundings(nat.family)
            found = {key for key, part in survey.parts(chain).items() if _rewrite(part, around) is not None}
            for standing, part in survey.having(nat, chain, found) if found else ():
                if not standing.is_foreign:
                    yield from _finding(survey, filters, standing, part)


def _rewrite(part: Part, around: Surroundings) -> Rewrite | None:
    """Return the translation to given addresses that a part makes."""
    if not isinstance(part, Target) or part.extension is None or part.name != "DNAT":
        return None
    effects = (effect for effect in part.effects(around) if isinstance(effect, Rewrite))
    return next((e for e in effects if e.side is fields.DST and e.addresses), None)


def _finding(survey: Survey, filters: Table, standing: Standing, part: Part) -> Iterator[Diagnostic]:
    rewrite = _rewrite(part, Surroundings(filters.family))
    if rewrite is None or rewrite.addresses is None:
        return
    known = {fields.DST: rewrite.addresses, **translated_packet(standing.rule, rewrite.ports, filters.family)}
    if Admission(survey, filters, known).admits(Hook.FORWARD):
        return
    own = falls_through(survey, filters, Hook.INPUT) or Admission(survey, filters, known).admits(Hook.INPUT)
    yield diagnose(
        "dnat-not-admitted",
        "nothing in FORWARD accepts the packets that the rule translates"
        + (", unless the address is one of this host" if own else ""),
        standing.span, place=standing.place, severity_override=Severity.INFO if own else None,
        help="accept them in FORWARD by their new destination, or by the old one with `-m conntrack --ctorigdstport`",
    )  # fmt: skip


def translated_packet(rule: Rule, ports: IntervalSet | None, family: int) -> Known:
    """Return what is known of the first packet of a connection that passed a rule; `ports` None where it keeps its port."""
    known: dict[fields.Field, IntervalSet | NameSet] = {fields.CT_STATE: NameSet.of("NEW")}
    predicate = rule.predicate(family)
    for atom in predicate.parts if isinstance(predicate, All) else (predicate,):
        if isinstance(atom, In) and atom.field in {fields.PROTO, fields.DPORT} and isinstance(atom.values, IntervalSet):
            known[atom.field] = atom.values
        if isinstance(atom, In) and atom.field is fields.IIF and isinstance(atom.values, NameSet):
            names = atom.values
            if not names.prefixes and not names.complement:
                known[fields.IIF] = names
    if ports is not None:
        known[fields.DPORT] = ports
    return known
