"""A predicate becomes a Python function of one packet, once. Part of `policyc.simulation`, used by `rules`.

The function returns True, False, or None where nobody can know. Which conditions were unknown is asked afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from policyc.host.membership import is_member
from policyc.host.reverse_path import passes_rpfilter
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter.counters import Counter
from policyc.netfilter.predicate import All, Always, Any, Ask, Bits, In, May, Not, Opaque, Predicate, nodes
from policyc.simulation.packet import Packet
from policyc.simulation.readings import SOMETIMES, Reader, reader_of
from policyc.simulation.state import State

Test = Callable[[Packet], bool | None]
CounterTest = Callable[[Counter], Test]


def compiled(predicate: Predicate, state: State, counting: CounterTest) -> Test:
    """Return the function of a predicate; `counting` makes the one of a counter, which is the rule's own."""
    if isinstance(predicate, In):
        reader = reader_of(predicate.field, state)
        if reader is None:
            return _unknown(state, repr(predicate.field))
        test = _in(reader, predicate.values)
        return _where_told(test, reader, state, repr(predicate.field)) if predicate.field in SOMETIMES else test
    if isinstance(predicate, Bits):
        reader = reader_of(predicate.field, state)
        return (
            _unknown(state, repr(predicate.field)) if reader is None else _bits(reader, predicate.mask, predicate.value)
        )
    if isinstance(predicate, All):
        return _all([compiled(part, state, counting) for part in predicate.parts])
    if isinstance(predicate, Any):
        return _any([compiled(part, state, counting) for part in predicate.parts])
    if isinstance(predicate, Not):
        return _not(compiled(predicate.part, state, counting))
    if isinstance(predicate, Ask):
        return _asked(predicate, state)
    if isinstance(predicate, May):
        return _unknown(state, predicate.key) if predicate.counter is None else counting(predicate.counter)
    if isinstance(predicate, Opaque):
        return _unknown(state, predicate.key)
    holds = isinstance(predicate, Always)
    return lambda _: holds


def has_counter(predicate: Predicate) -> bool:
    """Whether a counter decides a part of it."""
    return any(isinstance(node, May) and node.counter is not None for node in nodes(predicate))


def unknowns(predicate: Predicate, state: State) -> Iterator[str]:
    """Yield the conditions of a predicate that may be unknown, as a person reads them."""
    for node in nodes(predicate):
        if isinstance(node, Opaque | May):
            yield f"`{node.key}`"
        elif isinstance(node, Ask):
            yield f"`{' '.join((node.kind, *node.subject))}`"
        elif isinstance(node, In | Bits) and (reader_of(node.field, state) is None or node.field in SOMETIMES):
            yield f"the packet's {node.field!r}"


def _unknown(state: State, key: str) -> Test:
    assumptions = state.assumptions
    return lambda _: assumptions.get(key)


def _where_told(test: Test, reader: Reader, state: State, key: str) -> Test:
    assumptions = state.assumptions
    return lambda packet: assumptions.get(key) if reader(packet) is None else test(packet)


def _in(reader: Reader, values: IntervalSet | NameSet) -> Test:
    if isinstance(values, IntervalSet):
        if len(values.spans) == 1:
            return _between(reader, *values.spans[0])
        contains: Callable[[object], bool] = values.__contains__  # type: ignore[assignment]
    elif values.prefixes or values.complement:
        contains = values.__contains__  # type: ignore[assignment]
    else:
        contains = values.members.__contains__

    def test(packet: Packet) -> bool:
        value = reader(packet)
        if value is None:
            return False
        if isinstance(value, tuple | frozenset):
            return any(contains(one) for one in value)
        return contains(value)

    return test


def _between(reader: Reader, low: int, high: int) -> Test:
    def test(packet: Packet) -> bool:
        value = reader(packet)
        if isinstance(value, int):
            return low <= value <= high
        return value is not None and any(low <= one <= high for one in value)

    return test


def _bits(reader: Reader, mask: int, wanted: int) -> Test:
    def test(packet: Packet) -> bool:
        value = reader(packet)
        return value is not None and value & mask == wanted

    return test


def _all(tests: Sequence[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests

        def both(packet: Packet) -> bool | None:
            one = first(packet)
            if one is False:
                return False
            other = second(packet)
            return other if one or other is False else None

        return both

    def every(packet: Packet) -> bool | None:
        sure = True
        for test in tests:
            holds = test(packet)
            if holds is False:
                return False
            if holds is None:
                sure = False
        return sure or None

    return every


def _any(tests: Sequence[Test]) -> Test:
    def some(packet: Packet) -> bool | None:
        sure = True
        for test in tests:
            holds = test(packet)
            if holds:
                return True
            if holds is None:
                sure = False
        return False if sure else None

    return some


def _not(part: Test) -> Test:
    def test(packet: Packet) -> bool | None:
        holds = part(packet)
        return None if holds is None else not holds

    return test


def _asked(question: Ask, state: State) -> Test:
    key = " ".join((question.kind, *question.subject))
    if question.kind == "set":
        return _member(state, key, question.subject)
    if question.kind == "rpfilter":
        # What this host sent itself is beyond suspicion (rpfilter_is_loopback).
        return lambda packet: packet.is_copy or passes_rpfilter(state.fib, packet.arriving, question.subject)
    return _unknown(state, key)


def _member(state: State, key: str, subject: tuple[str, ...]) -> Test:
    name, directions = subject[0], subject[1].split(",")
    nomatch = "return-nomatch" in subject

    def test(packet: Packet) -> bool | None:
        if name not in state.sets:
            return state.assumptions.get(key)
        return is_member(state.sets, name, directions, packet.probe, return_nomatch=nomatch, now=state.now or 0)

    return test
