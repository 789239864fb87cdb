"""Texts to names and strings: the roles NAME, ZONE, RULE_NAME and those of foreign words.

Every function takes the text, the offset where it begins and where to report; it returns None when it has reported.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from policyc.language.literals import Name, String
from policyc.language.problems import Problems
from policyc.language.vocabulary import RESERVED
from policyc.source import Span

_NAME = re.compile(r"[A-Za-z0-9_]+(?:-+[A-Za-z0-9_]+)*")
_RULE_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


def decimal(text: str) -> int:
    """Return the value of at most ten ASCII digits, -1 for any other text."""
    return int(text) if len(text) <= 10 and text.isascii() and text.isdecimal() else -1


def name(text: str, start: int, problems: Problems, what: str = "a name", allowed: Collection[str] = ()) -> Name | None:
    """Read a name: letters, digits, `_` and inner `-`, not a number, not a word of the language."""
    if text not in RESERVED or text in allowed:
        if _NAME.fullmatch(text) and not text.isdecimal():
            return Name(text, Span(problems.source, start, start + len(text)))
        message = f"`{text}` is not {what}"
        hint = "a name is letters, digits, `_` and inner `-`" if what == "a name" else ""
        problems.report("bad-literal", message, start, start + len(text), hint)
        return None
    message = f"`{text}` is a word of the language, not {what}"
    problems.report("reserved-word", message, start, start + len(text), "choose another name")
    return None


def zone(text: str, start: int, problems: Problems) -> Name | None:
    """Read one side of a pair: the name of a zone, `self` or `any`."""
    return name(text, start, problems, "a zone", allowed=("self", "any"))


def rule_name(text: str, start: int, problems: Problems) -> Name | None:
    """Read what a test calls a rule: `site`, `baseline.ping`."""
    if _RULE_NAME.fullmatch(text):
        return Name(text, Span(problems.source, start, start + len(text)))
    problems.report("bad-literal", f"`{text}` is not the name of a rule", start, start + len(text))
    return None


def foreign(text: str, start: int, problems: Problems) -> Name:
    """Take a word that only others know: a user, a chain, a helper, an owner, an answer of `reject`."""
    return Name(text, Span(problems.source, start, start + len(text)))


def string(text: str, start: int, problems: Problems, *, empty: bool = False) -> String | None:
    """Read a quoted text; `empty` says whether it may hold nothing. Tabs are control characters too."""
    end = start + len(text)
    if "\t" in text:
        problems.report("control-character", "a tab stands in a string", start, end)
        return None
    if len(text) == 2 and not empty:
        problems.report("bad-literal", "the string is empty", start, end)
        return None
    return String(text[1:-1], Span(problems.source, start, end))
