"""no-return-path: connections are accepted and nothing can accept their replies.

Said only where it is plain: the way back ends in a drop, and no rule on it accepts ESTABLISHED packets, or packets without
looking at their destination port, between the same interfaces. A packet-by-packet answer is a question for `reach`.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Standing, Survey
from policyc.checks.ways import Way, ways
from policyc.diagnostics import Diagnostic, Place, diagnose
from policyc.netfilter.hooks import Hook
from policyc.netfilter.ruleset import Table

PAIRS = ((Hook.INPUT, Hook.OUTPUT), (Hook.OUTPUT, Hook.INPUT), (Hook.FORWARD, Hook.FORWARD))


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield at most one finding for each family and direction."""
    for table in survey.tables:
        if table.name == "filter":
            for there, back in PAIRS:
                found = _finding(survey, table, there, back)
                if found is not None:
                    yield found


def _finding(survey: Survey, table: Table, there: Hook, back: Hook) -> Diagnostic | None:
    returning = ways(survey, table, back)
    if returning is None:
        return None
    drops = [way for way in returning if way.kind == "drop"]
    accepted = [way for way in returning if way.kind == "accept" and way.takes_replies]
    if not drops or any(way.iif is None and way.oif is None for way in accepted):
        return None
    going = returning if there is back else ways(survey, table, there)
    openings = [way for way in going or () if way.kind == "accept" and way.opens]
    if there is Hook.OUTPUT and not any(way.rule is not None and way.kind == "accept" for way in returning):
        return None  # a host that takes nothing at all
    if any(way.answers(opening) for opening in openings for way in accepted):
        return None
    for opening in openings:
        drop = next((way for way in drops if way.answers(opening)), None)
        if drop is not None:
            return _no_return(opening, drop, table, back)
    return None


def _no_return(opening: Way, drop: Way, table: Table, back: Hook) -> Diagnostic:
    chain = table.chain(back.value)
    place = Place(table.family, table.name, back.value, 0)
    dropped = drop.rule.related(f"{back.value} drops the rest here") if isinstance(drop.rule, Standing) else None
    help_text = "accept ESTABLISHED and RELATED packets first; in a policy, `use baseline` does"
    if opening.rule is None:
        return diagnose(
            "no-return-path", f"{back.value} drops the replies to what is sent: nothing there accepts ESTABLISHED packets",
            chain.span if chain else None, place=place, related=(dropped,) if dropped else (), help=help_text,
        )  # fmt: skip
    return diagnose(
        "no-return-path", f"replies to what the rule accepts are dropped: nothing in {back.value} accepts ESTABLISHED packets",
        opening.rule.span, place=opening.rule.place, related=(dropped,) if dropped else (), help=help_text,
    )  # fmt: skip
