"""Which comments belong to which line: those right above it, inside it and beside it. Between lines and parser."""

from __future__ import annotations

from policyc.language.lines import Line
from policyc.language.rules import Comment
from policyc.source import Source

Commented = tuple[Line, tuple[Comment, ...]]


def comment(source: Source, start: int, end: int) -> Comment:
    """Make the comment of the characters between two offsets, `#` included."""
    return Comment(source.text[start:end].lstrip("#").strip(), source.span(start, end))


def attach(lines: list[Line], source: Source) -> tuple[list[Commented], tuple[Comment, ...]]:
    """Return the lines without those of comments alone, each with its own comments, and all comments in order.

    A comment stands right above a line when no blank line and no other statement is between them. Above a `}` stands none.
    """
    text = source.text
    found: list[Commented] = []
    every: list[Comment] = []
    above: list[Comment] = []
    for line in lines:
        if above and text.count("\n", above[-1].span.end, line.start) != 1:
            above = []
        if line.close == "#":
            above.append(comment(source, line.start, line.end))
            every.append(above[-1])
        elif above or line.comments:
            own = [comment(source, start, end) for start, end in line.comments]
            every += own
            found.append((line, tuple(own if line.close == "}" else [*above, *own])))
            above = []
        else:
            found.append((line, ()))
    return found, tuple(every)
