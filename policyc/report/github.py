"""Annotations on a pull request: the workflow commands that GitHub Actions reads from a step's log."""

from __future__ import annotations

from policyc.diagnostics import Diagnostic
from policyc.report.answer import Answer
from policyc.report.printable import printable

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def github(answer: Answer) -> str:
    """Return one `::error …::message` line for each finding."""
    return "".join(f"{_command(diagnostic)}\n" for diagnostic in answer.diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    properties: dict[str, str] = {}
    span = diagnostic.span
    if span is not None:
        properties["file"] = span.source.name
        if span.source.text:
            properties["line"], properties["col"] = str(span.line), str(span.column)
            properties["endLine"] = str(span.end_line)
            if span.end_line == span.line:  # GitHub refuses columns of an annotation over several lines
                properties["endColumn"] = str(span.end_column)
            else:
                del properties["col"]
    properties["title"] = f"{diagnostic.code} {diagnostic.name}"
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    lines = [printable(diagnostic.message)]
    if diagnostic.place is not None:
        lines.append(f"rule: {printable(str(diagnostic.place))}")
    lines.extend(f"help: {printable(line)}" for line in diagnostic.help.split("\n") if line)
    return f"::{_COMMANDS[diagnostic.severity.label]} {listed}::{_data(chr(10).join(lines))}"


def _data(text: str) -> str:
    """Escape a message as the runner's toolkit does (actions/toolkit, command.ts)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
