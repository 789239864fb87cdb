"""The form of a snapshot's JSON is held against its model: unknown and missing keys, values of the wrong kind.

First step of `snapshot`; what the values mean is looked at afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from policyc.diagnostics import Diagnostic, InputError, Severity, diagnose
from policyc.readers import snapshot_model as model
from policyc.readers.json_places import Path, key_of, place_of, spelled
from policyc.source import Source

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

_VERSION = re.compile(r"1\.(\d+)")
_OWN_MINOR = int(model.FORMAT_VERSION.partition(".")[2])
_EXPECTED = {
    "string_type": "a text", "int_type": "a whole number", "bool_type": "`true` or `false`", "list_type": "a list",
    "dict_type": "an object", "model_type": "an object", "model_attributes_type": "an object",
}  # fmt: skip


def snapshot_of(value: Any, source: Source) -> tuple[model.Snapshot, list[Diagnostic]]:
    """Return the snapshot, and notes about keys of a newer minor version. Raises InputError with all that does not fit."""
    from pydantic import ValidationError

    minor = _minor_version(value, source)
    notes: list[Diagnostic] = []
    try:
        return model.Snapshot.model_validate(value), notes
    except ValidationError as error:
        details = error.errors(include_url=False)
    findings = [(detail, _finding(detail, source, newer=minor > _OWN_MINOR)) for detail in details]
    errors = [finding for _, finding in findings if finding.severity is Severity.ERROR]
    if errors:
        raise InputError(errors)
    for detail, _ in findings:
        _remove(value, detail["loc"])
    return model.Snapshot.model_validate(value), [finding for _, finding in findings]


def _minor_version(value: Any, source: Source) -> int:
    """Return the minor version; raise InputError for what is no snapshot, or one of another major version."""
    if not isinstance(value, dict) or "format_version" not in value:
        hint = "`policyc snapshot -o FILE` makes one"
        where = place_of(source, ())
        where = source.span(where.start, min(where.end, where.start + 1))
        message = f"`{source.name}` is JSON, but no snapshot: it has no `format_version`"
        raise InputError([diagnose("unreadable-source", message, where, help=hint)])
    found = _VERSION.fullmatch(str(value["format_version"]))
    if found is None:
        message = (
            f"the format version `{value['format_version']}` is not read; this policyc reads {model.FORMAT_VERSION}"
        )
        raise InputError([diagnose("unreadable-source", message, place_of(source, ("format_version",)))])
    return int(found[1])


def _finding(detail: ErrorDetails, source: Source, *, newer: bool) -> Diagnostic:
    path: Path = detail["loc"]
    kind, name = detail["type"], spelled(path)
    if kind == "extra_forbidden":
        if newer:
            message = f"the key `{name}` of a newer version of the format is not read"
            return diagnose("simplified-host", message, key_of(source, path))
        near = get_close_matches(str(path[-1]), sorted(set(_keys(model.Snapshot))), 1)
        hint = f"did you mean `{near[0]}`?" if near else ""
        return diagnose("bad-host", f"a snapshot has no key `{name}`", key_of(source, path), help=hint)
    if kind == "missing":
        return diagnose("bad-host", f"the key `{name}` is missing", _beginning(source, path[:-1]))
    expected = _EXPECTED.get(kind)
    said = f"{expected} is expected" if expected else f"{detail['msg'][:1].lower()}{detail['msg'][1:]}"
    return diagnose("bad-host", f"`{name}`: {said}", place_of(source, path))


def _beginning(source: Source, path: Path) -> Any:
    """Return the first line of a value, which may be the whole text."""
    where = place_of(source, path)
    end = source.text.find("\n", where.start, where.end)
    return source.span(where.start, where.end if end < 0 else end)


def _keys(of: type[BaseModel]) -> Iterator[str]:
    """Yield the keys of a model and of the models in it."""
    from pydantic import BaseModel

    pending, seen = [of], {of}
    while pending:
        for name, field in pending.pop().model_fields.items():
            yield name
            for inner in _types(field.annotation):
                if isinstance(inner, type) and issubclass(inner, BaseModel) and inner not in seen:
                    seen.add(inner)
                    pending.append(inner)


def _types(annotation: Any) -> Iterator[Any]:
    inner = getattr(annotation, "__args__", ())
    if not inner:
        yield annotation
    for each in inner:
        yield from _types(each)


def _remove(value: Any, path: Path) -> None:
    for key in path[:-1]:
        value = value[key]
    value.pop(path[-1], None)
