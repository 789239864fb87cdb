"""`TABLE A -> B { rules }`: a chain for each pair, entered from its hook by what the pair tests."""

from __future__ import annotations

from policyc.lowering.actions import actions_of
from policyc.lowering.branches import Branches, Line
from policyc.lowering.conditions import Conditions
from policyc.lowering.draft import Draft
from policyc.lowering.sides import side_tests
from policyc.lowering.statement import state
from policyc.lowering.tests import Tests
from policyc.policy.model import Block, Pair, Rule

_GO_ON = frozenset(("log", "jump"))
"""Verbs after which the next rule is asked, and which are not the same when they are done twice."""


def block(draft: Draft, item: Block) -> None:
    """Write a block into every pair and family that it is for; what it does not decide goes on behind it."""
    for rule in item.rules:
        state(draft, rule)
    for pair in item.pairs:
        own = [rule for rule in item.rules if not rule.hooks or pair.hook in rule.hooks]
        for family in pair.families:
            rules = [rule for rule in own if family in rule.families]
            if rules:
                _enter(draft, item, pair, family, rules)


def _enter(draft: Draft, item: Block, pair: Pair, family: int, rules: list[Rule]) -> None:
    pieces = draft.pieces[family]
    entry = draft.entry(family, item.table, pair.hook)
    chain = draft.chain(family, item.table, item.span, pair.source.word, pair.target.word)
    branches = Branches(draft, family, item.table)
    way = Line("", item.span, side_tests(pieces, pair), [(pieces.jump(chain.name),)], stem=chain.stem)
    branches.write(way, entry)
    conditions = Conditions(draft, family)
    for rule in rules:
        # behind the last line there is nothing: leaving the block and going on in it are the same
        leaves = rule.verb == "return" and rule is not rules[-1]
        chain = branches.write(line_of(draft, family, rule, conditions.of(rule), leaves=leaves), chain)


def line_of(draft: Draft, family: int, rule: Rule, tests: Tests, *, leaves: bool) -> Line:
    """Return a rule of a block as a line ready to be written."""
    effects = rule.effects
    return Line(
        rule.id,
        rule.span,
        tests,
        actions_of(draft, family, rule),
        draft.note(rule.id, rule.name, family),
        rule.services,
        once=effects.log is not None or bool(effects.balance) or rule.verb in _GO_ON,
        leaves=leaves,
    )
