"""Where the parser's findings come together: diagnostics for one source, with their places and suggestions."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.diagnostics import Diagnostic, diagnose
from policyc.source import Source, Span


class Problems:
    """What is wrong with one text so far. A reader that returns None has reported why."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[Diagnostic] = []

    def __len__(self) -> int:
        return len(self.found)

    def report(self, code: str, message: str, start: int, end: int, hint: str = "") -> None:
        """Add a finding about the characters from start up to but not including end; `hint` says what to do."""
        self.found.append(diagnose(code, message, Span(self.source, start, end), help=hint))


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return "did you mean `…`?" for the known word that is nearest, "" where none is near."""
    import difflib

    near = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""


def one_of(words: Iterable[str]) -> str:
    """Return "`a`, `b` or `c`"."""
    *rest, last = (f"`{word}`" for word in words)
    return f"{', '.join(rest)} or {last}" if rest else last
