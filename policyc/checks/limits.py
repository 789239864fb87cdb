"""limit-without-drop, limit-counts-packets, limit-after-established, limit-shared-by-all: limits that miss what they are for.

`limit` and `hashlimit` count packets, not connections, and what is over the limit goes to the next rule (measured).
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.fates import accepts, goes_elsewhere, refuses
from policyc.checks.possible import is_certain, is_possible
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.net.names import NameSet
from policyc.net.protocols import TCP, UDP
from policyc.netfilter import fields
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.hooks import Hook, is_base_chain
from policyc.netfilter.parts import Match, Target
from policyc.netfilter.rule import Rule

FROM_OUTSIDE = frozenset((Hook.INPUT, Hook.FORWARD))
_NEW, _ESTABLISHED = {fields.CT_STATE: NameSet.of("NEW")}, {fields.CT_STATE: NameSet.of("ESTABLISHED")}


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules whose limit has not the effect that it is there for."""
    for name in ("limit", "hashlimit"):
        for standing, part in survey.uses(name):
            if standing.table.name != "filter" or not isinstance(part, Match):
                continue
            found = _finding(survey, standing, part)
            if found is not None:
                yield found


def _finding(survey: Survey, standing: Standing, part: Match) -> Diagnostic | None:
    rule = standing.rule
    above = part.name == "hashlimit" and _is_above(part)
    if refuses(rule):
        return _after_established(standing) if above and rule.protocol == UDP else None
    if not accepts(rule) or above or not is_base_chain("filter", standing.chain.name):
        return None
    if _rest_is_accepted(survey, standing):
        return diagnose(
            "limit-without-drop", "what is over the limit is accepted too: no rule behind this one drops it",
            standing.span, place=standing.place, help="put a rule behind it that drops the same packets without a limit",
        )  # fmt: skip
    tested = survey.tested(standing)
    if (
        rule.protocol == TCP
        and tested.isdisjoint({fields.CT_STATE, fields.TCP_FLAGS})
        and not _known_are_accepted(standing)
    ):
        return diagnose(
            "limit-counts-packets", "the limit counts every packet of the connections, not only those that open one",
            standing.span, place=standing.place,
            help="accept ESTABLISHED packets above it, and limit those with `--ctstate NEW`",
        )  # fmt: skip
    hooks = survey.graph(standing.table).hooks[standing.chain.name]
    if (
        part.name == "limit"
        and not FROM_OUTSIDE.isdisjoint(hooks)
        and fields.DPORT in tested
        and fields.SRC not in tested
    ):
        return diagnose(
            "limit-shared-by-all", "all senders share this limit: one of them can use it up for everybody",
            standing.span, place=standing.place,
            help="`hashlimit` with `--hashlimit-mode srcip` counts each sender by itself; in a policy, `per source`",
        )  # fmt: skip
    return None


def _is_above(part: Match) -> bool:
    return ("hashlimit-above" in part.options) is not (
        part.options.negated("hashlimit-above") or part.options.negated("hashlimit-upto")
    )


def _rest_is_accepted(survey: Survey, standing: Standing) -> bool:
    """Whether nothing behind the rule can refuse what is over the limit."""
    chain = standing.chain
    if chain.policy == "DROP":
        return False
    end = survey.endings(standing.table).last.get(chain.name, len(chain.rules))
    return not any(refuses(rule) or goes_elsewhere(rule) for rule in chain.rules[standing.number : end + 1])


def accepts_known(rule: Rule, family: int) -> bool:
    """Whether a rule accepts every packet of known connections, wherever it tests at most interfaces and the state."""
    if not accepts(rule):
        return False
    around = Surroundings(family)
    tests = [part.meaning(around) for part in rule.parts if isinstance(part, Match)]
    plain = all(isinstance(part, Match | Target) for part in rule.parts)
    return (
        plain
        and bool(tests)
        and all(is_certain(test, _ESTABLISHED) for test in tests)
        and not all(is_possible(test, _NEW) for test in tests)
    )


def _known_are_accepted(standing: Standing) -> bool:
    earlier = standing.chain.rules[: standing.number - 1]
    return any(accepts_known(rule, standing.table.family) or goes_elsewhere(rule) for rule in earlier)


def _after_established(standing: Standing) -> Diagnostic | None:
    family = standing.table.family
    for number, rule in enumerate(standing.chain.rules[: standing.number - 1], 1):
        if accepts_known(rule, family):
            before = Standing(standing.table, standing.chain, number, rule)
            return diagnose(
                "limit-after-established",
                "the limit sees the first packets only: a sender that keeps its port is ESTABLISHED after one answer",
                standing.span, place=standing.place, related=(before.related("accepts all further ones"),),
                help="put the limit above the rule that accepts ESTABLISHED packets",
            )  # fmt: skip
    return None
