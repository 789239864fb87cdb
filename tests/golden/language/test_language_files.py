"""Policies beside this file: the tree they make, how they are laid out, what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from policyc.diagnostics import Diagnostic
from policyc.diagnostics.suppressions import Suppression
from policyc.language.format import format_text
from policyc.language.parser import parse
from policyc.language.suppressions import suppressions
from policyc.language.tree import Block, File
from policyc.source import Source

HERE = Path(__file__).parent
POLICIES = sorted(HERE.glob("*.pol"))
Golden = Callable[[Path, str], None]


def said(value: object) -> str:
    """A node without its places: leaves by their values, empty fields left out."""
    if isinstance(value, tuple):
        return "[" + ", ".join(said(item) for item in value) + "]"
    if not is_dataclass(value):
        return str(value)
    shown = [
        (field.name, getattr(value, field.name))
        for field in fields(value)
        if field.compare and field.name not in {"lines", "comments"}
    ]
    texts = [f"{name}={said(item)}" for name, item in shown if item not in (None, (), False)]
    return f"{type(value).__name__}({', '.join(texts)})"


def tree_text(file: File) -> str:
    return "".join(tree_lines(file))


def tree_lines(file: File) -> Iterator[str]:
    for statement in file.statements:
        for node in (statement, *(statement.lines if isinstance(statement, Block) else ())):
            span, indent = node.span, "" if node is statement else "  "
            yield f"{indent}{span.line}:{span.column}-{span.end_line}:{span.end_column} {said(node)}\n"
            for comment in node.comments:
                yield f"{indent}    # {comment.text}\n"
    found, bad = suppressions(file)
    yield from map(suppression_text, found)
    yield from map(error_text, bad)


def suppression_text(found: Suppression) -> str:
    return f"allowed in lines {found.covers.line}-{found.covers.end_line}: {', '.join(found.codes)} -- {found.reason}\n"


def error_text(found: Diagnostic) -> str:
    span = found.span
    assert span is not None
    line = span.source.line(span.line)
    excerpt = "".join(character if character.isprintable() else "�" for character in line)
    width = max(1, min(span.end, span.start - span.column + 1 + len(line)) - span.start)
    text = f"{span.line}:{span.column} {found.code} {found.name}: {found.message}\n"
    text += f"    {excerpt}\n    {' ' * (span.column - 1)}{'^' * width}\n"
    return text + (f"    help: {found.help}\n" if found.help else "")


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_policy(path: Path, golden: Golden) -> None:
    source = Source(path.name, path.read_bytes().decode())
    file, errors = parse(source)
    if path.stem.startswith("errors"):
        golden(path.with_suffix(".errors"), "".join(map(error_text, errors)))
        return
    assert not errors
    golden(path.with_suffix(".tree"), tree_text(file))
    golden(path.with_suffix(".fmt"), format_text(source))


@pytest.mark.parametrize("path", sorted(HERE.glob("*.fmt")), ids=lambda path: path.stem)
def test_formatting_changes_nothing_twice(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert format_text(Source(path.name, text)) == text
    before, _ = parse(Source("before", path.with_suffix(".pol").read_bytes().decode()))
    after, _ = parse(Source("after", text))
    assert after == before
