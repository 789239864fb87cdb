"""Suppression comments as values: `# policyc: allow shadowed-rule -- ticket 123`, in policies and in dumps alike.

A comment names codes or names of the catalogue and gives a reason. What it covers depends on the text it stands in: a
statement or block of a policy (`policyc.language.suppressions`), the rule below it in a dump (`of_dump`).
"""

from __future__ import annotations

import re

from policyc.diagnostics.catalogue import CATALOGUE, entry
from policyc.diagnostics.diagnostic import Diagnostic, diagnose
from policyc.frozen import frozen
from policyc.source import Source, Span

_MARK = re.compile(r"#+\s*policyc:\s*")
_ALLOW = re.compile(r"allow\s+(?P<keys>[^\s,]+(?:\s*,\s*[^\s,]+)*)\s+--\s*(?P<reason>\S.*)")
_KNOWN = tuple(sorted(key for item in CATALOGUE for key in (item.code, item.name)))
_FORM = "write `# policyc: allow NAME -- reason`"


@frozen
class Suppression:
    """Findings that somebody accepts: their codes, why, the comment's place and the characters it covers."""

    codes: tuple[str, ...]
    reason: str
    span: Span
    covers: Span

    def takes(self, found: Diagnostic) -> bool:
        """Whether a finding is one of these, at a place that is covered."""
        where = found.span
        return (
            found.code in self.codes
            and where is not None
            and where.source is self.covers.source
            and self.covers.start <= where.start <= self.covers.end
        )


def read_suppression(comment: Span, covers: Span) -> Suppression | Diagnostic | None:
    """Read a comment, `#` included; None where it is about something else, a diagnostic where it is not well said."""
    text = comment.text
    mark = _MARK.match(text)
    if not mark:
        return None
    allow = _ALLOW.fullmatch(text.rstrip(), mark.end())
    if not allow:
        if re.match(r"allow\s+\S", text[mark.end() :]):
            return diagnose("bad-suppression", "the suppression gives no reason", comment, help=_FORM)
        return diagnose("bad-suppression", "the comment is not a suppression", comment, help=_FORM)
    codes = []
    for key in re.split(r"\s*,\s*", allow["keys"]):
        try:
            codes.append(entry(key).code)
        except KeyError:
            return diagnose("bad-suppression", f"`{key}` names no finding", comment, help=_nearest(key))
    return Suppression(tuple(codes), allow["reason"].rstrip(), comment, covers)


def _nearest(key: str) -> str:
    import difflib

    near = difflib.get_close_matches(key, _KNOWN, n=1)
    return f"did you mean `{near[0]}`?" if near else "`policyc rule` lists all findings"


def of_dump(source: Source) -> tuple[tuple[Suppression, ...], tuple[Diagnostic, ...]]:
    """Return the suppressions of a dump: a comment line, or several, cover the next line that is none."""
    found: list[Suppression] = []
    bad: list[Diagnostic] = []
    if "policyc:" not in source.text:
        return (), ()
    for number in range(1, len(source.starts) + 1):
        comment = source.line_span(number)
        if not comment.text.startswith("#"):
            continue
        below = number + 1
        while source.line(below).lstrip().startswith("#"):
            below += 1
        covers = source.line_span(below) if below <= len(source.starts) else comment
        read = read_suppression(comment, covers)
        if isinstance(read, Suppression):
            found.append(read)
        elif read is not None:
            bad.append(read)
    return tuple(found), tuple(bad)
