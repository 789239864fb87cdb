"""Policies beside this file: the rules that they become, in both families, or what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from policyc.diagnostics import Diagnostic, Severity
from policyc.language.parser import parse
from policyc.lowering import lower
from policyc.netfilter.ruleset import Ruleset
from policyc.policy.resolve import resolve
from policyc.source import Source
from policyc.writers.ipset import ipset_restore
from policyc.writers.save import iptables_save

POLICIES = sorted(Path(__file__).parent.glob("*.pol"))
Golden = Callable[[Path, str], None]


def lowered(path: Path) -> tuple[Ruleset, list[Diagnostic]]:
    file, syntax = parse(Source(path.name, path.read_text(encoding="utf-8")))
    policy, found = resolve(file)
    assert policy, found
    assert not syntax
    return lower(policy)


def error_lines(found: Diagnostic) -> Iterator[str]:
    assert found.span
    yield f"{found.span} {found.severity.label} {found.name}: {found.message}"
    excerpt = found.span.source.line(found.span.line)
    yield f"    {excerpt}"
    yield f"    {' ' * (found.span.column - 1)}{'^' * (found.span.end - found.span.start)}"
    for other in found.related:
        yield f"    {other.span} {other.message}"
    if found.help:
        yield f"    help: {found.help}"


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_policy(path: Path, golden: Golden) -> None:
    ruleset, found = lowered(path)
    if path.stem.startswith("errors-"):
        assert any(one.severity is Severity.ERROR for one in found)
        golden(path.with_suffix(".errors"), "\n".join(line for one in found for line in error_lines(one)) + "\n")
        return
    assert not found
    for family in ruleset.families:
        golden(path.with_suffix(f".v{family}.rules"), iptables_save(ruleset, family))
    if ruleset.sets:
        golden(path.with_suffix(".sets"), ipset_restore(ruleset))
