"""One line a finding, as compilers write it, so that editors and grep find the place."""

from __future__ import annotations

from policyc.diagnostics import Diagnostic
from policyc.report.answer import Answer
from policyc.report.style import PLAIN, Style


def concise(answer: Answer, style: Style = PLAIN) -> str:
    """Return `file:line:column: severity[CODE]: message` for each finding; a finding without place begins with `-`."""
    return "".join(f"{_line(diagnostic, style)}\n" for diagnostic in answer.diagnostics)


def _line(diagnostic: Diagnostic, style: Style) -> str:
    severity = diagnostic.severity.label
    place = style.foreign(str(diagnostic.span)) if diagnostic.span else "-"
    rule = f" ({style.foreign(str(diagnostic.place))})" if diagnostic.place else ""
    head = style.paint(severity, f"{severity}[{diagnostic.code}]")
    return f"{place}: {head}: {style.foreign(diagnostic.message)}{rule}"
