"""How a word is written in an iptables-save file and how a line is taken apart into words: one place for the format.

Sources: libxtables `xtables_save_string` (what is quoted), iptables/xshared.c `add_param_to_argv` (what is read). Only
double quotes quote; a backslash counts only inside them.
"""

from __future__ import annotations

import re

_PLAIN = frozenset("_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ESCAPED = str.maketrans({'"': '\\"', "\\": "\\\\", "'": "\\'"})


class QuoteError(ValueError):
    """A quote is opened and not closed; `at` is its offset in the line."""

    def __init__(self, at: int) -> None:
        super().__init__("a double quote is opened and not closed")
        self.at = at


def save_string(text: str) -> str:
    """Return free text (comment, log prefix) as iptables-save writes it: bare when it is letters, digits, `_` and `-`."""
    if text and _PLAIN.issuperset(text):
        return text
    return f'"{text.translate(_ESCAPED)}"'


def quote_word(text: str) -> str:
    """Return a word that iptables-save writes bare, quoted only where it would not be read back as one word."""
    if text and not any(c in ' \t"\\' for c in text):
        return text
    return f'"{text.translate(_ESCAPED)}"'


def has_control_character(text: str) -> bool:
    """Whether the text holds a line end or another control character, which no restore file may carry."""
    return _CONTROL.search(text) is not None


def split_words(line: str) -> list[tuple[str, int, int]]:
    """Return the words of a restore line with the offsets of their first and last-plus-one character.

    Raises QuoteError for a quote that is not closed.
    """
    words: list[tuple[str, int, int]] = []
    at, length = 0, len(line)
    while at < length:
        if line[at] in " \t\r\n":
            at += 1
            continue
        start = at
        text: list[str] = []
        quote = -1
        while at < length and (quote >= 0 or line[at] not in " \t\r\n"):
            char = line[at]
            if quote >= 0 and char == "\\" and at + 1 < length:
                at += 1
                text.append(line[at])
            elif char == '"':
                quote = -1 if quote >= 0 else at
            else:
                text.append(char)
            at += 1
        if quote >= 0:
            raise QuoteError(quote)
        words.append(("".join(text), start, at))
    return words
