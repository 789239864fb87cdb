"""YAML text to values with their places: compose files, Kubernetes objects.

Scalars mean what the core schema of YAML 1.2 says, as the engines' own readers have it: `22:22` is a string and no number of
base 60, `no` is a string and no truth value. Anchors, aliases and merge keys are followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from policyc.diagnostics import InputError, diagnose
from policyc.engines.given import Document, Given
from policyc.readers.json_places import Path, read_json, spelled
from policyc.source import Source, Span

_MOST_VALUES = 2_000_000
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class YamlPlaces:
    """Places in a YAML text, by path."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._values: dict[Path, Span] = {}
        self._keys: dict[Path, Span] = {}

    def __len__(self) -> int:
        return len(self._values)

    def keep(self, path: Path, value: Span, key: Span | None = None) -> None:
        """Remember where a value and its key stand."""
        self._values[path] = value
        if key is not None:
            self._keys[path] = key

    def value(self, path: Path) -> Span:
        """Return the place of a value, or of the nearest one around it."""
        while path not in self._values and path:
            path = path[:-1]
        return self._values.get(path, self._source.span(0, 0))

    def key(self, path: Path) -> Span:
        """Return the place of the key of a value."""
        return self._keys.get(path) or self.value(path)


def read_documents(source: Source) -> list[Given]:
    """Return the documents of a YAML text, or the one of a JSON text. Raises InputError where it is neither."""
    if source.text.lstrip("\ufeff \t\r\n").startswith("{"):
        return [Given.json(read_json(source), source)]
    import yaml

    try:
        nodes = [node for node in yaml.compose_all(source.text, yaml.SafeLoader) if node is not None]
        return [_Reader(source).document(node) for node in nodes]
    except yaml.MarkedYAMLError as error:
        raise InputError(
            [diagnose("unreadable-source", f"this is no YAML: {_said(error)}", _mark(source, error))]
        ) from None
    except yaml.YAMLError as error:
        where = source.span(0, 0)
        raise InputError([diagnose("unreadable-source", f"this is no YAML: {_one_line(str(error))}", where)]) from None
    except RecursionError:
        raise InputError([diagnose("unreadable-source", "it is nested too deeply", source.span(0, 0))]) from None


def _said(error: Any) -> str:
    return _one_line(f"{error.context}: {error.problem}" if error.context else str(error.problem))


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("'", "`")


def _mark(source: Source, error: Any) -> Span:
    mark = error.problem_mark or error.context_mark
    at = min(mark.index, len(source.text)) if mark else 0
    return source.span(at, min(at + 1, len(source.text)))


class _Reader:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._places = YamlPlaces(source)
        self._document = Document(self._places)
        self._open: set[int] = set()

    def document(self, node: Any) -> Given:
        value = self._value(node, (), None)
        self._document.settle()
        return Given(self._document, (), value)

    def _value(self, node: Any, path: Path, key: Span | None) -> Any:
        span = self._span(node)
        self._places.keep(path, span, key)
        if id(node) in self._open or len(self._places) > _MOST_VALUES:
            self._wrong(span, "an alias contains itself" if id(node) in self._open else "it holds too many values")
            self._document.settle()
        if node.id == "scalar":
            return self._scalar(node)
        self._open.add(id(node))
        try:
            if node.id == "sequence":
                return [self._value(item, (*path, number), None) for number, item in enumerate(node.value)]
            return self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node, own in self._members(node):
            key = str(key_node.value)
            where = (*path, key)
            if key in found:
                if own:
                    self._wrong(self._span(key_node), f"the key `{spelled(where)}` comes twice")
                continue
            found[key] = self._value(value_node, where, self._span(key_node))
        return found

    def _members(self, node: Any) -> Iterator[tuple[Any, Any, bool]]:
        """Yield the keys and values of a mapping, behind them what its merge keys take in, which is not its own."""
        merged: list[Any] = []
        for key, value in node.value:
            if key.id != "scalar":
                self._wrong(self._span(key), "a key must be a word")
            elif key.value == "<<" and key.style is None:
                merged.extend(value.value if value.id == "sequence" else [value])
            else:
                yield key, value, True
        for other in merged:
            if other.id != "mapping" or id(other) in self._open:
                self._wrong(self._span(other), "`<<` takes in other mappings only")
                continue
            self._open.add(id(other))
            for key, value, _ in self._members(other):
                yield key, value, False
            self._open.discard(id(other))

    def _scalar(self, node: Any) -> Any:
        text = node.value
        if node.style is not None or self._source.text[node.start_mark.index :].startswith("!"):
            return text
        if text in _NULLS:
            return None
        if text in _TRUTH:
            return _TRUTH[text]
        if _INT.fullmatch(text):
            return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
        return float(text) if _FLOAT.fullmatch(text) else text

    def _span(self, node: Any) -> Span:
        start, end = node.start_mark.index, node.end_mark.index
        text = self._source.text[start:end]
        return self._source.span(start, start + max(len(text.rstrip()), 1))

    def _wrong(self, span: Span, message: str) -> None:
        self._document.problems.append(diagnose("unreadable-source", message, span))
