"""Lists without overlap: the same union, written order kept, no packet in two items."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyc.lowering.distinct import (
    distinct_addresses,
    distinct_interfaces,
    distinct_ranges,
    item_of,
    networks_of,
    span_of,
)
from policyc.net.addresses import parse_address, parse_network
from policyc.net.intervals import IntervalSet
from policyc.policy.values import AddressRange

ranges = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda r: (r[0], r[0] + r[1])), max_size=6)


@given(ranges)
def test_ranges_keep_their_union_and_do_not_overlap(found: list[tuple[int, int]]) -> None:
    apart = distinct_ranges(found)
    assert IntervalSet.union_of(apart) == IntervalSet.union_of(found)
    numbers = [number for first, last in apart for number in range(first, last + 1)]
    assert len(numbers) == len(set(numbers))


def test_what_does_not_overlap_stays_as_written() -> None:
    assert distinct_ranges([(80, 80), (22, 22), (81, 90)]) == [(80, 80), (22, 22), (81, 90)]
    assert distinct_ranges([(80, 80), (22, 22), (70, 90)]) == [(22, 22), (70, 90)]


def test_addresses_that_a_network_covers_are_left_out() -> None:
    wide, inner, other = (parse_network(text, 4) for text in ("10.0.0.0/8", "10.1.0.0/16", "192.0.2.1"))
    assert distinct_addresses([inner, wide, other]) == [wide, other]
    assert distinct_addresses([wide, wide]) == [wide]


def test_ranges_of_addresses_that_overlap_are_joined() -> None:
    low, middle, high = (parse_address(text, 4) for text in ("10.0.0.0", "10.0.0.4", "10.0.0.6"))
    found = distinct_addresses([AddressRange(4, low, middle), AddressRange(4, middle - 1, high + 1)])
    assert [str(item) for item in found] == ["10.0.0.0/29"]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (["eth0", "eth0"], ["eth0"]),
        (["eth0", "eth+"], ["eth+"]),
        (["eth+", "et+", "wan"], ["et+", "wan"]),
        (["+", "eth0"], ["+"]),
        (["eth1", "eth2"], ["eth1", "eth2"]),
        (["br-+", "br-"], ["br-+"]),
    ],
)
def test_interfaces(written: list[str], kept: list[str]) -> None:
    assert distinct_interfaces(written) == kept


@given(st.integers(0, 2**32 - 1), st.integers(0, 5000))
def test_networks_have_exactly_the_addresses_of_a_range(first: int, size: int) -> None:
    last = min(first + size, 2**32 - 1)
    networks = list(networks_of(AddressRange(4, first, last)))
    assert IntervalSet.union_of(span_of(network) for network in networks) == IntervalSet(((first, last),))
    assert sum(network.values.size for network in networks) == last - first + 1


def test_a_range_that_is_a_network_is_written_as_one() -> None:
    network = parse_network("2001:db8::/64", 6)
    assert item_of(*span_of(network), 6) == network
