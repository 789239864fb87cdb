"""no-hairpin, own-traffic-untranslated: a published address that works from outside only (measured).

Said of a rule that names the public address and no interface, since its author means whoever asks for that address.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.possible import is_possible
from policyc.checks.survey import Survey
from policyc.checks.translations import Translation, is_private, translations
from policyc.diagnostics import Diagnostic, diagnose
from policyc.netfilter import fields
from policyc.netfilter.effect import Rewrite
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Target, Unknown
from policyc.netfilter.rule import Rule

_TRANSLATES_SOURCE = ("MASQUERADE", "SNAT", "NETMAP")


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the published addresses that their own network, or this host itself, does not reach."""
    for one in translations(survey, "DNAT", Hook.PREROUTING):
        family, tested = one.standing.table.family, survey.tested(one.standing)
        if one.destination is None or fields.IIF in tested or fields.SRC in tested:
            continue
        if not is_private(one.rewrite.addresses, family):
            continue
        if not _comes_back(survey, one.rewrite, family):
            yield diagnose(
                "no-hairpin", "hosts beside the server cannot use the public address: the server answers them directly",
                one.standing.span, place=one.standing.place,
                help="translate the source of what they send to the server too: MASQUERADE with `-s` their network and `-d` the"
                " server; in a policy, `hairpin`",
            )  # fmt: skip
        if not _is_translated_here(survey, one, family):
            yield diagnose(
                "own-traffic-untranslated", "programs of this host do not reach the server by the public address",
                one.standing.span, place=one.standing.place, help="the same rule in nat OUTPUT translates what they send",
            )  # fmt: skip


def _comes_back(survey: Survey, rewrite: Rewrite, family: int) -> bool:
    """Whether some rule may translate the source of what goes to the server from its own network."""
    if rewrite.addresses is None:
        return True
    known = {fields.DST: rewrite.addresses}
    around = Surroundings(family)
    for name in _TRANSLATES_SOURCE:
        for other in translations(survey, name, Hook.POSTROUTING, foreign=True):
            rule = other.standing.rule
            tests = [part for part in rule.parts if not isinstance(part, Target | Unknown)]
            if other.standing.table.family != family or _goes_outside_only(rule):
                continue
            if all(is_possible(part.meaning(around), known) for part in tests):
                return True
    return False


def _goes_outside_only(rule: Rule) -> bool:
    """Whether a rule is about what leaves by one interface, without a word about the server."""
    return rule.selector("-o") is not None and rule.selector("-d") is None


def _is_translated_here(survey: Survey, one: Translation, family: int) -> bool:
    return any(
        other.standing.table.family == family and _meet(one, other)
        for name in ("DNAT", "REDIRECT")
        for other in translations(survey, name, Hook.OUTPUT, foreign=True)
    )


def _meet(one: Translation, other: Translation) -> bool:
    return (
        one.destination is None or other.destination is None or bool(one.destination.values & other.destination.values)
    )
