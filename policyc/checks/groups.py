"""Findings that would be the same for many rules of a chain: the first rule speaks for all. Part of `checks`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policyc.checks.survey import Standing


def by_chain(found: Iterable[Standing]) -> Iterator[tuple[Standing, str]]:
    """Yield the first rule of each chain with the words about the others, which follow a sentence about it."""
    chains: dict[tuple[int, str, str], list[Standing]] = {}
    for one in found:
        chains.setdefault((one.table.family, one.table.name, one.chain.name), []).append(one)
    for first, *others in chains.values():
        if len(others) > 1:
            yield first, f", as do {len(others)} more rules of the chain"
        else:
            yield first, ", as does one more rule of the chain" if others else ""
