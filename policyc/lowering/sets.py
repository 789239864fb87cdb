"""Fifth pass: an ipset for each family of every `set`, and those of other tools by their names."""

from __future__ import annotations

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
