"""Sixth pass: an ipset for each family of every `set`, and those of other tools by their names."""

from __future__ import annotations

from policyc.diagnostics import Severity
from policyc.lowering.draft import Draft
from policyc.netfilter.ipset import IpSet

KINDS = {"address": "hash:ip", "network": "hash:net"}
HOST = "host"
"""Who makes a set that exists already and names no owner."""


def sets(draft: Draft) -> None:
    """Collect the sets, used or not; what they hold is runtime state."""
    for one in draft.policy.sets:
        owner = "" if one.created else one.owner or HOST
        for family in draft.policy.families:
            name = one.kernel_name(family)
            found = IpSet(name, KINDS[one.content], family, one.timeout, owner=owner, span=one.span)
            draft.sets.setdefault((name, family), found)
    for one, families in draft.borrowed.items():
        if len(families) > 1:
            message = f"the set `{one.kernel_name(4)}` of another tool has one family, but rules of both ask it"
            hint = "the kernel refuses one of them: narrow the rule, `family ip` or `family ip6`"
            span = families[max(families)]
            draft.report("wrong-family", message, span, help=hint, severity_override=Severity.WARNING)
