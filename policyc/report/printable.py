r"""Foreign text made harmless, and how wide it stands in a terminal: the first thing every format for people does.

Comments, prefixes and names come from outside. Control characters, C1 codes and the marks that reorder or hide text are
shown as `\xNN` or `\uNNNN`, so that no text can move the cursor, colour a line or pretend to be another one.
"""

from __future__ import annotations

import re
import unicodedata

TAB_STOP = 4

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, delete, C1
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # directions, joiners, separators: UAX #9 and the invisible ones
    "\ufff9-\ufffb\U000e0000-\U000e007f"  # annotations, tags
    "\ud800-\udfff]"  # bytes that were not UTF-8, kept by surrogateescape
)
_PLAIN = {"…": "...", "→": "->", "✓": "+", "✗": "x", "■": "*", "≈": "~", "·": "-"}


def escaped(character: str) -> str:
    r"""Return the visible spelling of one character: `\xNN`, `\uNNNN` or `\UNNNNNNNN`."""
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: the byte itself
        code -= 0xDC00
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def printable(text: str, *, ascii_only: bool = False) -> str:
    """Return the text on one line without anything that a terminal would obey; `ascii_only` spells out the rest too."""
    if text.isascii() and text.isprintable():
        return text
    text = _UNSAFE.sub(lambda found: escaped(found[0]), text)
    return to_ascii(text) if ascii_only else text


def to_ascii(text: str) -> str:
    r"""Return the text in ASCII: our own typography in its plain form, other characters as `\uNNNN`."""
    if text.isascii():
        return text
    return "".join(
        character if character.isascii() else _PLAIN.get(character) or escaped(character) for character in text
    )


def width(text: str) -> int:
    """Return how many columns printable text takes: two for wide characters, none for combining ones (UAX #11)."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def laid_out(line: str, *, ascii_only: bool = False) -> tuple[str, list[int]]:
    """Return a source line as it is shown, and for each of its characters, and its end, the column where it stands.

    Tabs become blanks up to the next multiple of TAB_STOP; columns are 0-based.
    """
    if line.isascii() and line.isprintable():
        return line, list(range(len(line) + 1))
    shown: list[str] = []
    columns: list[int] = []
    at = 0
    for character in line:
        columns.append(at)
        piece = " " * (TAB_STOP - at % TAB_STOP) if character == "\t" else printable(character, ascii_only=ascii_only)
        shown.append(piece)
        at += width(piece)
    columns.append(at)
    return "".join(shown), columns
