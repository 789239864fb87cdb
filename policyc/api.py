"""What a Python user imports: every question as a function of a source or a Ruleset. The contract is in docs/api.md.

from policyc import api
ruleset = api.load("edge.pol")
print(api.iptables_save(ruleset, 4))
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from policyc.diagnostics import Diagnostic, InputError
from policyc.netfilter.ruleset import Ruleset
from policyc.source import Source

if TYPE_CHECKING:
    from policyc.checks.run import Report

__all__ = ["Diagnostic", "InputError", "Ruleset", "check", "iptables_save", "load"]


def load(source: str | Path, *, family: int | None = None, name: str | None = None) -> Ruleset:
    """Return the Ruleset of a path, or of a text when the string holds a line end; a Path is always a path.

    `family` 4 or 6 decides how a dump is read, `name` is what diagnostics call a text. Raises InputError, whose
    `.diagnostics` are all problems found.
    """
    from policyc.loading import Given, given_at, rulesets_of
    from policyc.readers.kinds import Kind

    kind = Kind.DUMP if family else None
    if isinstance(source, str) and "\n" in source:
        given = [Given(Source(name or "<text>", source), family, kind)]
    else:
        given = given_at(source, family, kind, name)
    found = rulesets_of(given)
    if len(found) != 1:
        from policyc.readers.files import refusal

        raise refusal(str(source), f"`{source}` names {len(found)} policies; load them one by one")
    return found[0]


def check(
    source: str | Path | Ruleset, *, select: Collection[str] | None = None, ignore: Collection[str] | None = None
) -> Report:
    """Return the findings about a source or a Ruleset: `select` and `ignore` are codes or names, None for all and none.

    Raises InputError where the source cannot be read.
    """
    from policyc.checks.run import run_checks

    ruleset = source if isinstance(source, Ruleset) else load(source)
    return run_checks(ruleset, select=select, ignore=ignore)


def iptables_save(ruleset: Ruleset, family: int) -> str:
    """Return the canonical iptables-save text of a family, "" where it has no tables."""
    from policyc.writers.save import iptables_save as write

    return write(ruleset, family)
