"""untracked-mismatch, untracked-one-way, synproxy-incomplete: what relies on tracking beside raw.

Measured: an exempted packet is UNTRACKED to `--ctstate` and passes nat by; NEW and ESTABLISHED never match it.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.fates import accepts
from policyc.checks.possible import is_possible
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.hooks import Hook, is_base_chain
from policyc.netfilter.parts import Match, Selector, Target
from policyc.netfilter.predicate import Predicate

_STATES = frozenset(("conntrack", "state", "comment"))
_BEHIND = {
    Hook.PREROUTING: frozenset((Hook.PREROUTING, Hook.INPUT, Hook.FORWARD)),
    Hook.OUTPUT: frozenset((Hook.OUTPUT,)),
}


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield what does not fit the exemptions of the table raw."""
    exempting = [standing for standing, _ in _exemptions(survey)]
    for one in exempting:
        if is_base_chain("raw", one.chain.name):
            yield from _behind(survey, one)
            if not _has_mirror(one, exempting):
                yield diagnose(
                    "untracked-one-way", "the answers are tracked still, and make entries of their own",
                    one.span, place=one.place, help="exempt the other direction too, with `--sport`",
                )  # fmt: skip
    families = {one.table.family for one in exempting}
    for standing, _ in survey.uses("SYNPROXY"):
        if standing.table.family not in families:
            yield diagnose(
                "synproxy-incomplete", "SYNPROXY gets no SYN that it can answer: the table raw exempts none from tracking",
                standing.span, place=standing.place,
                help="`-t raw -A PREROUTING -p tcp --syn -j CT --notrack` for the same ports, and nf_conntrack_tcp_loose=0",
            )  # fmt: skip


def _exemptions(survey: Survey) -> Iterator[tuple[Standing, Match | Target]]:
    yield from survey.uses("NOTRACK")
    yield from ((standing, part) for standing, part in survey.uses("CT") if "notrack" in part.options)


def _tests(standing: Standing) -> frozenset[str]:
    return frozenset(
        part.text
        for part in standing.rule.parts
        if not isinstance(part, Target) and not (isinstance(part, Match) and part.name in _STATES)
    )


def _behind(survey: Survey, one: Standing) -> Iterator[Diagnostic]:
    """Yield the rules behind an exemption that test at least the same and need an entry."""
    tests = _tests(one)
    if not tests:
        return
    hooks = _BEHIND[Hook(one.chain.name)]
    for name in ("conntrack", "state"):
        for standing, part in survey.uses(name):
            if (
                standing.table.name == "raw"
                or not _follows(survey, standing, one, hooks)
                or not tests <= _tests(standing)
            ):
                continue
            meaning = part.meaning(Surroundings(one.table.family)) if isinstance(part, Match) else None
            if meaning is not None and accepts(standing.rule) and not _may_be_untracked(meaning):
                yield diagnose(
                    "untracked-mismatch", "the rule asks for a state that these packets do not have: they are not tracked",
                    standing.span, place=standing.place, related=(one.related("exempts them from tracking"),),
                    help="ask for `--ctstate UNTRACKED`, or leave the state out",
                )  # fmt: skip


def _follows(survey: Survey, standing: Standing, one: Standing, hooks: frozenset[Hook]) -> bool:
    own = survey.graph(standing.table).hooks[standing.chain.name]
    return standing.table.family == one.table.family and not own.isdisjoint(hooks)


def _may_be_untracked(meaning: Predicate) -> bool:
    return is_possible(meaning, {fields.CT_STATE: NameSet.of("UNTRACKED")})


def _has_mirror(one: Standing, exempting: list[Standing]) -> bool:
    """Whether another exemption may be about the answers, or this one is no more about one direction than the other."""
    ports = _ports(one)
    if ports is None:
        return True
    protocol, option, numbers = ports
    other_side = "sport" if option == "dport" else "dport"
    for other in exempting:
        if other is one or other.table.family != one.table.family or other.rule.protocol not in {None, protocol}:
            continue
        theirs = _ports(other)
        if theirs is None or (theirs[1] == other_side and theirs[2] == numbers):
            return True
    return False


def _ports(standing: Standing) -> tuple[int, str, object] | None:
    """Return protocol, side and ports of an exemption that tests the ports of one side; None for others."""
    protocol, tcp = standing.rule.protocol, standing.rule.match("tcp")
    if tcp is not None and "tcp-flags" in tcp.options:
        return None  # a handshake that is answered elsewhere
    if protocol is None or any(isinstance(part, Selector) and part.negated for part in standing.rule.parts):
        return None
    found = [
        (item.name.rstrip("s"), item.value)
        for part in standing.rule.matches
        for item in part.options.given
        if item.name in {"sport", "dport", "sports", "dports"}
    ]
    if len(found) != 1:
        return None
    side, value = found[0]
    return protocol, side, value
