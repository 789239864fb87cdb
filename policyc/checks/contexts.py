"""What packets have been tested for before they come to a chain: the fields that every way into it tests. Part of `checks`.

A rule without an interface is not "for every interface" when the jump to its chain tested one.
"""

from __future__ import annotations

from policyc.checks.forms import Forms
from policyc.netfilter.fields import Domain, Field
from policyc.netfilter.hooks import is_base_chain
from policyc.netfilter.jumps import JumpGraph
from policyc.netfilter.parts import Target
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Table

OTHER = Field("other", Domain.NAMES)
"""Stands for a condition that is more than a test of fields: a counter, a set, a module that nobody knows."""


def tested_by(rule: Rule, forms: Forms) -> frozenset[Field]:
    """Return the fields that a rule tests, OTHER among them where it asks for something else too."""
    found: set[Field] = set()
    for part in rule.parts:
        if not isinstance(part, Target):
            form = forms.of(part)
            if not form.says_nothing:
                found |= {OTHER} if form.fields is None else form.fields
    return frozenset(found)


def contexts(table: Table, graph: JumpGraph, forms: Forms) -> dict[str, frozenset[Field]]:
    """Return what every way into each chain tests; OTHER of all chains where there is a loop."""
    order = graph.order()
    if order is None:
        return {chain.name: frozenset((OTHER,)) for chain in table.chains}
    found: dict[str, frozenset[Field]] = {}
    for name in reversed(order):
        ways = [
            found[jump.caller] | tested_by(jump.rule, forms)
            for jump in graph.callers.get(name, ())
            if graph.hooks[jump.caller]
        ]
        found[name] = frozenset.intersection(*ways) if ways and not is_base_chain(table.name, name) else frozenset()
    return found
