"""tests-not-run, containers-not-previewed: parts of a policy that were read and that this version does not decide yet."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, diagnose


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield one remark for the test lines, one for the container blocks."""
    intent = survey.ruleset.intent
    if intent is None:
        return
    spans = [*(test.span for test in intent.tests), *(proof.span for proof in intent.proofs)]
    if lines := sorted(spans, key=lambda span: span.start):
        counted = "1 test line was" if len(lines) == 1 else f"{len(lines)} test lines were"
        yield diagnose("tests-not-run", f"{counted} read but not run", lines[0], help="`policyc test` runs them")
    if intent.container_spans:
        count = len(intent.container_spans)
        blocks = "1 container block was" if count == 1 else f"{count} container blocks were"
        yield diagnose(
            "containers-not-previewed", f"{blocks} read; the rules that the engine will install were not looked at",
            intent.container_spans[0],
        )  # fmt: skip
