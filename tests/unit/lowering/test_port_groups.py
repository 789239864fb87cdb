"""Ports in groups that one multiport match holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policyc.lowering.services import MULTIPORT_SLOTS, port_groups

ports = st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 9)).map(lambda p: (p[0], min(p[0] + p[1], 65535))))


@given(ports)
def test_a_group_has_fifteen_slots_and_no_port_is_lost(found: list[tuple[int, int]]) -> None:
    groups = port_groups(found)
    for group in groups:
        assert sum(1 if first == last else 2 for first, last in group) <= MULTIPORT_SLOTS
    kept = {port for group in groups for first, last in group for port in range(first, last + 1)}
    assert kept == {port for first, last in found for port in range(first, last + 1)}


def test_no_ports_are_one_empty_group() -> None:
    assert port_groups([]) == [[]]


def test_a_range_that_does_not_fit_opens_a_group() -> None:
    singles = [(port, port) for port in range(0, 28, 2)]
    assert port_groups([*singles, (100, 200)]) == [singles, [(100, 200)]]
    assert port_groups([*singles, (100, 100)]) == [[*singles, (100, 100)]]
