"""no-return-path: connections are accepted and nothing can accept their replies.

Said only where it is plain: the way back ends in a drop, and no rule on it accepts ESTABLISHED packets, or packets without
looking at their destination port, between the same interfaces. A policy says more of its mind than a dump does: there the
first way that takes the replies of an interface decides. A packet-by-packet answer is a question for `reach`.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Standing, Survey
from policyc.checks.ways import Way, ways
from policyc.diagnostics import Diagnostic, Place, diagnose
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Target
from policyc.netfilter.ruleset import Table
from policyc.source import Span

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
    going = returning if there is back else ways(survey, table, there)
    openings = [way for way in going or () if way.kind == "accept" and way.opens]
    intent = survey.ruleset.intent
    if intent is not None:
        return None if intent.place_last else _in_a_policy(going or [], returning, table, back)
    if not drops or any(way.iif is None and way.oif is None for way in accepted):
        return None
    if there is Hook.OUTPUT and not any(way.rule is not None and way.kind == "accept" for way in returning):
        return None  # a host that takes nothing at all
    if any(way.answers(opening) for opening in openings for way in accepted):
        return None
    for opening in openings:
        drop = next((way for way in drops if way.answers(opening)), None)
        if drop is not None:
            return _no_return(opening, drop, table, back)
    return None


def _in_a_policy(going: list[Way], returning: list[Way], table: Table, back: Hook) -> Diagnostic | None:
    """Return the first opening whose replies meet a drop before a rule that may be meant for them."""
    for number, opening in enumerate(going):
        if opening.kind != "accept" or not opening.opens:
            continue
        for way in returning:
            closed = any(_closes(earlier, way) for earlier in going[:number])
            if way.kind == "drop" and way.answers(opening) and _drops_the_rest(way) and not closed:
                return _no_return(opening, way, table, back)
            if way.kind == "accept" and way.takes_replies and way.answers(opening):
                break
    return None


def _closes(drop: Way, replies: Way) -> bool:
    """Whether a drop takes all packets whose replies would come that way, so that there are none."""
    mirrored = drop.iif in {None, replies.oif} and drop.oif in {None, replies.iif}
    return drop.kind == "drop" and mirrored and _drops_the_rest(drop)


def _drops_the_rest(way: Way) -> bool:
    """Whether the drop is the end of a block, and not of some addresses only."""
    return way.rule is None or all(
        isinstance(part, Target) or part.text.startswith(("-i ", "-o ", "-m comment ")) for part in way.rule.rule.parts
    )


def _no_return(opening: Way, drop: Way, table: Table, back: Hook) -> Diagnostic:
    chain = table.chain(back.value)
    place = Place(table.family, table.name, back.value, 0)
    dropped = drop.rule.related(f"{back.value} drops the rest here") if isinstance(drop.rule, Standing) else None
    help_text = "accept ESTABLISHED and RELATED packets first; in a policy, `use baseline` does"
    if opening.rule is None:
        return diagnose(
            "no-return-path", f"{back.value} drops the replies to what is sent: nothing there accepts ESTABLISHED packets",
            _span(drop) or (chain.span if chain else None), place=place, help=help_text,
        )  # fmt: skip
    return diagnose(
        "no-return-path", f"replies to what the rule accepts are dropped: nothing in {back.value} accepts ESTABLISHED packets",
        opening.rule.span, place=opening.rule.place, related=(dropped,) if dropped else (), help=help_text,
    )  # fmt: skip


def _span(way: Way) -> Span | None:
    return way.rule.span if way.rule is not None else None
