"""Policies beside this file: what they resolve to, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path

import pytest

from policyc.diagnostics import Diagnostic, Severity
from policyc.language.parser import parse
from policyc.net.addresses import Network
from policyc.netfilter.intent import AddressName
from policyc.policy.defined import Limit, Log, Schedule, Set, Zone
from policyc.policy.gather import read_beside
from policyc.policy.model import Block, Policy
from policyc.policy.resolve import resolve
from policyc.policy.values import AddressRange, Endpoint
from policyc.source import Source, Span

HERE = Path(__file__).parent
POLICIES = sorted(HERE.glob("*.pol"))
Golden = Callable[[Path, str], None]


def read(name: str, path: str) -> Source:
    """Read an include; names in the golden files are relative to this directory."""
    found = read_beside(str(HERE / name), path)
    return Source(str(Path(found.name).relative_to(HERE)), found.text)


def said(value: object, *, inner: bool = True) -> str:
    """A value in short: definitions by name, addresses as written, empty fields left out."""
    match value:
        case Zone() | Set() | Limit() | Log() | Schedule() if inner:
            return value.name
        case Enum():
            return str(value.value)
        case AddressName():
            items = (Endpoint(family, first, last, None) for family, first, last in value.items)
            return f"{value.name} {' '.join(map(str, items))}"
        case Network() | AddressRange() | Endpoint():
            return str(value)
        case tuple() | list():
            return "[" + ", ".join(said(item) for item in value) + "]"
        case _ if not is_dataclass(value):
            return str(value).replace("\n", " / ")
    shown = (
        (field.name, getattr(value, field.name)) for field in fields(value) if field.compare and field.name != "span"
    )
    texts = [f"{name}={said(item)}" for name, item in shown if item not in (None, (), "", False)]
    return f"{type(value).__name__}({', '.join(texts)})"


def policy_lines(policy: Policy) -> Iterator[str]:
    for field in fields(policy):
        value = getattr(policy, field.name)
        if field.name in {"zones", "sets", "limits", "logs", "schedules"}:
            yield from (said(one, inner=False) for one in value)
        elif field.name == "items":
            for item in value:
                if isinstance(item, Block):
                    yield f"{item.table} {item.text}: {said(item.pairs)} {item.description}".rstrip()
                    yield from (f"  {said(rule)}" for rule in item.rules)
                else:
                    yield said(item)
        elif field.name == "tests":
            yield f"{field.name}: {len(value)}"
        elif field.name == "foreign":
            yield from (f"foreign: {one.owner}, {len([*one.ruleset.rules()])} rules" for one in value)
        elif field.compare:
            yield f"{field.name}: {said(value)}"


def place(span: Span) -> str:
    return f"{span.source.name}:{span.line}:{span.column}"


def error_lines(found: Diagnostic) -> Iterator[str]:
    assert found.span
    yield f"{place(found.span)} {found.name}: {found.message}"
    excerpt = found.span.source.line(found.span.line)
    width = min(found.span.end, found.span.start + len(excerpt) - found.span.column + 1) - found.span.start
    yield f"    {excerpt}"
    yield f"    {' ' * (found.span.column - 1)}{'^' * max(width, 1)}"
    for other in found.related:
        yield f"    {place(other.span)} {other.message}" if other.span else f"    {other.message}"
    if found.help:
        yield f"    help: {found.help}"


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_policy(path: Path, golden: Golden) -> None:
    file, syntax = parse(Source(path.name, path.read_text(encoding="utf-8")))
    assert not syntax
    policy, found = resolve(file, read)
    if policy is None:
        golden(path.with_suffix(".errors"), "\n".join(line for one in found for line in error_lines(one)) + "\n")
    else:
        assert all(one.severity is Severity.INFO for one in found)
        golden(path.with_suffix(".resolved"), "\n".join(policy_lines(policy)) + "\n")
