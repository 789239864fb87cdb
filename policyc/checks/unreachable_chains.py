"""unreachable-chain, empty-chain-jump: chains without a way in, and jumps to chains without rules."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Survey, way
from policyc.diagnostics import Diagnostic, Place, diagnose
from policyc.netfilter.jumps import FOREIGN_HOOKS, Jump
from policyc.netfilter.owners import owner_of
from policyc.netfilter.ruleset import Chain
from policyc.source import Span


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the chains that no hook reaches; where tables are shared, other tools may jump to any of them."""
    if survey.ruleset.shared:
        return
    for table in survey.tables:
        graph = survey.graph(table)
        for name in graph.unreachable():
            chain = table.chain(name)
            if chain is None or owner_of(name) or (chain.rules and all(rule.owner for rule in chain.rules)):
                continue
            callers = [jump for jump in graph.callers[name] if jump.caller != name]
            yield diagnose(
                "unreachable-chain", _message(chain, callers), _span(chain), place=Place(table.family, table.name, name, 0),
                related=way(table, callers),
                help="jump to it from a chain that is reached, or delete it",
            )  # fmt: skip


def check_empty(survey: Survey) -> Iterator[Diagnostic]:
    """Yield, for each chain without rules, the first jump that leads there."""
    for table in survey.tables:
        graph = survey.graph(table)
        for chain in table.user_chains:
            jumps = [jump for jump in graph.callers[chain.name] if graph.hooks[jump.caller] and not jump.rule.owner]
            foreign = owner_of(chain.name) or (table.name, chain.name) in FOREIGN_HOOKS
            if chain.rules or not jumps or foreign or survey.ruleset.shared:
                continue
            first = jumps[0]
            does = "leaves the calling chain" if first.goto else "does nothing"
            yield diagnose(
                "empty-chain-jump", f"the chain `{chain.name}` has no rules, so that the rule {does}", first.rule.span,
                place=Place(table.family, table.name, first.caller, first.number),
                related=way(table, jumps[1:]),
                help="another tool may fill the chain; if none does, delete it and what jumps there",
            )  # fmt: skip


def _message(chain: Chain, callers: list[Jump]) -> str:
    count = len(chain.rules)
    lost = {0: "it has no rules", 1: "its rule never applies"}.get(count, f"its {count} rules never apply")
    if not callers:
        return f"nothing jumps to the chain `{chain.name}`; {lost}"
    return f"only chains that are not reached themselves jump to `{chain.name}`; {lost}"


def _span(chain: Chain) -> Span | None:
    return chain.span or (chain.rules[0].span if chain.rules else None)
