"""What a Python user imports: every question as a function of a source or a Ruleset. The contract is in docs/api.md.

from policyc import api
ruleset = api.load("edge.pol")
print(api.iptables_save(ruleset, 4))
"""

from __future__ import annotations

from pathlib import Path

from policyc.diagnostics import Diagnostic, InputError
from policyc.netfilter.ruleset import Ruleset
from policyc.source import Source

__all__ = ["Diagnostic", "InputError", "Ruleset", "iptables_save", "load"]


def load(source: str | Path, *, family: int | None = None, name: str | None = None) -> Ruleset:
    """Return the Ruleset of a path, or of a text when the string holds a line end; a Path is always a path.

    `family` 4 or 6 decides how a dump is read, `name` is what diagnostics call a text. Raises InputError, whose
    `.diagnostics` are all problems found.
    """
    from policyc.readers.save import read_save

    if isinstance(source, str) and "\n" in source:
        return read_save(Source(name or "<text>", source), family)
    path = Path(source)
    return read_save(Source(name or str(path), path.read_text(encoding="utf-8", errors="replace")), family)


def iptables_save(ruleset: Ruleset, family: int) -> str:
    """Return the canonical iptables-save text of a family, "" where it has no tables."""
    from policyc.writers.save import iptables_save as write

    return write(ruleset, family)
