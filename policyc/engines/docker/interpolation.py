"""Variables in a compose file: `$NAME`, `${NAME}`, `${NAME:-default}` and their like, before anything else is read.

Values come from whoever asks, never from the environment of this process: the same file gives the same preview. A variable
without a value is an error where it could change a rule; elsewhere it is empty, as for compose.
Source: the Compose Specification, interpolation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policyc.engines.given import Given
from policyc.readers.json_places import Path

_VARIABLE = re.compile(
    r"\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])((?:[^{}]|\{[^{}]*\})*))?\})"
)

_MATTERS = frozenset({
    "container_name", "depends_on", "deploy", "expose", "links", "network_mode", "networks", "ports", "profiles", "scale",
})  # fmt: skip


def interpolated(given: Given, values: Mapping[str, str]) -> Given:
    """Return a document with its variables replaced; one that has no value is reported where it stands."""
    return Given(given.document, given.path, _replaced(given, values))


def _replaced(given: Given, values: Mapping[str, str]) -> Any:
    value = given.value
    if isinstance(value, str):
        return _text(given, value, values)
    if isinstance(value, list):
        return [_replaced(given.at(number), values) for number in range(len(value))]
    if isinstance(value, Mapping):
        return {key: _replaced(given.at(str(key)), values) for key in value}
    return value


def _text(given: Given, text: str, values: Mapping[str, str]) -> str:
    def replace(found: re.Match[str]) -> str:
        dollar, plain, braced, how, word = found.groups()
        if dollar:
            return "$"
        name = plain or braced
        value = values.get(name)
        there = value is not None and (value != "" or not (how or "").startswith(":"))
        if how and how.endswith("+"):
            return _text(given, word, values) if there else ""
        if there:
            return str(value)
        if how and how.endswith("-"):
            return _text(given, word, values)
        reason = f": {word}" if word else ""
        if _matters(given.path):
            given.wrong(f"uses `${{{name}}}`, which has no value{reason}", f"give it one with `--set {name}=…`")
        return ""

    return _VARIABLE.sub(replace, text) if "$" in text else text


def _matters(path: Path) -> bool:
    if path[:1] == ("services",):
        return len(path) > 2 and path[2] in _MATTERS
    return path[:1] in {("name",), ("networks",)}
