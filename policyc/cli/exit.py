"""The exit codes, which scripts rely on; there are no others."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What a command's end means."""

    FINE = 0
    BAD_NEWS = 1
    """Findings at or over `--fail-on`, `fmt --check` differs."""
    NOT_ASKED = 2
    """The question could not be asked: usage, unreadable or invalid input, nothing to check, an internal error."""
    REFUSED = 3
    """An apply was refused or rolled back."""
    NOT_PRIVILEGED = 4
