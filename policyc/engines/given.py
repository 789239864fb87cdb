"""A value of a document that somebody else wrote (scenario, compose file), read with its place: the base of engines' inputs.

A `Given` knows the path of keys that leads to it. What is wrong with it is collected in its document, so that all problems
of a file are told at once, each at its line, with the path.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from policyc.diagnostics import Diagnostic, InputError, diagnose
from policyc.frozen import frozen
from policyc.readers.json_places import Path, key_of, place_of, spelled
from policyc.source import Source, Span


class Places(Protocol):
    """Where the values of a document stand in its text."""

    def value(self, path: Path) -> Span:
        """Return the place of a value, or of the nearest one around it."""
        ...

    def key(self, path: Path) -> Span:
        """Return the place of the key of a value."""
        ...


class JsonPlaces:
    """Places in a JSON text; that of a value that came without a text is written down when it is needed."""

    def __init__(self, source: Source | None, root: Any, name: str) -> None:
        self._source = source
        self._root = root
        self._name = name

    def value(self, path: Path) -> Span:
        """Return the place of a value, or of the nearest one around it."""
        return place_of(self._text(), path)

    def key(self, path: Path) -> Span:
        """Return the place of the key of a value."""
        return key_of(self._text(), path)

    def _text(self) -> Source:
        if self._source is None:
            self._source = Source(self._name, json.dumps(self._root, indent=1, default=str))
        return self._source


@dataclass(slots=True)
class Document:
    """A document and what is wrong with it so far."""

    places: Places
    problems: list[Diagnostic] = field(default_factory=list)

    def settle(self) -> None:
        """Raise InputError with all problems, if there are any."""
        if self.problems:
            raise InputError(self.problems)


@frozen
class Given:
    """A value at a path; `value` None also stands for one that is not there."""

    document: Document
    path: Path
    value: Any

    @classmethod
    def json(cls, value: Any, source: Source | None = None, name: str = "scenario") -> Given:
        """Return the root of a JSON document, whose text is known or not."""
        return cls(Document(JsonPlaces(source, value, name)), (), value)

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.document.places.value(self.path)

    def wrong(self, message: str, hint: str = "") -> None:
        """Report that the value is wrong."""
        self._report(message, self.document.places.value(self.path), hint)

    def unknown_keys(self, known: set[str], hint: str = "") -> None:
        """Report each key that is none of these."""
        for key in self.value if isinstance(self.value, Mapping) else ():
            if key not in known:
                from difflib import get_close_matches

                near = get_close_matches(str(key), sorted(known), n=1)
                says = f"did you mean `{near[0]}`?" if near else hint
                place = self.document.places.key((*self.path, key))
                self.document.problems.append(
                    diagnose(
                        "unreadable-source", f"the key `{spelled((*self.path, key))}` is not known", place, help=says
                    )
                )

    def _report(self, message: str, place: Span, hint: str) -> None:
        name = f"`{spelled(self.path)}`" if self.path else "the document"
        self.document.problems.append(diagnose("unreadable-source", f"{name} {message}", place, help=hint))

    def at(self, key: str | int) -> Given:
        """Return a member; its value is None where there is none."""
        value = self.value
        found = None
        if isinstance(value, Mapping) and isinstance(key, str):
            found = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            found = value[key]
        return Given(self.document, (*self.path, key), found)

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, Mapping) and self.value.get(key) is not None

    def items(self) -> Iterator[Given]:
        """Yield the members of a list; of nothing, none."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            self.wrong(f"must be a list, not {_kind(self.value)}")
            return
        for number in range(len(self.value)):
            yield self.at(number)

    def entries(self) -> Iterator[tuple[str, Given]]:
        """Yield the keys and members of a mapping; of nothing, none."""
        if self.value is None:
            return
        if not isinstance(self.value, Mapping):
            self.wrong(f"must be a mapping, not {_kind(self.value)}")
            return
        for key in self.value:
            yield str(key), Given(self.document, (*self.path, key), self.value[key])

    def text(self, default: str = "") -> str:
        """Return a string; a number is taken for its digits."""
        if self.value is None:
            return default
        if isinstance(self.value, bool) or not isinstance(self.value, str | int | float):
            self.wrong(f"must be a string, not {_kind(self.value)}")
            return default
        return str(self.value)

    def texts(self) -> tuple[str, ...]:
        """Return a list of strings; a single string is a list of one."""
        if isinstance(self.value, str):
            return (self.value,)
        return tuple(item.text() for item in self.items())

    def flag(self, default: bool = False) -> bool:
        """Return a truth value; `"true"` and `"false"` are read too, as command lines write them."""
        if self.value is None:
            return default
        if isinstance(self.value, bool):
            return self.value
        word = str(self.value).lower()
        if word in {"true", "1", "t"}:
            return True
        if word in {"false", "0", "f"}:
            return False
        self.wrong(f"must be true or false, not {_kind(self.value)}")
        return default

    def number(self, least: int, most: int, default: int = 0) -> int:
        """Return a whole number in a range; digits in a string are read too."""
        if self.value is None:
            return default
        value = self.value
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.wrong(f"must be a number from {least} to {most}, not {_kind(self.value)}")
            return default
        return value


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    return f"`{value}`"
