"""What code scanning needs of SARIF: the required properties of 2.1.0, and fingerprints that outlive edits elsewhere."""

from __future__ import annotations

import json

import jsonschema

from policyc.diagnostics import Place, Related, diagnose
from policyc.report.answer import Answer
from policyc.report.sarif import FINGERPRINT, sarif
from policyc.source import Source

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
COUNT = {"type": "integer", "minimum": 1}
REGION = {
    "type": "object",
    "required": ["startLine", "startColumn", "endLine", "endColumn"],
    "properties": {key: COUNT for key in ("startLine", "startColumn", "endLine", "endColumn")},  # noqa: C420
    "additionalProperties": False,
}
LOCATION = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": 0},
        "message": TEXT,
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "required": ["uri"],
                    "properties": {"uri": {"pattern": r"^[!-~]+$"}, "uriBaseId": {"type": "string"}},
                    "additionalProperties": False,
                },
                "region": REGION,
            },
            "additionalProperties": False,
        },
        "logicalLocations": {"type": "array", "items": {"required": ["fullyQualifiedName"]}},
    },
    "additionalProperties": False,
}
# The part of the OASIS schema that policyc uses, tightened: nothing else may occur.
SCHEMA = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "properties": {
                            "driver": {
                                "required": ["name", "version", "informationUri", "rules"],
                                "properties": {
                                    "rules": {
                                        "uniqueItems": True,
                                        "items": {"required": ["id", "helpUri", "shortDescription"]},
                                    }
                                },
                            }
                        }
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": TEXT,
                                "locations": {"type": "array", "items": LOCATION},
                                "relatedLocations": {"type": "array", "items": LOCATION},
                                "partialFingerprints": {"additionalProperties": {"type": "string"}},
                            },
                        },
                    },
                },
            },
        },
    },
}  # fmt: skip


def log(*diagnostics) -> dict:
    value = json.loads(sarif(Answer(diagnostics, ("a b.pol",))))
    jsonschema.validate(value, SCHEMA)
    return value["runs"][0]


def fingerprints(text: str, name: str = "a b.pol") -> list[str]:
    source = Source(name, text)
    found = [
        diagnose("rule-after-terminal", "dead", source.span(at, at + 5), place=Place(4, "filter", "INPUT", at))
        for at in range(len(text))
        if text.startswith("allow", at)
    ]
    return [result["partialFingerprints"][FINGERPRINT] for result in log(*found)["results"]]


def test_causes_are_related_locations_and_rules_have_pages() -> None:
    source = Source("dir/ä b.pol", "one\ntwo\n")
    finding = diagnose(
        "rule-after-terminal", "dead", source.span(4, 7), related=(Related("takes all", source.span(0, 3)),)
    )
    run = log(finding, diagnose("guessed-family", "which"))
    first, second = run["results"]
    assert first["locations"][0]["physicalLocation"]["region"]["startLine"] == 2
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "dir/%C3%A4%20b.pol"
    assert first["relatedLocations"][0]["message"]["text"] == "takes all"
    assert second["level"] == "note"
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == ["PC105", "PC806"]
    assert all(rule["helpUri"].endswith(f"{rule['id']}.md") for rule in rules)


def test_an_absolute_path_is_a_file_uri() -> None:
    run = log(diagnose("syntax-error", "no", Source("/etc/my fw.pol", "x").span(0, 1)))
    artifact = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "file:///etc/my%20fw.pol"}


def test_fingerprints_stay_when_lines_move_and_tell_equal_lines_apart() -> None:
    before = fingerprints("allow\nallow\n")
    assert len(set(before)) == 2
    assert fingerprints("# a new line\n\nallow\n\n  allow\n") == before
    assert set(fingerprints("allow\nallow\n", "other.pol")).isdisjoint(before)
