"""What a match means: eight kinds of node, no others. Two interpreters read them, the simulator and the analysis.

A predicate denotes two sets of packets, *certain* and *possible*; they differ only through `May`. Existence is written out
by the extension: a bare `Not(In(sport, …))` would hold for packets that have no ports.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.frozen import frozen
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter.counters import Counter
from policyc.netfilter.fields import Field

Values = IntervalSet | NameSet


@frozen
class Always:
    """Every packet."""


@frozen
class Never:
    """No packet."""


@frozen
class In:
    """The field's value is in a set of its domain; false where the field does not exist. Set-valued fields: one value is."""

    field: Field
    values: Values


@frozen
class Bits:
    """`field & mask == value`; false where the field does not exist."""

    field: Field
    mask: int
    value: int


@frozen
class All:
    """Every part holds; without parts, always."""

    parts: tuple[Predicate, ...]


@frozen
class Any:
    """One part holds at least; without parts, never."""

    parts: tuple[Predicate, ...]


@frozen
class Not:
    """The part does not hold."""

    part: Predicate


@frozen
class Opaque:
    """A condition nobody here can evaluate, fixed while the fields it reads are; `key` is its canonical text.

    `reads` None means: all fields of the packet.
    """

    key: str
    reads: tuple[Field, ...] | None = None


@frozen
class Ask:
    """A question that the host answers: `kind` is set, rpfilter or socket, `subject` its parameters in order."""

    kind: str
    subject: tuple[str, ...]
    reads: tuple[Field, ...] = ()


@frozen
class May:
    """May or may not hold, new at every evaluation; `counter` is what decides it where a simulator counts along."""

    key: str
    counter: Counter | None = None


Predicate = Always | Never | In | Bits | All | Any | Not | Opaque | Ask | May

ALWAYS, NEVER = Always(), Never()


def all_of(*parts: Predicate) -> Predicate:
    """Return the conjunction, without the parts that say nothing and without nesting."""
    kept: list[Predicate] = []
    for part in parts:
        if isinstance(part, Always):
            continue
        if isinstance(part, Never):
            return NEVER
        if isinstance(part, All):
            kept.extend(part.parts)
        else:
            kept.append(part)
    if not kept:
        return ALWAYS
    return kept[0] if len(kept) == 1 else All(tuple(kept))


def under_mask(field: Field, value: int, mask: int) -> Predicate:
    """Return `field & mask == value`, folded where it holds for every number or for none."""
    if value & ~mask:
        return NEVER
    return Bits(field, mask, value) if mask else ALWAYS


def any_of(*parts: Predicate) -> Predicate:
    """Return the disjunction, without the parts that add nothing and without nesting."""
    kept: list[Predicate] = []
    for part in parts:
        if isinstance(part, Never):
            continue
        if isinstance(part, Always):
            return ALWAYS
        if isinstance(part, Any):
            kept.extend(part.parts)
        else:
            kept.append(part)
    if not kept:
        return NEVER
    return kept[0] if len(kept) == 1 else Any(tuple(kept))


def negate(part: Predicate) -> Predicate:
    """Return the complement; double negation and constants are folded."""
    if isinstance(part, Always):
        return NEVER
    if isinstance(part, Never):
        return ALWAYS
    return part.part if isinstance(part, Not) else Not(part)


def negate_if(negated: bool, part: Predicate) -> Predicate:
    """Return the part, or its complement when `negated`."""
    return negate(part) if negated else part


def nodes(predicate: Predicate) -> Iterator[Predicate]:
    """Yield every node of the tree, the root first."""
    yield predicate
    if isinstance(predicate, All | Any):
        for part in predicate.parts:
            yield from nodes(part)
    elif isinstance(predicate, Not):
        yield from nodes(predicate.part)
