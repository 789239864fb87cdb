"""Rows of an explanation laid out for a terminal: where, what, what became of it, and its source line, in columns."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from policyc.frozen import frozen
from policyc.report.printable import width
from policyc.report.style import Style

WIDE = 100
"""Columns that a line takes where its text allows it."""
LEAD = 24
"""Columns in front of a row's text: hook and table."""
_MOST_PLACE, _MOST_BEHIND = 20, 40
"""Columns for source lines, and for what became of a row and its source line together."""


@frozen
class Row:
    """One line. `text` at `indent`, `said` with the colour `role`, `place` a source line; all harmless already."""

    hook: str = ""
    stage: str = ""
    text: str = ""
    said: str = ""
    place: str = ""
    role: str = "faint"
    indent: int = 0


def laid_out(rows: Sequence[Row], style: Style) -> list[str]:
    """Return the lines; where a text leaves no room for the rest, that stands on a line of its own."""
    places = min(max((width(row.place) for row in rows), default=0), _MOST_PLACE)
    said = min(max((width(row.said) for row in rows), default=0), _MOST_BEHIND - places)
    room = WIDE - LEAD - said - places - 4
    needed = max((row.indent + width(row.text) for row in rows if row.said or row.place), default=0)
    column = min(room, needed)
    return [line for row in rows for line in _lines(row, column, said, style)]


def _lines(row: Row, column: int, said: int, style: Style) -> list[str]:
    lead = f"  {style.paint('bold', row.hook)}{'':{12 - len(row.hook)}}{row.stage:<10}"
    first, *more = wrapped(row.text, WIDE - LEAD - row.indent, 4) or [""]
    texts = [f"{'':{row.indent}}{first}", *(f"{'':{row.indent}}{text}" for text in more)]
    used = width(texts[-1])
    if row.role == "faint" and not row.said:
        texts = [style.paint("faint", text) for text in texts]
    lines = [lead + texts[0], *(f"{'':{LEAD}}{text}" for text in texts[1:])]
    if row.said or row.place:
        tight = LEAD + used + width(row.said) + width(row.place) + 4 <= WIDE
        if used <= column or tight:
            lines[-1] += f"{'':{max(column - used, 0)}}  {_tail(row, said - max(used - column, 0), style)}"
        else:
            lines.append(f"{'':{LEAD + column}}  {_tail(row, said, style)}")
    return [line.rstrip() for line in lines]


def _tail(row: Row, said: int, style: Style) -> str:
    if not row.place:
        return style.paint(row.role, row.said)
    return f"{style.paint(row.role, row.said)}{'':{max(said - width(row.said), 0)}}  {style.paint('faint', row.place)}"


def wrapped(text: str, columns: int, hanging: int) -> list[str]:
    """Return a text in lines of at most so many columns where its words allow it; all but the first are indented.

    What stands in backticks stays on one line while it is short.
    """
    kept = _QUOTED.sub(lambda found: found[0].replace(" ", _JOINED), text)
    lines = textwrap.wrap(
        kept, max(columns, 20), subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(_JOINED, " ") for line in lines]


_QUOTED = re.compile("`[^`]{1,48}`")
_JOINED = "\0"  # no printable text has it
