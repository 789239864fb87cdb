"""Findings for people: head, place, excerpt with marks, what to do. The layout that `check` prints by default."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.diagnostics import Diagnostic
from policyc.report.answer import Answer
from policyc.report.excerpt import Mark, excerpt, gutter_width
from policyc.report.style import PLAIN, Style
from policyc.report.summary import exactness_line, sentence
from policyc.source import Source, Span


def full(answer: Answer, style: Style = PLAIN) -> str:
    """Return all findings with a summary at the end."""
    text = findings(answer.diagnostics, style)
    summary = sentence(answer.diagnostics, len(answer.files))
    if answer.exactness is not None:
        summary += f" ({exactness_line(answer.exactness)})"
    return f"{text}\n{summary}\n" if text else f"{summary}\n"


def findings(diagnostics: Iterable[Diagnostic], style: Style = PLAIN) -> str:
    """Return the findings without a summary, an empty line between them; "" for none."""
    return "\n".join("\n".join(_finding(diagnostic, style)) + "\n" for diagnostic in diagnostics)


def _finding(diagnostic: Diagnostic, style: Style) -> list[str]:
    severity = diagnostic.severity.label
    head = style.paint(severity, f"{severity}[{diagnostic.code}]")
    lines = [f"{head}{style.paint('bold', ': ' + style.foreign(diagnostic.message))}"]
    marks = _marks(diagnostic)
    gutter = gutter_width(mark for group in marks.values() for mark in group)
    for source, group in marks.items():
        main = next((mark for mark in group if mark.primary), None)
        arrow = style.paint("gutter", f"{'':{gutter}}{'-->' if main else ':::'}")
        lines.append(f"{arrow} {_place((main or group[0]).span, style)}")
        if source.text:
            lines.extend(excerpt(group, style, gutter))
    notes = list(_notes(diagnostic, style))
    if notes:
        if any(source.text for source in marks):
            lines.append(style.paint("gutter", f"{'':{gutter}} |"))
        equals = style.paint("gutter", f"{'':{gutter}} =")
        lines.extend(f"{equals} {note}" for note in notes)
    return lines


def _marks(diagnostic: Diagnostic) -> dict[Source, list[Mark]]:
    """Return the places to show by source, the finding's own source first."""
    groups: dict[Source, list[Mark]] = {}
    if diagnostic.span is not None:
        own = Mark(diagnostic.span, diagnostic.label, primary=True, role=diagnostic.severity.label)
        groups[diagnostic.span.source] = [own]
    for other in diagnostic.related:
        if other.span is not None:
            groups.setdefault(other.span.source, []).append(
                Mark(other.span, other.message, primary=False, role="gutter")
            )
    return groups


def _place(span: Span, style: Style) -> str:
    return (
        f"{style.foreign(span.source.name)}:{span.line}:{span.column}"
        if span.source.text
        else style.foreign(span.source.name)
    )


def _notes(diagnostic: Diagnostic, style: Style) -> Iterable[str]:
    for other in diagnostic.related:
        if other.span is None:
            place = f"{style.foreign(str(other.place))}: " if other.place else ""
            yield f"see: {place}{style.foreign(other.message)}"
    if diagnostic.witness is not None:
        yield f"packet: {style.foreign(diagnostic.witness.text)}"
        yield from (f"        if {style.foreign(condition)}" for condition in diagnostic.witness.assumes)
    if diagnostic.help:
        first, *rest = diagnostic.help.split("\n")
        yield f"help: {style.foreign(first)}"
        yield from (f"      {style.foreign(line)}" for line in rest)
    if diagnostic.place is not None:
        yield f"rule: {style.foreign(str(diagnostic.place))}"
    yield f"more: policyc rule {diagnostic.code}"
