"""JUnit XML, which build servers show as test results: a suite for each file, a failed case for each finding."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from policyc.diagnostics import Diagnostic
from policyc.report.answer import Answer
from policyc.report.printable import printable


def junit(answer: Answer) -> str:
    """Return the XML text. A file without findings has one case that passed; findings of severity info do not fail."""
    names = dict.fromkeys((*answer.files, *(_file(diagnostic) for diagnostic in answer.diagnostics)))
    suites = [_suite(name, [d for d in answer.diagnostics if _file(d) == name]) for name in names]
    total = sum(max(1, sum(_file(d) == name for d in answer.diagnostics)) for name in names)
    failed = sum(_fails(diagnostic) for diagnostic in answer.diagnostics)
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="policyc" tests="{total}" failures="{failed}">\n'
    return head + "".join(suites) + "</testsuites>\n"


def _file(diagnostic: Diagnostic) -> str:
    return diagnostic.span.source.name if diagnostic.span else "-"


def _fails(diagnostic: Diagnostic) -> bool:
    return diagnostic.severity.label != "info"


def _suite(name: str, diagnostics: list[Diagnostic]) -> str:
    failed = sum(_fails(diagnostic) for diagnostic in diagnostics)
    cases = [_case(diagnostic) for diagnostic in diagnostics]
    if not cases:
        cases = [f'    <testcase classname={_attribute(name)} name="check"/>\n']
    head = f'  <testsuite name={_attribute(name)} tests="{len(cases)}" failures="{failed}">\n'
    return head + "".join(cases) + "  </testsuite>\n"


def _case(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    at = f" line {span.line}" if span and span.source.text else ""
    name = _attribute(f"{diagnostic.code} {diagnostic.name}{at}")
    head = f"    <testcase classname={_attribute(_file(diagnostic))} name={name}>\n"
    message = _attribute(diagnostic.message)
    detail = [f"{diagnostic.span or '-'}: {diagnostic.severity.label}[{diagnostic.code}]: {diagnostic.message}"]
    if diagnostic.place is not None:
        detail.append(f"rule: {diagnostic.place}")
    detail.extend(f"help: {line}" for line in diagnostic.help.split("\n") if line)
    body = escape("\n".join(printable(line) for line in detail))
    if _fails(diagnostic):
        severity = diagnostic.severity.label
        return f'{head}      <failure type="{severity}" message={message}>{body}</failure>\n    </testcase>\n'
    return f"{head}      <system-out>{body}</system-out>\n    </testcase>\n"


def _attribute(text: str) -> str:
    return quoteattr(printable(text))
