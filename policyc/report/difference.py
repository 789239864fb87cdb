"""A unified diff of two texts, as `fmt --diff` shows it."""

from __future__ import annotations

from difflib import unified_diff

from policyc.report.style import PLAIN, Style

_ROLES = {"+": "added", "-": "removed", "@": "info"}


def difference(name: str, before: str, after: str, style: Style = PLAIN) -> str:
    """Return the diff between two texts of a file, "" where they are equal; `patch` reads it where no colour is used."""
    lines: list[str] = []
    label = style.foreign(name)
    for line in unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), label, f"{label} (formatted)"
    ):
        text = line.rstrip("\r\n")
        shown = "\t".join(style.foreign(piece) for piece in text.split("\t"))
        lines.append(
            style.paint("bold" if text[:3] in {"---", "+++"} else _ROLES.get(text[:1], ""), shown)
            if text[:1] in _ROLES
            else shown
        )
        if not line.endswith("\n"):
            lines.append("\\ No newline at end of file")
    return "".join(f"{line}\n" for line in lines)
