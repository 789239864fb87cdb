"""SARIF 2.1.0 (OASIS), which code scanning services read: results with places, causes and stable fingerprints."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from policyc import __version__
from policyc.diagnostics import Diagnostic, Place, entry
from policyc.diagnostics.catalogue import REPOSITORY
from policyc.report.answer import Answer
from policyc.report.printable import printable
from policyc.source import Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "policyc/v1"

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def sarif(answer: Answer) -> str:
    """Return the log with one run; its rules are the codes that occur."""
    codes = sorted({diagnostic.code for diagnostic in answer.diagnostics})
    seen: Counter[str] = Counter()
    run = {
        "tool": {
            "driver": {
                "name": "policyc",
                "version": __version__,
                "informationUri": REPOSITORY,
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": answer.complete}],
        "results": [_result(diagnostic, codes, seen) for diagnostic in answer.diagnostics],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str) -> dict[str, Any]:
    item = entry(code)
    return {
        "id": code,
        "name": item.name,
        "shortDescription": {"text": item.summary},
        "helpUri": item.url,
        "defaultConfiguration": {"level": _LEVELS[item.severity]},
    }


def _result(diagnostic: Diagnostic, codes: list[str], seen: Counter[str]) -> dict[str, Any]:
    message = printable(diagnostic.message)
    if diagnostic.help:
        message += f". help: {printable(' '.join(diagnostic.help.split()))}"
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": codes.index(diagnostic.code),
        "level": _LEVELS[diagnostic.severity.label],
        "message": {"text": message},
        "locations": [_location(diagnostic.span, diagnostic.place)] if diagnostic.span or diagnostic.place else [],
        "partialFingerprints": {FINGERPRINT: _fingerprint(diagnostic, seen)},
    }
    related = [
        {"id": number, "message": {"text": printable(other.message)}, **_location(other.span, other.place)}
        for number, other in enumerate(diagnostic.related, 1)
    ]
    if related:
        result["relatedLocations"] = related
    return result


def _location(span: Span | None, place: Place | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if span is not None:
        found["physicalLocation"] = {"artifactLocation": _artifact(span.source.name)}
        if span.source.text:
            found["physicalLocation"]["region"] = {
                "startLine": span.line,
                "startColumn": span.column,
                "endLine": span.end_line,
                "endColumn": span.end_column,
            }
    if place is not None:
        name = f"ipv{place.family}/{place.table}/{place.chain}" + (f"#{place.number}" if place.number else "")
        found["logicalLocations"] = [
            {"fullyQualifiedName": printable(name), "kind": "rule" if place.number else "chain"}
        ]
    return found


def _artifact(name: str) -> dict[str, str]:
    """Return the URI of a source: absolute paths as they are, others relative to the checkout."""
    path = PurePath(name)
    encoded = quote(path.as_posix(), errors="surrogateescape")
    if path.is_absolute():
        return {"uri": f"file://{encoded}"}
    return {"uri": encoded, "uriBaseId": "%SRCROOT%"}


def _fingerprint(diagnostic: Diagnostic, seen: Counter[str]) -> str:
    """Return a hash of what stays when lines move (code, file, statement, chain) and how many such came before."""
    key = "\0".join(_lasting(diagnostic))
    seen[key] += 1
    return sha256(f"{key}\0{seen[key]}".encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _lasting(diagnostic: Diagnostic) -> Iterable[str]:
    span, place = diagnostic.span, diagnostic.place
    yield diagnostic.code
    yield span.source.name if span else ""
    yield " ".join(span.text.split()) if span else ""
    yield f"{place.family}/{place.table}/{place.chain}" if place else ""
