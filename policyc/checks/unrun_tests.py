"""tests-not-run: `check` reads the lines of test blocks, `test` decides them."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, diagnose


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield one remark for the test lines."""
    intent = survey.ruleset.intent
    if intent is None:
        return
    spans = [*(test.span for test in intent.tests), *(proof.span for proof in intent.proofs)]
    if lines := sorted(spans, key=lambda span: span.start):
        counted = "1 test line was" if len(lines) == 1 else f"{len(lines)} test lines were"
        yield diagnose("tests-not-run", f"{counted} read but not run", lines[0], help="`policyc test` runs them")
