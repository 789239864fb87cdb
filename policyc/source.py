"""A text and places in it: the bottom of the pipeline, what every diagnostic points at.

A `Source` is a named text; a `Span` is a half-open range of character offsets in it. Lines and columns are 1-based and
computed only when somebody prints them, because a dump of 100,000 lines makes as many spans.
"""

from __future__ import annotations

from bisect import bisect_right

from policyc.frozen import frozen


class Source:
    """A text with a name, immutable by convention; compared by identity."""

    __slots__ = ("_starts", "name", "text")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._starts: list[int] | None = None

    def __repr__(self) -> str:
        return f"Source({self.name!r}, {len(self.text)} characters)"

    @property
    def starts(self) -> list[int]:
        """Offsets at which lines begin; lines end with a line feed, as in an editor."""
        if self._starts is None:
            starts = [0]
            find = self.text.find
            at = find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
            self._starts = starts
        return self._starts

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column of a character offset."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Return the text of a 1-based line without its line end."""
        starts = self.starts
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r")

    def span(self, start: int, end: int) -> Span:
        """Return the span of the offsets from start up to but not including end."""
        return Span(self, start, end)

    def line_span(self, number: int) -> Span:
        """Return the span of a 1-based line without its leading and trailing blanks."""
        start = self.starts[number - 1]
        text = self.line(number)
        stripped = text.strip()
        lead = len(text) - len(text.lstrip())
        return Span(self, start + lead, start + lead + len(stripped))


@frozen
class Span:
    """A range of characters of a source; `end` is not included."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        """1-based line of the first character."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """1-based column of the first character."""
        return self.source.position(self.start)[1]

    @property
    def end_line(self) -> int:
        """1-based line of the end."""
        return self.source.position(self.end)[0]

    @property
    def end_column(self) -> int:
        """1-based column just after the last character."""
        return self.source.position(self.end)[1]

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"
