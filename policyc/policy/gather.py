"""The statements of a policy in order: those of its file, and of the files that it includes at their place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from os.path import normpath
from pathlib import Path

from policyc.diagnostics import Related
from policyc.diagnostics.suppressions import Suppression
from policyc.language import tree as t
from policyc.language.parser import parse
from policyc.language.suppressions import suppressions
from policyc.policy.findings import Findings
from policyc.source import Source, Span

IncludeReader = Callable[[str, str], Source]
"""Takes the name of the file that says it and the path as written; returns the file, or raises OSError or ValueError.

The name of the source that it returns tells whether a file was read already.
"""


def read_beside(name: str, path: str) -> Source:
    """Read a file by a path relative to the one called `name`; raise OSError or UnicodeDecodeError."""
    found = normpath(Path(name).parent / path)
    return Source(found, Path(found).read_bytes().decode("utf-8"))


@dataclass(slots=True)
class Gatherer:
    """Reads includes, each file once; `open` are the files being read, with the line that includes the next one."""

    read: IncludeReader
    findings: Findings
    statements: list[t.Statement] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    open: list[tuple[str, Span]] = field(default_factory=list)

    def take(self, file: t.File) -> None:
        """Add the statements of a file, its includes replaced by what they read."""
        name = file.source.name
        self.seen.add(normpath(name))
        accepted, misspelt = suppressions(file)
        self.suppressions += accepted
        self.findings.found += misspelt
        for statement in file.statements:
            if isinstance(statement, t.Include) and statement.format == "policy":
                self.open.append((name, statement.span))
                self._include(statement, name)
                self.open.pop()
            else:
                self.statements.append(statement)

    def _include(self, include: t.Include, name: str) -> None:
        path = include.path
        try:
            source = self.read(name, path.text)
        except UnicodeDecodeError:
            self.findings.report("bad-include", f"`{path.text}` is not text in UTF-8", path.span)
            return
        except (OSError, ValueError) as error:
            why = (error.strerror if isinstance(error, OSError) else str(error)) or "it cannot be read"
            message = f"`{path.text}` cannot be read: {why.lower()}"
            hint = "a path is relative to the file that says it"
            self.findings.report("bad-include", message, path.span, hint)
            return
        names = [normpath(known) for known, _ in self.open]
        if source.name in names:
            others = self.open[names.index(source.name) :][:-1]
            related = [Related("included here", span) for _, span in others]
            self.findings.report("bad-include", f"`{path.text}` includes itself", path.span, related=related)
        elif source.name not in self.seen:
            file, problems = parse(source)
            self.findings.found += problems
            self.take(file)
