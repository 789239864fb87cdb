"""A policy's text laid out the one way: what `policyc fmt` prints. Every comment stays, every tree stays the same.

Words stand in canonical order with one blank between them, lines of a block are indented by two, at most one blank line
stands between statements, comments of neighbouring lines stand below each other. A block that was written on one line stays
there while it fits; a comment inside a statement goes above it. Formatting twice changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from policyc.diagnostics import InputError
from policyc.language import tree as t
from policyc.language.lines import Line, cut
from policyc.language.parser import parse
from policyc.language.print_rules import BREAK
from policyc.language.print_statements import line_text
from policyc.language.problems import Problems
from policyc.source import Source

WIDTH = 120
_INDENT = "  "


def format_text(source: Source) -> str:
    """Return the canonical layout of a policy's text; raise InputError with all problems where it cannot be read."""
    file, found = parse(source)
    if found:
        raise InputError(found)
    rows = _Layout(source, file).rows
    _align(rows)
    return "".join(row.text + "\n" for row in rows)


@dataclass(slots=True)
class _Row:
    """One line of output, its indentation included, and the comment beside it."""

    text: str
    comment: str = ""


class _Layout:
    """The rows of one file, before comments are aligned."""

    def __init__(self, source: Source, file: t.File) -> None:
        self.source = source
        self.nodes = {node.span.start: node for node in file.nodes()}
        self.rows: list[_Row] = []
        self.depth = 0
        lines = cut(Problems(source))
        at = 0
        last: int | None = None
        while at < len(lines):
            line = lines[at]
            closing = line.close == "}"
            if last is not None and not closing and source.text.count("\n", last, line.start) > 1:
                self._blank_row()
            length = self._one_line(lines, at) if line.close == "{" else 1
            if length == 1:
                self._put(line)
            at += length
            ended = lines[at - 1]
            last = max(ended.end, *(end for _, end in ended.comments)) if ended.comments else ended.end

    def _blank_row(self) -> None:
        """Keep a blank line, but for one at the beginning of a block."""
        if not self.rows[-1].text.endswith("{"):
            self.rows.append(_Row(""))

    def _put(self, line: Line) -> None:
        inner, beside = self._comments(line)
        if line.close == "}":
            self.depth -= 1
            self._row("}", beside)
        elif line.close == "#":
            self._row(_comment(self.source.text[line.start : line.end]), "")
        else:
            for comment in inner:
                self._row(comment, "")
            self._statement(line, " {" if line.close == "{" else "", beside)
            self.depth += line.close == "{"

    def _statement(self, line: Line, tail: str, beside: str) -> None:
        """Put a line, broken after commas where it is too long."""
        text = line_text(self.nodes[line.start]) + tail
        room = WIDTH - len(_INDENT) * self.depth
        indent = ""
        if len(text) > room:
            pieces = text.split(BREAK)
            row = pieces[0]
            for piece in pieces[1:]:
                if len(indent) + len(row) + 1 + len(piece) > room:
                    self._row(indent + row, "")
                    indent, row = _INDENT * 2, piece
                else:
                    row += " " + piece
            text = indent + row
        self._row(text.replace(BREAK, " "), beside)

    def _row(self, text: str, beside: str) -> None:
        self.rows.append(_Row(_INDENT * self.depth + text, beside))

    def _one_line(self, lines: list[Line], at: int) -> int:
        """Put the block that begins there on one row, if it was written so or is empty, and return how many lines it took.

        Returns 1 where the block needs several rows.
        """
        head = lines[at]
        end = at + 1
        while lines[end].close != "}":
            end += 1
        inside = lines[at + 1 : end]
        written = "\n" not in self.source.text[head.start : lines[end].end]
        hoisted, beside = self._comments(head)
        if (inside and not written) or beside or any(line.comments or line.close == "#" for line in inside):
            return 1
        body = "; ".join(line_text(self.nodes[line.start]) for line in inside)
        text = f"{line_text(self.nodes[head.start])} {{ {body}{' ' if body else ''}}}".replace(BREAK, " ")
        if len(text) > WIDTH:
            return 1
        for comment in hoisted:
            self._row(comment, "")
        self._row(text, self._comments(lines[end])[1])
        return end - at + 1

    def _comments(self, line: Line) -> tuple[list[str], str]:
        """Return the comments inside a line, and the one beside its end."""
        texts = [(start, _comment(self.source.text[start:end])) for start, end in line.comments]
        inner = [text for start, text in texts if start < line.end]
        beside = [text for start, text in texts if start >= line.end]
        return [*inner, *beside[:-1]], beside[-1] if beside else ""


def _comment(text: str) -> str:
    """Return a comment with a blank after its `#`, unless more than `#` begins it."""
    return re.sub(r"^#(?=\w)", "# ", text)


def _align(rows: list[_Row]) -> None:
    """Put the comments of neighbouring rows below each other."""
    at = 0
    while at < len(rows):
        end = at
        while end < len(rows) and rows[end].comment:
            end += 1
        column = max((len(row.text) for row in rows[at:end]), default=0) + 2
        for row in rows[at:end]:
            row.text = f"{row.text:<{column}}{row.comment}"
        at = end + 1
