"""Rates at the edge of what iptables and the kernel take."""

from __future__ import annotations

import pytest

from policyc.diagnostics import Diagnostic
from policyc.language.parser import parse
from policyc.policy.defined import Limit
from policyc.policy.resolve import resolve
from policyc.source import Source


def limit(text: str) -> Limit | list[Diagnostic]:
    policy, found = resolve(parse(Source("test.pol", f"limit calm = {text}"))[0])
    return policy.limits[0] if policy else found


@pytest.mark.parametrize(
    "text",
    [
        "10000/second burst 10000",
        "600000/minute",
        "1/day burst 1",
        "1/hour burst 31",
        "1000000/second burst 1000000 per source",
        "60000000/minute per destination/24",
        "5/day per source",
        "50 connections per source/24",
        "1 connections",
    ],
)
def test_in_range(text: str) -> None:
    assert isinstance(limit(text), Limit)


@pytest.mark.parametrize(
    "text",
    [
        "10001/second",
        "600001/minute",
        "1/day",
        "1/day burst 2",
        "1/hour burst 32",
        "1/second burst 10001",
        "1000001/second per source",
        "1/second burst 1000001 per source",
        "1/day per source",
    ],
)
def test_out_of_range(text: str) -> None:
    found = limit(text)
    assert isinstance(found, list)
    assert [one.name for one in found] == ["bad-literal"]


def test_the_burst_has_a_default() -> None:
    found = limit("6/minute per source/24")
    assert isinstance(found, Limit)
    assert (found.rate, found.burst, found.per, found.prefix) == ((6, "minute"), 5, "source", 24)
