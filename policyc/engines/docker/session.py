"""A shell session as a scenario: what was typed on a host, one command a line, dockerd's own start among it.

Commands before `dockerd` ran on a host where the daemon was not there yet; without such a line the daemon runs from the start.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

from policyc.diagnostics import Diagnostic, InputError, diagnose
from policyc.engines.docker.scenario import Host, Scenario, Step
from policyc.engines.docker.settings import read_settings
from policyc.engines.docker.versions import Behaviour
from policyc.engines.given import Document, Given
from policyc.readers.json_places import Path
from policyc.source import Source, Span

_MANY = frozenset({"default-address-pool", "default-network-opt"})
"""Flags that may be given more than once."""


def read_session(source: Source, how: Behaviour) -> tuple[Scenario, list[Diagnostic]]:
    """Return the scenario of a session and remarks on it; lines that begin with `#` are comments.

    Raises InputError with what is wrong with the flags of the daemon; steps are understood when they are carried out.
    """
    before: tuple[Step, ...] = ()
    steps: list[Step] = []
    found = Scenario()
    notes: list[Diagnostic] = []
    at = 0
    for line in source.text.splitlines(keepends=True):
        text = line.strip()
        start = at + line.index(text) if text else at
        at += len(line)
        if not text or text.startswith("#"):
            continue
        span = source.span(start, start + len(text))
        if text.split()[0].rpartition("/")[2] != "dockerd":
            steps.append(Step(text, span))
            continue
        before, steps = tuple(steps), []
        flags = _flags(text, span)
        settings, notes = read_settings(flags, how)
        flags.document.settle()
        found = replace(found, settings=settings)
    return replace(found, host=Host(commands=before), steps=tuple(steps)), notes


class _OnLine:
    """Everything that is said of dockerd's flags stands in its line."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def value(self, path: Path) -> Span:
        """Return the word that gives a flag, else the whole line."""
        name = f"--{path[0]}" if path else ""
        at = self._span.text.find(name)
        if not name or at < 0:
            return self._span
        start = self._span.start + at
        return self._span.source.span(start, start + len(self._span.text[at:].split()[0]))

    def key(self, path: Path) -> Span:
        """Return the same: a flag and its value are one word or two."""
        return self.value(path)


def _flags(text: str, span: Span) -> Given:
    """Return the flags of a line as daemon.json has them. Raises InputError where its words cannot be told apart."""
    try:
        words = shlex.split(text)[1:]
    except ValueError as error:
        raise InputError([diagnose("unreadable-line", f"the line cannot be split into words: {error}", span)]) from None
    values: dict[str, Any] = {}
    while words:
        word = words.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--"):
            continue
        if not equals:
            value = words.pop(0) if words and not words[0].startswith(("-", "&")) else "true"
        if name in _MANY:
            values.setdefault(name, []).append(value)
        else:
            values[name] = value
    return Given(Document(_OnLine(span)), (), values)
