"""The comment by which a kernel rule leads back to the policy statement that made it: `pc:ID name`. A value of the hub."""

from __future__ import annotations

from policyc.netfilter.intent import Statement
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Ruleset

MARK = "pc:"
"""How a comment of ours begins; the id follows."""


def id_of(rule: Rule) -> str:
    """Return the id of the statement that made the rule, "" where the rule carries none."""
    comment = rule.comment
    return comment[len(MARK) :].split(" ")[0] if comment.startswith(MARK) else ""


def text_of(rule: Rule) -> str:
    """Return the rule as iptables-save prints it, without the comment that only leads back."""
    if not id_of(rule):
        return rule.text
    return " ".join(part.text for part in rule.parts if not part.text.startswith("-m comment "))


def statements_of(ruleset: Ruleset) -> dict[str, Statement]:
    """Return the policy's statements by id; empty for a dump."""
    return {statement.id: statement for statement in ruleset.intent.statements} if ruleset.intent else {}
