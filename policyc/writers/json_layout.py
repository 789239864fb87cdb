"""Values to JSON for people and for `diff`: objects over several lines, each member of a list on one line of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def laid_out(value: Mapping[str, Any]) -> str:
    """Return the JSON text of an object, with a line end at its end; keys in the order that they have.

    Bytes that were no UTF-8 (surrogates) are written as escapes, so that the text is valid UTF-8.
    """
    return _object(value, "") + "\n"


def _object(value: Mapping[str, Any], indent: str) -> str:
    inner = indent + "  "
    members = [f"{inner}{_line(key)}: {_value(item, inner)}" for key, item in value.items()]
    return "{\n" + ",\n".join(members) + f"\n{indent}}}" if members else "{}"


def _value(value: Any, indent: str) -> str:
    if isinstance(value, Mapping):
        return _object(value, indent)
    if isinstance(value, list | tuple) and value:
        inner = indent + "  "
        return "[\n" + ",\n".join(f"{inner}{_line(item)}" for item in value) + f"\n{indent}]"
    return _line(value)


def _line(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
