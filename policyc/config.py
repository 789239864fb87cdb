"""`policyc.toml`, or `[tool.policyc]` of `pyproject.toml`: found, read and checked here, used by the command line only.

The file nearest to the working directory, upward, counts. Every key is checked by hand and not by a model class, because a
`check` of a small file must start fast. All mistakes of a file are reported at once, each at its line.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from policyc.diagnostics import Diagnostic, InputError, Severity, diagnose
from policyc.diagnostics.selection import UnknownCodeError, all_codes_of, codes_of
from policyc.frozen import frozen
from policyc.readers.files import bytes_of, text_of
from policyc.source import Source, Span

FILE = "policyc.toml"
FORMATS = ("full", "concise", "json", "sarif", "github", "junit")
FAIL_ON = ("error", "warning", "info", "never")
COLORS = ("auto", "always", "never")
SEVERITIES = tuple(severity.label for severity in Severity)
DEFAULT_SOURCES = ("*.pol",)


@frozen
class Config:
    """Resolved values. `path` is the file they come from, None where there is none; `origins` names each key's place.

    `sources` are patterns relative to the file's folder; `severity` maps codes to severities; `select` and `ignore` are
    words of `policyc.diagnostics.selection`.
    """

    path: Path | None = None
    sources: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: str = "error"
    format: str = "full"
    color: str = "auto"
    severity: Mapping[str, Severity] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    def files(self) -> tuple[Path, ...]:
        """Return the files that `sources` names, sorted, each once; raise InputError for a pattern without files."""
        assert self.path is not None
        folder = self.path.parent
        found: dict[Path, None] = {}
        for pattern in self.sources or DEFAULT_SOURCES:
            try:
                matching = sorted(path for path in folder.glob(pattern) if path.is_file())
            except (ValueError, OSError):
                matching = []
            if not matching:
                name = display(self.path)
                message = f"nothing to check: no file fits `{pattern}` beside `{name}`"
                hint = f'say in {self.path.name} which files count: sources = ["edge.pol"]'
                raise InputError([diagnose("bad-config", message, Source(name, "").span(0, 0), help=hint)])
            found.update(dict.fromkeys(matching))
        return tuple(found)


def find_config(start: Path) -> Path | None:
    """Return the config file nearest to a folder, upward; a `pyproject.toml` counts when it has `[tool.policyc]`."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
        project = folder / "pyproject.toml"
        if project.is_file() and _has_section(project):
            return project
    return None


def read_config(path: Path) -> Config:
    """Return the values of a config file; raise InputError with everything that is wrong in it."""
    data, shown = bytes_of(path, display(path)), display(path)
    return _Reader(path, text_of(data, shown) if data else Source(shown, "")).read()


def display(path: Path) -> str:
    """Return a path as messages show it: relative where it lies below the working directory."""
    here = Path.cwd()
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links and show another name
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)


def _has_section(project: Path) -> bool:
    try:
        text = project.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "policyc" in text and re.search(r"^\s*\[\s*tool\s*\.\s*policyc\b", text, re.MULTILINE) is not None


