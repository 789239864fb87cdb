"""The lines of a source with marks under them, as `full` shows them below a finding's head.

One excerpt shows places of one source in source order: the finding's own with `^`, others with `-`, each with its label.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policyc.frozen import frozen
from policyc.report.printable import laid_out, width
from policyc.report.style import Style
from policyc.source import Source, Span

WIDEST = 160
"""Columns of a source line that are shown; of a longer line only the part around its mark is."""
LEAD = 40
"""Columns that stay in front of the mark when a line is cut."""


@frozen
class Mark:
    """A place to underline, with a few words behind the line under it; `role` names the colour."""

    span: Span
    label: str
    primary: bool
    role: str


def excerpt(marks: Sequence[Mark], style: Style, gutter: int) -> list[str]:
    """Return the lines that show these places of one source; `gutter` is the width of the line numbers.

    Places with the same line share it. Between lines that are not neighbours stands an empty line.
    """
    rail = style.paint("gutter", f"{'':{gutter}} |")
    shown = [rail]
    previous: int | None = None
    source = marks[0].span.source
    for number, group in _by_line(marks):
        if previous is not None and number > previous + 1:
            shown.append(rail)
        previous = number
        shown.extend(_line(source, number, group, style, gutter))
    return shown


def gutter_width(marks: Iterable[Mark]) -> int:
    """Return how many digits the largest line number of these places has."""
    return max((len(str(mark.span.line)) for mark in marks), default=1)


def _by_line(marks: Sequence[Mark]) -> list[tuple[int, list[Mark]]]:
    lines: dict[int, list[Mark]] = {}
    for mark in marks:
        lines.setdefault(mark.span.line, []).append(mark)
    return [(number, sorted(lines[number], key=_in_line)) for number in sorted(lines)]


def _in_line(mark: Mark) -> tuple[int, int, bool]:
    return (mark.span.start, mark.span.end, not mark.primary)


def _line(source: Source, number: int, marks: list[Mark], style: Style, gutter: int) -> list[str]:
    raw = source.line(number)
    rail = style.paint("gutter", f"{'':{gutter}} |")
    text, columns = laid_out(raw.rstrip(), ascii_only=style.ascii_only)
    underlines = [(mark, *_columns_of(mark.span, number, columns)) for mark in marks]
    first = min(start for _, start, _ in underlines)
    text, shift = _cut(text, first, style)
    head = style.paint("gutter", f"{number:>{gutter}} |")
    lines = [f"{head} {text}".rstrip()]
    for mark, start, end in underlines:
        start, end = max(start - shift, 0), min(end - shift, width(text))  # noqa: PLW2901 - columns of what is shown
        sign = ("^" if mark.primary else "-") * max(end - start, 1)
        label = f" {style.foreign(mark.label)}" if mark.label else ""
        lines.append(f"{rail} {'':{start}}{style.paint(mark.role, sign + label)}")
    return lines


def _columns_of(span: Span, number: int, columns: list[int]) -> tuple[int, int]:
    """Return the columns of a span in its first line; one that goes on in the next line ends with the line."""
    last = len(columns) - 1
    start = columns[min(span.column - 1, last)]
    end = columns[min(span.end_column - 1, last)] if span.end_line == number else columns[last]
    return start, end


def _cut(text: str, first: int, style: Style) -> tuple[str, int]:
    """Return the part of a line that is shown, and how many columns it moved to the left."""
    if width(text) <= WIDEST:
        return text, 0
    dots = style.own("…")
    if first <= WIDEST - LEAD or not text.isascii():
        return text[: WIDEST - len(dots)] + dots, 0
    begin = first - LEAD
    tail = dots if len(text) > begin + WIDEST else ""
    return dots + text[begin + len(dots) : begin + WIDEST - len(tail)] + tail, begin
