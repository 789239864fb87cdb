"""A line of the kernel log leads back: which rule wrote it, and what the packet was before NAT. Part of `explanation`.

A line shows the packet as it was where it was logged. Its destination may have been translated by then, so that for each rule
that translates to it a packet is tried with what that rule tests. Only one that is logged exactly as the line says is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from policyc.explanation.answer import Explanation
from policyc.explanation.explain import explain
from policyc.explanation.places import RulePlace
from policyc.explanation.placing import place
from policyc.frozen import frozen
from policyc.host.host import Host
from policyc.net.addresses import Network
from policyc.net.headers import Headers
from policyc.net.intervals import IntervalSet
from policyc.netfilter import fields
from policyc.netfilter.effect import Note, Rewrite
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Target
from policyc.netfilter.predicate import In, nodes
from policyc.netfilter.question import Question
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.logline import LogLine
from policyc.simulation.journey import Look, Visit

_MOST_TRIED = 32
"""Translations that are tried; more rules than that have one target in no ruleset that people write."""
_LOGS = frozenset(("log", "nflog"))


@frozen
class Logged:
    """What a log line says: the packet's way, and the rule that wrote the line, or that a line of TRACE is about.

    `by` None: no rule on the way logs with this prefix, and `candidates` are the rules elsewhere that would.
    """

    line: LogLine
    explanation: Explanation
    by: RulePlace | None
    candidates: tuple[RulePlace, ...]


def logged(ruleset: Ruleset, line: LogLine, question: str, host: Host | None) -> Logged:
    """Return the way of the packet in a log line; raises InputError where it cannot be placed on the host."""
    first: Explanation | None = None
    for origin in _origins(ruleset, line):
        explanation = explain(ruleset, place((origin,), ruleset, host), question)
        look = _look(explanation, line)
        if look is not None:
            visit, found = look
            by = explanation.places.of(line.headers.family, visit.table, found.chain, found.number)
            return Logged(line, explanation, by, ())
        first = first or explanation
    assert first is not None
    candidates = tuple(
        first.places.of_rule(table.family, table.name, chain.name, number, rule)
        for table, chain, number, rule in ruleset.rules()
        if table.family == line.headers.family and _writes(rule, table.family, line.prefix)
    )
    return Logged(line, first, None, candidates)


def _origins(ruleset: Ruleset, line: LogLine) -> Iterator[Question]:
    """Yield what the packet may have been when it entered, most likely first."""
    headers = line.headers
    # Whoever logs in FORWARD or behind it sees the TTL after this host has counted it down.
    forwarded = bool(headers.entry and headers.exit)
    if forwarded and headers.ttl is not None:
        headers = replace(headers, ttl=min(headers.ttl + 1, 255))
    origins = list(_before_dnat(ruleset, headers)) if line.after_dnat is not False else []
    yield from origins[:_MOST_TRIED]
    yield Question(headers)


def _before_dnat(ruleset: Ruleset, headers: Headers) -> Iterator[Question]:
    """Yield the packet with the destination that each rule tests which translates to the one in the line.

    A rule that names no address is meant for those of this host.
    """
    table = ruleset.table(headers.family, "nat")
    if table is None:
        return
    for chain in table.chains:
        for rule in chain.rules:
            if _translates_to(rule, headers, chain.name):
                address, port = _tested_address(rule), _tested_port(rule, headers)
                if address is None:
                    yield Question(replace(headers, dst=0, dport=port), to_self=True)
                yield Question(replace(headers, dst=headers.dst if address is None else address, dport=port))


def _translates_to(rule: Rule, headers: Headers, chain: str) -> bool:
    target = rule.target
    if target is None:
        return False
    for effect in target.effects(rule.around(headers.family)):
        if not isinstance(effect, Rewrite) or effect.side is fields.SRC or chain == Hook.POSTROUTING.value:
            continue
        if effect.addresses is not None and headers.dst not in effect.addresses:
            continue
        if effect.ports is None or (headers.dport is not None and headers.dport in effect.ports):
            return True
    return False


def _tested_address(rule: Rule) -> int | None:
    selector = rule.selector("-d")
    if selector is None or selector.negated or not isinstance(selector.value, Network):
        return None
    return selector.value.address


def _tested_port(rule: Rule, headers: Headers) -> int | None:
    for node in nodes(rule.predicate(headers.family)):
        if isinstance(node, In) and node.field is fields.DPORT and isinstance(node.values, IntervalSet) and node.values:
            return node.values.spans[0][0]
    return headers.dport


def _look(explanation: Explanation, line: LogLine) -> tuple[Visit, Look] | None:
    """Return the rule on the packet's way that wrote the line."""
    wanted = line.headers
    for event in explanation.way.journey.events:
        if not isinstance(event, Visit) or (line.hooks and event.hook.value not in line.hooks):
            continue
        for look in event.looks:
            packet = look.packet
            same = (packet.src, packet.dst, packet.sport, packet.dport) == (
                wanted.src, wanted.dst, wanted.sport, wanted.dport,
            )  # fmt: skip
            if same and look.matched and _is_meant(event, look, line):
                return event, look
    return None


def _is_meant(visit: Visit, look: Look, line: LogLine) -> bool:
    """Whether a rule that the packet came to is the one that wrote the line; TRACE names it."""
    if (point := line.trace) is None:
        return look.rule is not None and _writes(look.rule, look.packet.family, line.prefix)
    number = "policy" if point.kind == "policy" else point.number
    return (visit.table, look.chain, look.number) == (point.table, point.chain, number)


def _writes(rule: Rule, family: int, prefix: str) -> bool:
    """Whether a rule logs with the prefix of a line; a program may have put blanks around it."""
    target = rule.target
    if not isinstance(target, Target):
        return False
    notes = [effect for effect in target.effects(rule.around(family)) if isinstance(effect, Note)]
    return any(note.kind in _LOGS and note.detail.strip() == prefix.strip() for note in notes)
