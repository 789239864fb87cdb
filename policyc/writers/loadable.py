"""A Ruleset to the text that a person loads: with a heading that names the program, in the form that its ownership asks for.

The last step of `policyc compile` and of `policyc.api.compile`.
"""

from __future__ import annotations

from policyc.netfilter.ruleset import Ruleset
from policyc.writers.save import iptables_save
from policyc.writers.shared import Jumps, shared_text


def loadable_text(ruleset: Ruleset, family: int, jumps: Jumps = Jumps.INSERT) -> str:
    """Return what iptables-restore (4) or ip6tables-restore (6) loads, "" where the family has no tables.

    `jumps` is about shared rulesets; all others own their tables and have no jumps among the rules of others.
    """
    text = shared_text(ruleset, family, jumps) if ruleset.shared else iptables_save(ruleset, family)
    return f"{_heading(family, shared=ruleset.shared)}{text}" if text else ""


def _heading(family: int, *, shared: bool) -> str:
    program = "iptables-restore" if family == 4 else "ip6tables-restore"
    return f"# by policyc, for {program}{' --noflush' if shared else ''}\n"
