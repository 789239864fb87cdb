"""A policy becomes a Ruleset: the passes, in their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from policyc.collector import resting_collector
from policyc.diagnostics import Diagnostic, InputError, Severity
from policyc.language.parser import parse
from policyc.language.suppressions import suppressions
from policyc.lowering.draft import Draft
from policyc.lowering.foreign import foreign
from policyc.lowering.items import items
from policyc.lowering.limits import limits
from policyc.lowering.ownership import ownership
from policyc.lowering.sayable import sayable
from policyc.lowering.sets import sets
from policyc.lowering.sysctls import sysctls
from policyc.lowering.tables import ruleset_of
from policyc.lowering.untaken import untaken
from policyc.netfilter.ruleset import Ruleset
from policyc.policy.model import Policy
from policyc.policy.resolve import resolve
from policyc.source import Source

PASSES: tuple[Callable[[Draft], None], ...] = (sayable, untaken, limits, items, sysctls, sets, foreign, ownership)
"""What is done to a policy, in this order; each pass stands in the file of its name."""


def lower(policy: Policy, *, ids: bool = True) -> tuple[Ruleset, list[Diagnostic]]:
    """Return the Ruleset of a policy and what is wrong with it; where that is an error, the Ruleset is not to be used.

    `ids` False leaves out the comments that lead back to the policy, and the ids in log lines.
    """
    with resting_collector(keep=True):
        draft = Draft(policy, ids)
        for run in PASSES:
            run(draft)
        return ruleset_of(draft), [*draft.diagnostics]


def lower_source(source: Source, *, ids: bool = True) -> Ruleset:
    """Return the Ruleset of a policy's text, with its warnings as notes; raise InputError with all errors."""
    file, syntax = parse(source)
    policy, found = resolve(file)
    found = [*syntax, *found]
    if policy is None or any(one.severity is Severity.ERROR for one in found):
        raise InputError(found)
    accepted, misspelt = suppressions(file)
    del file  # as large as what comes of it
    ruleset, more = lower(policy, ids=ids)
    found += more
    if any(one.severity is Severity.ERROR for one in found):
        raise InputError(found)
    return replace(ruleset, notes=(*found, *misspelt), suppressions=accepted)
