"""A diagnostic as a value: code, message, span, causes, help. It knows no layout; every part of the pipeline makes them.

Messages are lower case without a final period, user text stands in backticks, values never name implementation types.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from enum import IntEnum
from typing import Any

from policyc.diagnostics.catalogue import entry
from policyc.frozen import frozen
from policyc.source import Span


class Severity(IntEnum):
    """How bad a finding is; ordered, so that `--fail-on` compares."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """The word that users and JSON see."""
        return self.name.lower()


@frozen
class Place:
    """Where a rule stands in the kernel: family 4 or 6, table, chain, 1-based number within its chain (0: the chain)."""

    family: int
    table: str
    chain: str
    number: int

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of the contract."""
        return {"family": self.family, "table": self.table, "chain": self.chain, "number": self.number}

    def __str__(self) -> str:
        number = f" #{self.number}" if self.number else ""
        chain = f"/{self.chain}{number}" if self.chain else ""
        return f"{self.table}{chain}" + (" (IPv6)" if self.family == 6 else "")


@frozen
class Related:
    """Another place that explains a diagnostic: the earlier definition, the rule that takes the packets."""

    message: str
    span: Span | None = None
    place: Place | None = None


@frozen
class Witness:
    """A packet that shows a finding: `text` in a line, `packet` in the form of the contract.

    `assumes` are conditions that it needs, in words, `before` the packets that have to pass first.
    """

    text: str
    packet: Mapping[str, Any]
    assumes: tuple[str, ...] = ()
    before: tuple[Mapping[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of the contract."""
        return {
            "packet": dict(self.packet),
            "assumes": list(self.assumes),
            "before": [dict(one) for one in self.before],
        }


@frozen
class Diagnostic:
    """One finding.

    `span` is the source place it is about, `label` a few words under the excerpt's caret, `place` the kernel rule it
    concerns, `related` other places in the order in which they matter, `help` what to do about it, `witness` a packet that
    shows it.
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    place: Place | None = None
    related: tuple[Related, ...] = ()
    help: str = ""
    severity_override: Severity | None = None
    witness: Witness | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The code's name, which reads as "allow NAME"."""
        return entry(self.code).name

    @property
    def severity(self) -> Severity:
        """The catalogue's severity, unless this finding is milder or worse than its kind."""
        return self.severity_override or Severity[entry(self.code).severity.upper()]

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Order of output: file, place in it, code, kernel place, message."""
        place = self.place
        where = (place.family, place.table, place.chain, place.number) if place else (0, "", "", 0)
        if self.span is None:
            return ("", 0, 0, self.code, where, self.message)
        return (self.span.source.name, self.span.start, self.span.end, self.code, where, self.message)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of the contract (`check --format json`)."""
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity.label,
            "message": self.message,
            "location": location(self.span),
            "rule": self.place.to_dict() if self.place else None,
            "related": [
                {
                    "location": location(other.span),
                    "rule": other.place.to_dict() if other.place else None,
                    "message": other.message,
                }
                for other in self.related
            ],
            "witness": None if self.witness is None else self.witness.to_dict(),
            "help": self.help,
            "url": entry(self.code).url,
        }


def location(span: Span | None) -> dict[str, Any] | None:
    """Return the JSON form of a source place, or None where there is none."""
    if span is None:
        return None
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def diagnose(name: str, message: str, span: Span | None = None, **more: Any) -> Diagnostic:
    """Make a diagnostic of the catalogue's entry with that name or code; `more` are fields of `Diagnostic`."""
    return Diagnostic(entry(name).code, message, span, **more)


class InputError(Exception):
    """The input cannot be understood; `diagnostics` holds every problem found, not only the first."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(sorted(diagnostics, key=lambda d: d.sort_key))
        super().__init__(
            "\n".join(f"{d.span or '-'}: {d.severity.label}[{d.code}]: {d.message}" for d in self.diagnostics)
        )
