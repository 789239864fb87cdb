"""failed-test, undecided-test, refuted-proof: what a policy's own `test` blocks say, as findings of `check`.

Nothing of this is loaded for a policy without tests.
"""

from __future__ import annotations

from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, InputError, entry

CODES = frozenset(entry(name).code for name in ("failed-test", "undecided-test", "refuted-proof"))


def check(survey: Survey) -> tuple[Diagnostic, ...]:
    """Return the findings about tests and proofs, and what keeps a test from being asked."""
    intent = survey.ruleset.intent
    if intent is None or not (intent.tests or intent.proofs):
        return ()
    from policyc.checks.tests import run_tests

    try:
        return run_tests(survey.ruleset).diagnostics
    except InputError as error:
        return error.diagnostics
