"""Two lists of rules beside each other: what goes, comes and moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyc.netfilter.alignment import aligned

rules = st.text("abcd", max_size=8)


@given(rules, rules)
def test_every_rule_goes_stays_or_comes(before: str, after: str) -> None:
    found = aligned(before, after)
    kept = [origin for origin in found.origin if origin is not None]
    assert sorted([*kept, *found.gone]) == list(range(len(before)))
    assert all(before[origin] == text for origin, text in zip(found.origin, after, strict=True) if origin is not None)
    stay = [origin for place, origin in enumerate(found.origin) if origin is not None and place not in found.moved]
    assert stay == sorted(stay)


@pytest.mark.parametrize(
    ("before", "after", "gone", "come", "moved"),
    [
        ("abc", "abc", (), [], []),
        ("abc", "ac", (1,), [], []),
        ("ab", "bab", (), [0], []),  # the first `b` comes, although an equal rule was there
        ("abcd", "dabc", (), [], [0]),  # one rule moved past three, not three past one
        ("abcde", "xbcay", (3, 4), [0, 4], [3]),  # all three at once
        ("", "ab", (), [0, 1], []),
    ],
)
def test_few_rules_are_said_to_change(
    before: str, after: str, gone: tuple[int, ...], come: list[int], moved: list[int]
) -> None:
    found = aligned(before, after)
    assert found.gone == gone
    assert [place for place, origin in enumerate(found.origin) if origin is None] == come
    assert sorted(found.moved) == moved
