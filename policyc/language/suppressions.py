"""The suppression comments of a policy, each with the statement or block that it covers. Checks use them later."""

from __future__ import annotations

from policyc.diagnostics import Diagnostic
from policyc.diagnostics.suppressions import Suppression, read_suppression
from policyc.language.tree import File
from policyc.source import Span


def suppressions(file: File) -> tuple[tuple[Suppression, ...], tuple[Diagnostic, ...]]:
    """Return the suppressions of a file in written order, and those that are not well said.

    A comment beside or right above a line covers the line, of a block the whole block. One that belongs to nothing covers
    itself alone, so that it is reported as unused.
    """
    covered: dict[Span, Span] = {comment.span: node.span for node in file.nodes() for comment in node.comments}
    read = [read_suppression(comment.span, covered.get(comment.span, comment.span)) for comment in file.comments]
    found = tuple(one for one in read if isinstance(one, Suppression))
    return found, tuple(one for one in read if isinstance(one, Diagnostic))
