"""What is said about the faults in `checks/`: rules in, findings out. Every line with a fault is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from policyc import api
from policyc.diagnostics import Diagnostic

FOLDER = Path(__file__).parent / "checks"
INPUTS = sorted(file for file in FOLDER.iterdir() if file.suffix in {".rules", ".pol"})


def findings(file: Path) -> tuple[Diagnostic, ...]:
    try:
        return api.check(file.read_text(encoding="utf-8")).diagnostics
    except api.InputError as error:
        return error.diagnostics


def said(found: Diagnostic) -> str:
    line = found.span.line if found.span else "-"
    text = [f"{line}: {found.severity.label} {found.code} {found.name}: {found.message}"]
    text += [f"    {other.span.line if other.span else '-'}: {other.message}" for other in found.related]
    text += [f"    help: {found.help}"] if found.help else []
    return "\n".join(text) + "\n"


@pytest.mark.parametrize("file", INPUTS, ids=lambda file: file.name)
def test_findings(file: Path, golden: Callable[[Path, str], None]) -> None:
    golden(file.with_name(f"{file.name}.txt"), "".join(map(said, findings(file))))


@pytest.mark.parametrize("file", INPUTS, ids=lambda file: file.name)
def test_every_marked_line_is_found(file: Path) -> None:
    """The line below a comment `# fault: NAME` has a finding of that name."""
    lines = file.read_text(encoding="utf-8").splitlines()
    wanted = {
        (number + 1, name.strip())
        for number, line in enumerate(lines, 1)
        if line.strip().startswith("# fault:")
        for name in line.split(":", 1)[1].split(",")
    }
    assert wanted <= {(found.span.line if found.span else 0, found.name) for found in findings(file)}
    assert wanted or file.name.startswith("clean")
