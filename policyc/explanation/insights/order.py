"""The order of rules: one that would accept a packet stands below one that takes it first. Part of `explanation.insights`."""

from __future__ import annotations

from dataclasses import replace

from policyc.explanation.insights.connections import reply_not_accepted
from policyc.explanation.insights.insight import Evidence, Insight, Kind, named, tested_fields
from policyc.netfilter.ruleset import Table
from policyc.simulation.trace import Step

_ANYWHERE = frozenset(("iif", "oif", "proto", "ct.state"))
"""Tests that do not make a rule one about somebody or something."""


def accepted_below(evidence: Evidence) -> Insight | None:
    """Find a rule for this very packet that is not reached, since one that refuses more stands above it."""
    visit, place, step = evidence.last, evidence.deciding, evidence.way.trace.deciding
    if not evidence.is_refused or visit is None or place is None or step is None or not isinstance(step.rule, int):
        return None
    refusing = visit.looks[-1].rule
    if refusing is None or reply_not_accepted(evidence) is not None:
        return None
    accepting = _accepting_without(evidence, step)
    if accepting is None or accepting.table != step.table or not isinstance(accepting.rule, int):
        return None
    shifted = accepting.chain == step.chain and accepting.rule >= step.rule
    below = evidence.places.of(evidence.family, step.table, accepting.chain, accepting.rule + shifted)
    table = evidence.way.situation.ruleset.table(evidence.family, step.table)
    chain = None if table is None else table.chain(below.chain)
    assert chain is not None, "a rule of it was found"
    assert isinstance(below.number, int)
    meant = tested_fields(chain.rules[below.number - 1], evidence.family) - _ANYWHERE
    refused = tested_fields(refusing, evidence.family) - _ANYWHERE
    if not refused < meant or (refused and accepting.chain != step.chain):
        return None  # a rule that refuses something in particular stands there on purpose
    text = f"order decides: {named(below)} accepts this packet, but {named(place)} stands above it and takes it first"
    return Insight(Kind.ACCEPTED_BELOW, text, (place, below), f"move {below.name} above {place.name}")


def _accepting_without(evidence: Evidence, step: Step) -> Step | None:
    """Return what decides when the deciding rule is left out, None where the packet does not arrive then either."""
    table = evidence.way.situation.ruleset.table(evidence.family, step.table)
    assert table is not None, "it decided"
    assert isinstance(step.rule, int)
    at = step.rule
    chains = tuple(
        replace(chain, rules=(*chain.rules[: at - 1], *chain.rules[at:])) if chain.name == step.chain else chain
        for chain in table.chains
    )
    other = evidence.walked_with(Table(table.family, table.name, chains, table.span), table)
    return other.trace.deciding if other.delivered else None
