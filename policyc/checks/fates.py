"""What a rule's target decides, in the three words that the structural checks need. Part of `checks`."""

from __future__ import annotations

from policyc.netfilter.parts import Target
from policyc.netfilter.rule import Rule

REFUSALS = frozenset(("DROP", "REJECT"))


def accepts(rule: Rule) -> bool:
    """Whether the rule's target is the verdict ACCEPT."""
    target = rule.parts[-1] if rule.parts else None
    return isinstance(target, Target) and target.name == "ACCEPT" and not target.chain


def refuses(rule: Rule) -> bool:
    """Whether the rule's target is DROP or REJECT."""
    target = rule.parts[-1] if rule.parts else None
    return isinstance(target, Target) and target.name in REFUSALS and not target.chain


def goes_elsewhere(rule: Rule) -> bool:
    """Whether the rule jumps to another chain, or hands packets to something that is not known here."""
    target = rule.parts[-1] if rule.parts else None
    return target is not None and not (isinstance(target, Target) and not target.chain)
