"""Seventh pass: what container engines install beside the policy, so that packets find their way. Nobody writes it out.

All of its chains and rules carry their owner. With exclusive ownership there is nothing to stand beside: loading the policy
takes the engine's rules away, which is an error.
"""

from __future__ import annotations

from dataclasses import replace

from policyc.lowering.draft import ChainDraft, Draft
from policyc.netfilter.hooks import is_base_chain
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Table
from policyc.policy.foreign import Foreign


def foreign(draft: Draft) -> None:
    """Put in the chains of others."""
    for one in draft.policy.foreign:
        if draft.policy.exclusive:
            message = f"`ownership exclusive` replaces whole tables, and what {one.owner} has put into them"
            hint = "write `ownership shared`: then its chains stay, and are looked at"
            draft.report("foreign-rules-replaced", message, one.span, help=hint)
            continue
        for table in one.ruleset.tables:
            if table.family in draft.policy.families:
                _table(draft, one, table)
        for found in one.ruleset.sets:
            draft.sets.setdefault((found.name, found.family), replace(found, owner=one.owner, span=one.span))


def _table(draft: Draft, of: Foreign, table: Table) -> None:
    base = draft.table(table.family, table.name).base
    for chain in table.chains:
        is_base = is_base_chain(table.name, chain.name)
        if is_base and not chain.rules and chain.policy != "DROP":
            continue
        there = base.get(chain.name)
        if there is None:
            there = base[chain.name] = ChainDraft(chain.name, of.span, owner="" if is_base else of.owner)
        there.rules += [Rule(rule.parts, of.span, owner=of.owner) for rule in chain.rules]
        if chain.policy == "DROP":
            there.policy = chain.policy
