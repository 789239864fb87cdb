"""nat-policy: a chain of the table nat with the policy DROP.

iptables accepts it, although it refuses DROP as a target there. The kernel asks the table nat only about the first packet of
a connection, so that such a policy drops every connection that no rule of the chain translates or accepts.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, Place, diagnose


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the base chains of nat whose policy is DROP."""
    for table, chain in survey.chains:
        if table.name == "nat" and chain.policy == "DROP":
            yield diagnose(
                "nat-policy", f"the policy DROP of nat {chain.name} drops each connection that no rule here translates",
                chain.span, place=Place(table.family, table.name, chain.name, 0),
                help="set it to ACCEPT and drop in the table filter",
            )  # fmt: skip
