"""JSON text to values, and where in the text each of them stands: the base of the readers whose input is JSON.

Values are parsed at once by the standard library; a place is looked up only when somebody asks, by walking the text anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

from policyc.diagnostics import Diagnostic, InputError, diagnose
from policyc.source import Source, Span

Path = tuple[str | int, ...]
"""The keys and 0-based indexes that lead from the whole text to a value."""

_BLANK = re.compile(r"[ \t\r\n]*")
_AFTER_BOM = 1


class _Member(NamedTuple):
    """A member of an object or list: its key or index, where the key (else the value) begins and ends, and the value."""

    key: str | int
    key_start: int
    key_end: int
    start: int
    end: int


def read_json(source: Source) -> Any:
    """Return the value of a JSON text.

    Raises InputError where it is no JSON (RFC 8259), and with every key that comes twice in its object, because a reader
    would silently take the last.
    """
    repeats: list[str] = []

    def together(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            repeats.extend(key for key, _ in pairs)
        return made

    text = source.text
    try:
        value = json.loads(text[_start(text) :], object_pairs_hook=together, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        at = min(error.pos + _start(text), len(text))
        where = source.span(at, min(at + 1, len(text)))
        raise InputError([diagnose("unreadable-source", f"this is no JSON: {_said(error.msg)}", where)]) from None
    except RecursionError:
        raise InputError([_whole(source, "it is nested too deeply")]) from None
    except ValueError as error:  # NaN, a number of thousands of digits
        raise InputError([_whole(source, str(error))]) from None
    if repeats:
        raise InputError(list(_repeated(source, (), _start(text))))
    return value


def place_of(source: Source, path: Path) -> Span:
    """Return where a value stands; that of the nearest value around it where the path leads nowhere."""
    return _walk(source, path)[0]


def key_of(source: Source, path: Path) -> Span:
    """Return where the key of a value stands, or the value itself where it is a member of a list."""
    return _walk(source, path)[1]


def spelled(path: Path) -> str:
    """Return a path as people write it: `links[2].mtu`."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")


def _walk(source: Source, path: Path) -> tuple[Span, Span]:
    text = source.text
    start = _past_blanks(text, _start(text))
    value = key = source.span(start, len(text.rstrip()))
    for wanted in path:
        found = None
        for member in _members(text, value.start):
            if member.key == wanted:
                found = member
                break
        if found is None:
            break
        value, key = source.span(found.start, found.end), source.span(found.key_start, found.key_end)
    return value, key


def _repeated(source: Source, path: Path, at: int) -> Iterator[Diagnostic]:
    """Yield an error for each key that its object has already."""
    seen: set[str | int] = set()
    for one in _members(source.text, _past_blanks(source.text, at)):
        here = (*path, one.key)
        if one.key in seen:
            where = source.span(one.key_start, one.key_end)
            yield diagnose("unreadable-source", f"the key `{spelled(here)}` comes twice", where)
        seen.add(one.key)
        yield from _repeated(source, here, one.start)


def _members(text: str, at: int) -> Iterator[_Member]:
    """Yield the members of the object or list that begins at an offset; nothing for any other value."""
    opening = text[at]
    if opening not in "{[":
        return
    decode = json.JSONDecoder().raw_decode
    at = _past_blanks(text, at + 1)
    number = 0
    while text[at] not in "}]":
        key: str | int = number
        key_start, key_end = at, 0
        if opening == "{":
            key, key_end = decode(text, at)
            at = _past_blanks(text, _past_blanks(text, key_end) + 1)  # a colon stands between
        _, end = decode(text, at)
        yield _Member(key, key_start, key_end or end, at, end)
        number += 1
        at = _past_blanks(text, end)
        if text[at] == ",":
            at = _past_blanks(text, at + 1)


def _past_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    assert found is not None, "it matches nothing too"
    return found.end()


def _start(text: str) -> int:
    return _AFTER_BOM if text.startswith("\ufeff") else 0


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"`{word}` is no number of JSON")


def _said(message: str) -> str:
    return message[:1].lower() + message[1:]


def _whole(source: Source, message: str) -> Diagnostic:
    return diagnose("unreadable-source", f"`{source.name}` is no JSON that can be read: {message}", source.span(0, 0))
