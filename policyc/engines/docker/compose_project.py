"""What belongs to a compose file besides its text: the name of its project, the variables of the file `.env` beside it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def project_of(path: Path) -> str:
    """Return the name that compose gives a project: that of the file's folder, small letters, digits, `-` and `_` of it."""
    folder = path.resolve().parent.name.lower()
    return "".join(c for c in folder if c.isascii() and (c.isalnum() or c in "-_")).lstrip("-_") or "project"


def variables_of(lines: Iterable[str]) -> dict[str, str]:
    """Return the variables of a file `.env`."""
    found: dict[str, str] = {}
    for line in lines:
        name, equals, value = line.removeprefix("export ").strip().partition("=")
        if equals and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("\"'")
    return found
