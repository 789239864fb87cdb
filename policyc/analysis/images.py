"""What becomes of a set of packets when a rule or the kernel changes them. Part of `policyc.analysis`.

The result is the set of the packets as they are afterwards.
"""

from __future__ import annotations

from policyc.analysis.diagrams import EMPTY
from policyc.analysis.facts import ENTRY
from policyc.analysis.space import Space
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.effect import Assign, Effect, Mutate, Shift, Track
from policyc.netfilter.fields import Field


def changed(space: Space, edge: int, effects: tuple[Effect, ...]) -> int:
    """Return the packets of a set after these effects; what nobody computes may have any value."""
    for effect in effects:
        if edge == EMPTY:
            return edge
        if isinstance(effect, Assign):
            edge = _assigned(space, edge, effect)
        elif isinstance(effect, Track):
            if not effect.entry:
                edge = _untracked(space, edge)
        elif isinstance(effect, Shift):
            edge = space.release(edge, fields.TTL)
        elif isinstance(effect, Mutate):
            edge = freed(space, edge, *effect.fields)
    return edge


def replaced(space: Space, edge: int, field: Field, values: IntervalSet | NameSet) -> int:
    """Return the packets with another value of a field, any one of these; what is derived from it is derived again."""
    return space.diagrams.both(freed(space, edge, field), space.values(field, values))


def freed(space: Space, edge: int, *changing: Field) -> int:
    """Return the packets with any values of these fields and of what is derived from them."""
    return space.release(edge, *changing, *_derived(changing))


def _derived(changing: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return the kinds of address that hang on addresses."""
    found: tuple[Field, ...] = ()
    if fields.SRC in changing:
        found += (fields.SRC_TYPE, fields.SRC_TYPE_IN, fields.SRC_TYPE_OUT)
    if fields.DST in changing:
        found += (fields.DST_TYPE, fields.DST_TYPE_IN, fields.DST_TYPE_OUT)
    return found


def _untracked(space: Space, edge: int) -> int:
    """Exempt from tracking what has no entry yet."""
    diagrams = space.diagrams
    entered = diagrams.both(edge, space.values(fields.CT_STATE, ENTRY))
    return diagrams.either(
        entered, replaced(space, diagrams.without(edge, entered), fields.CT_STATE, NameSet.of("UNTRACKED"))
    )


def _assigned(space: Space, edge: int, effect: Assign) -> int:
    """Carry out `field = (field & ~mask) ^ value` bit by bit; a connection's marks exist where it has an entry."""
    diagrams = space.diagrams
    if fields.CT_MARK in {effect.field, effect.source} or effect.field is fields.CT_LABEL:
        entered = diagrams.both(edge, space.values(fields.CT_STATE, ENTRY))
        return diagrams.either(diagrams.without(edge, entered), _written(space, entered, effect))
    return _written(space, edge, effect)


def _written(space: Space, edge: int, effect: Assign) -> int:
    column = space.columns.get(effect.field)
    if column is None:
        return edge
    if effect.field is fields.CT_LABEL:
        return space.release(edge, effect.field)
    sources = space.columns[effect.source].bits if effect.source in space.columns else {}
    for bit, level in column.bits.items():
        masked = bool(effect.mask >> bit & 1)
        place = bit - effect.shift
        if effect.source is not None and place >= 0 and effect.source_mask >> place & 1 and place in sources:
            edge = _copied(space, edge, level, sources[place], masked=masked)
        elif masked:
            edge = _fixed(space, edge, level, effect.value >> bit & 1)
        elif effect.value >> bit & 1:
            edge = space.diagrams.flip(edge, level)
    return edge


def _fixed(space: Space, edge: int, level: int, value: int) -> int:
    diagrams = space.diagrams
    variable = diagrams.variable(level)
    return diagrams.both(diagrams.project(edge, frozenset((level,))), variable if value else variable ^ 1)


def _copied(space: Space, edge: int, level: int, source: int, *, masked: bool) -> int:
    """Return the packets whose bit became, or was xored with, the bit of another field."""
    diagrams = space.diagrams
    ones = diagrams.both(edge, diagrams.variable(source))
    zeros = diagrams.without(edge, ones)
    if masked:
        return diagrams.either(_fixed(space, ones, level, 1), _fixed(space, zeros, level, 0))
    return diagrams.either(diagrams.flip(ones, level), zeros)
