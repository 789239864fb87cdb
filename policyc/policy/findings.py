"""Where the errors of a policy come together while its names are resolved: each once, with the calls it came by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policyc.diagnostics import Diagnostic, Related, diagnose
from policyc.source import Span


class Findings:
    """What is wrong so far. A function that returns None has reported why, or met a name that is broken already.

    `calls` are the places of the `use` lines that led to the line being resolved, the outermost first: a line of a `define`
    is resolved once for each call, its errors are reported for the first one only.
    """

    def __init__(self, found: Iterable[Diagnostic] = ()) -> None:
        self.found: list[Diagnostic] = list(found)
        self.calls: tuple[Span, ...] = ()
        self._seen: set[tuple[str, str, Span]] = set()

    def report(self, code: str, message: str, span: Span, hint: str = "", related: Sequence[Related] = ()) -> None:
        """Add a finding; `hint` says what to do, `related` which other places explain it."""
        if (key := (code, message, span)) in self._seen:
            return
        self._seen.add(key)
        calls = (Related("used here", call) for call in reversed(self.calls))
        self.found.append(diagnose(code, message, span, help=hint, related=(*related, *calls)))