class _Reader:
    def __init__(self, path: Path, source: Source) -> None:
        self.path = path
        self.source = source
        self.section = "tool.policyc" if path.name == "pyproject.toml" else ""
        self.problems: list[Diagnostic] = []
        self.origins: dict[str, str] = {}

    def read(self) -> Config:
        try:
            document: Any = tomllib.loads(self.source.text)
        except tomllib.TOMLDecodeError as error:
            raise InputError([self.syntax_error(str(error))]) from None
        for part in self.section.split(".") if self.section else ():
            document = document.get(part, {})
            if not isinstance(document, dict):
                raise InputError([diagnose("bad-config", f"`{part}` must be a table", self.source.span(0, 0))])
        values = {}
        for key, value in document.items():
            read = _KEYS.get(key)
            if read is None:
                self.report(key, f"unknown key `{key}`", _suggestion(key, _KEYS, "the keys are"))
                continue
            values[key.replace("-", "_")] = read(self, key, value)
            self.origins[key] = f"{self.source.name}:{self.place(key).line}"
        if self.problems:
            raise InputError(self.problems)
        return Config(path=self.path, origins=self.origins, **values)

    # ------------------------------------------------------------------ values
    def words(self, key: str, value: Any) -> tuple[str, ...]:
        """Return a list of strings, which may be written as one string."""
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
            self.report(key, f"`{key}` must be a list of strings", f'write {key} = ["…"]')
            return ()
        return tuple(items)

    def codes(self, key: str, value: Any) -> tuple[str, ...]:
        """Return a list of codes, names or beginnings of codes."""
        words = self.words(key, value)
        for word in words:
            try:
                all_codes_of([word])
            except UnknownCodeError as error:
                self.report(key, f"`{key}`: {error}", "", text=word)
        return words

    def patterns(self, key: str, value: Any) -> tuple[str, ...]:
        """Return a list of file patterns below the folder of the config file."""
        words = self.words(key, value)
        for word in words:
            if Path(word).is_absolute():
                hint = "patterns are relative to the folder of the config file"
                self.report(key, f"`{word}` is an absolute path", hint, text=word)
        return words

    def one_of(self, choices: tuple[str, ...]) -> Callable[[str, Any], str]:
        """Return the reader of a word that must be one of these."""

        def read(key: str, value: Any) -> str:
            if value in choices:
                return str(value)
            found = f"`{value}`" if isinstance(value, str) else f"a value that is no string ({value!r})"
            hint = _suggestion(str(value), choices, f"`{key}` is one of")
            self.report(key, f"{found} is no value of `{key}`", hint)
            return choices[0]

        return read

    def severities(self, key: str, value: Any) -> dict[str, Severity]:
        """Return the severities of a table from code or name."""
        if not isinstance(value, dict):
            self.report(key, f"`{key}` must be a table", 'write [severity] and below it PC104 = "error"')
            return {}
        found: dict[str, Severity] = {}
        for word, level in value.items():
            try:
                codes = codes_of(word)
            except UnknownCodeError as error:
                self.report(word, f"`{key}`: {error}", "", table=key)
                continue
            if level in SEVERITIES:
                found.update(dict.fromkeys(codes, Severity[level.upper()]))
            else:
                hint = _suggestion(str(level), SEVERITIES, "a severity is one of")
                self.report(
                    word, f"`{level}` is no severity", f"{hint}; to leave a code out, put it into `ignore`", table=key
                )
        return found

    # ------------------------------------------------------------------ places
    def report(self, key: str, message: str, hint: str, *, table: str = "", text: str = "") -> None:
        """Add a problem at the key's line, at `text` in or below it where that is found."""
        place = self.place(key, table)
        if text:
            at = self.source.text.find(text, place.start)
            place = self.source.span(at, at + len(text)) if at >= 0 else place
        self.problems.append(diagnose("bad-config", message, place, help=hint))

    def place(self, key: str, table: str = "") -> Span:
        """Return where a key stands, the whole text's beginning where it is written in a form that is not looked for."""
        wanted = ".".join(part for part in (self.section, table, key) if part)
        current = ""
        for number, line in enumerate(self.source.text.split("\n"), 1):
            if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
                current = _plain(header[1])
                if current == wanted or current.startswith(f"{wanted}."):
                    return self.source.line_span(number)
            elif assignment := re.match(r"\s*([^#=]+?)\s*=", line):
                full = ".".join(part for part in (current, _plain(assignment[1])) if part)
                if full == wanted or full.startswith(f"{wanted}."):
                    start = self.source.starts[number - 1] + assignment.start(1)
                    return self.source.span(start, start + len(assignment[1]))
        return self.source.span(0, 0)

    def syntax_error(self, message: str) -> Diagnostic:
        """Return the finding for a text that is no TOML, at the place that its reader names."""
        text = re.sub(r"\s*\((?:at|on) .*\)$", "", message)
        text = text[:1].lower() + text[1:]
        found = re.search(r"line (\d+), column (\d+)", message)
        start = self.source.starts[int(found[1]) - 1] + int(found[2]) - 1 if found else len(self.source.text.rstrip())
        start = min(start, max(len(self.source.text) - 1, 0))
        return diagnose("bad-config", f"this is no TOML: {text}", self.source.span(start, start + 1))


def _plain(key: str) -> str:
    """Return a dotted key without quotes and blanks."""
    return ".".join(part.strip().strip("\"'") for part in key.split("."))


def _suggestion(word: str, known: Iterable[str], otherwise: str) -> str:
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(word, names, n=1)
    return f"did you mean `{near[0]}`?" if near else f"{otherwise} {', '.join(names)}"


_KEYS: dict[str, Callable[[_Reader, str, Any], Any]] = {
    "sources": _Reader.patterns,
    "select": _Reader.codes,
    "ignore": _Reader.codes,
    "fail-on": lambda reader, key, value: reader.one_of(FAIL_ON)(key, value),
    "format": lambda reader, key, value: reader.one_of(FORMATS)(key, value),
    "color": lambda reader, key, value: reader.one_of(COLORS)(key, value),
    "severity": _Reader.severities,
}

KEYS = tuple(_KEYS)
"""The keys of a config file, in the order in which `policyc config` prints them."""
