"""A text cut into lines: the first step of the parser. What a line means is the grammar's business.

A line ends at the line end, at `;`, `{` or `}` outside strings and comments; a line end after a comma is none. A line
takes the comments inside it and beside its end; a comment alone on its line is a `Line` of its own.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from policyc.language.problems import Problems

BYTE_ORDER_MARK = "\ufeff"
_PLAIN = re.compile(r"""[ \t\r\n;]*+([^\s;{}#"'()=<>]++(?: ++[^\s;{}#"'()=<>]++)*+)[ \t\r]*+([\n;]|\Z)""")
_BLANK = re.compile(r"[ \t\r\n;]*")
_TEXT = re.compile(r"""(?:[^\n;{}#"']+|"[^"\n]*"|'[^'\n]*')*""")
_REST = re.compile(r"[^\n]*")
# C0 and C1, line separators, and the characters that make text read in another order than it is written.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\r(?!\n)")


@dataclass(slots=True)
class Line:
    """The characters from start up to but not including end, without outer blanks and outer comments.

    `close` is what ends it: a line feed or "" at the end of the text, `;`, `{`, `}` (the line is then the brace alone),
    or `#` for a comment alone on its line. `comments` are offsets. `sound` is False where an error was reported. `plain`
    lines have no strings, comments or brackets in them, and no blanks but spaces.
    """

    start: int
    end: int
    close: str
    comments: tuple[tuple[int, int], ...] = ()
    sound: bool = True
    plain: bool = False


def cut(problems: Problems) -> list[Line]:
    """Return the lines of the problems' source in order; report open quotes, lost braces and control characters."""
    text = problems.source.text
    lines: list[Line] = []
    position = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
    size = len(text)
    while position < size:
        if plain := _PLAIN.match(text, position):
            begin, end = plain.span(1)
            if text[end - 1] != ",":
                close = plain[2]
                lines.append(Line(begin, end, close, plain=True))
                position = plain.end() if close == ";" else plain.start(2)
                continue
        begin = _end(_BLANK.match(text, position))
        mark = text[begin : begin + 1]
        if not mark:
            break
        if mark == "#":
            end = _end(_REST.match(text, begin))
            if lines and "\n" not in text[position:begin]:
                last = lines[-1]
                last.comments = (*last.comments, (begin, _stripped(text, begin, end)))
            else:
                lines.append(Line(begin, _stripped(text, begin, end), "#"))
            position = end
        elif mark == "{":
            _lone_brace(lines, begin, problems)
            position = begin + 1
        elif mark == "}":
            lines.append(Line(begin, begin + 1, "}"))
            position = begin + 1
        else:
            line, position = _line(text, begin, problems)
            lines.append(line)
    if _CONTROL.search(text):
        _control_characters(lines, problems)
    return lines


def _end(match: re.Match[str] | None) -> int:
    assert match, "a pattern that fits the empty text always matches"
    return match.end()


def _stripped(text: str, start: int, end: int) -> int:
    return start + len(text[start:end].rstrip(" \t\r"))


def _line(text: str, begin: int, problems: Problems) -> tuple[Line, int]:
    """Return the line that begins there and the offset of what follows, its line feed or closing brace included."""
    line = Line(begin, begin, "")
    position = begin
    while True:
        stop = _end(_TEXT.match(text, position))
        if (end := _stripped(text, position, stop)) > position:
            line.end = end
        mark = text[stop : stop + 1]
        if mark == "\n" and text[line.end - 1] == ",":
            position = stop + 1
        elif mark in {"\n", "", "}"}:
            line.close = ";" if mark == "}" else mark
            return line, stop
        elif mark in {";", "{"}:
            line.close = mark
            return line, stop + 1
        else:
            position = _end(_REST.match(text, stop))
            if mark == "#":
                line.comments = (*line.comments, (stop, _stripped(text, stop, position)))
            else:
                line.sound = False
                line.end = _stripped(text, stop, position)
                hint = f"a string begins and ends with {mark} on the same line"
                problems.report("syntax-error", "the string is not closed", stop, line.end, hint)
                if text[line.end - 1] == "{":
                    line.close = "{"
                    return line, position


def _lone_brace(lines: list[Line], begin: int, problems: Problems) -> None:
    """Report a `{` that begins a line, and give it to the line before where that can be its head."""
    hint = "the `{` stands at the end of the line that begins the block"
    problems.report("syntax-error", "a line begins with `{`", begin, begin + 1, hint)
    if lines and lines[-1].close == "\n":
        lines[-1].close = "{"
    else:
        lines.append(Line(begin, begin + 1, "{", sound=False))


def _control_characters(lines: list[Line], problems: Problems) -> None:
    """Report the first control character of every line of the text; the statements that hold one are not read."""
    source = problems.source
    seen = 0
    for match in _CONTROL.finditer(source.text):
        at = match.start()
        number = source.position(at)[0]
        if number != seen:
            seen = number
            message = f"the control character U+{ord(match[0]):04X} stands in the text"
            problems.report("control-character", message, at, at + 1, "only tabs and line ends may stand here")
        holder = bisect_right(lines, at, key=lambda line: line.start) - 1
        if holder >= 0 and at < lines[holder].end:
            lines[holder].sound = False
