"""The answer of `policyc test` as JUnit XML: a suite for each block of tests, a case for each packet and each proof."""

from __future__ import annotations

from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from policyc.checks.packet_tests import FAILED, PASSED, UNDECIDED, PacketResult
from policyc.checks.proofs import PROVED, REFUTED, ProofResult
from policyc.checks.tests import Results, diagnostic_of
from policyc.diagnostics import Diagnostic
from policyc.report.printable import printable

_STATES = {PROVED: PASSED, REFUTED: FAILED, UNDECIDED: UNDECIDED}


def results_junit(results: Results) -> str:
    """Return the XML text; what is undecided is an error, not a failure."""
    cases = [
        (result.test.span.source.name, result.test.block, _case(result), result.state) for result in results.packets
    ]
    cases += [(one.proof.span.source.name, one.proof.block, _proof(one), _STATES[one.state]) for one in results.proofs]
    cases.sort(key=lambda case: case[:2])
    suites = []
    for (file, block), group in groupby(cases, key=lambda case: case[:2]):
        listed = list(group)
        states = [state for *_, state in listed]
        head = f"  <testsuite name={_attribute(f'{file}: {block}')} {_counts(states)}>\n"
        suites.append(head + "".join(text for _, _, text, _ in listed) + "  </testsuite>\n")
    states = [state for *_, state in cases]
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="policyc test" {_counts(states)}>\n'
    return head + "".join(suites) + "</testsuites>\n"


def _counts(states: list[str]) -> str:
    failed = states.count(FAILED)
    errors = len(states) - failed - states.count(PASSED)
    return f'tests="{len(states)}" failures="{failed}" errors="{errors}" skipped="0"'


def _case(result: PacketResult) -> str:
    name = " ".join(result.test.span.text.split())
    if result.several:
        name += f" ({result.packet_text})"
    found = None if result.state == PASSED else diagnostic_of(result)
    return _shown(result.test.span.source.name, name, found, result.state)


def _proof(result: ProofResult) -> str:
    span = result.proof.span
    return _shown(span.source.name, " ".join(span.text.split()), result.diagnostic, _STATES[result.state])


def _shown(file: str, name: str, found: Diagnostic | None, state: str) -> str:
    head = f"    <testcase classname={_attribute(file)} name={_attribute(name)}"
    if found is None:
        return f"{head}/>\n"
    kind = "failure" if state == FAILED else "error"
    detail = [f"{found.span}: {found.severity.label}[{found.code}]: {found.message}"]
    detail += [f"{other.span}: {other.message}" for other in found.related]
    detail += found.help.split("\n")
    body = escape("\n".join(printable(line) for line in detail))
    message = _attribute(found.message)
    return f'{head}>\n      <{kind} type="{found.name}" message={message}>{body}</{kind}>\n    </testcase>\n'


def _attribute(text: str) -> str:
    return quoteattr(printable(text))
