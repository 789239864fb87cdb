"""How many findings of each severity, in words and as numbers; the end of `full` and a part of `json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from policyc.diagnostics import Diagnostic, Severity

SEVERITIES = ("error", "warning", "info")
EXACTNESS = ("rules", "exact", "opaque", "nondeterministic")


def counts(diagnostics: Iterable[Diagnostic]) -> dict[str, int]:
    """Return how many findings there are of each severity, the worst first."""
    found = dict.fromkeys(SEVERITIES, 0)
    for diagnostic in diagnostics:
        found[diagnostic.severity.label] += 1
    return found


def exactness_counts(exactness: Mapping[str, int] | None) -> dict[str, int]:
    """Return the numbers of the exactness line; all are 0 where nothing could be read."""
    return {key: (exactness or {}).get(key, 0) for key in EXACTNESS}


def sentence(diagnostics: Sequence[Diagnostic], files: int) -> str:
    """Return "found 1 error and 2 warnings in 3 files" or "no findings in 1 file"."""
    found = counts(diagnostics)
    parts = [plural(found[severity], severity) for severity in SEVERITIES if found[severity]]
    where = f" in {plural(files, 'file')}" if files else ""
    if not parts:
        return f"no findings{where}"
    joined = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"found {joined}{where}"


def exactness_line(exactness: Mapping[str, int]) -> str:
    """Return "120 rules: 117 exact, 2 opaque, 1 nondeterministic"; kinds that do not occur are left out."""
    found = exactness_counts(exactness)
    kinds = [f"{found[kind]} {kind}" for kind in EXACTNESS[1:] if found[kind]]
    return plural(found["rules"], "rule") + (f": {', '.join(kinds)}" if kinds else "")


def worst(diagnostics: Iterable[Diagnostic]) -> Severity | None:
    """Return the worst severity among the findings, None where there is none."""
    return max((diagnostic.severity for diagnostic in diagnostics), default=None)


def plural(number: int, noun: str) -> str:
    """Return "1 error" or "2 errors"; `info` does not count."""
    return f"{number} {noun}" if number == 1 or noun == "info" else f"{number} {noun}s"
