"""Parts become one kernel rule: canonical order, each selector once. The last step of every rule that is made here."""

from __future__ import annotations

from operator import attrgetter

from policyc.lowering.pieces import Pieces
from policyc.net.addresses import Network
from policyc.netfilter.parts import MATCH_RANK, Part, Selector

_rank = attrgetter("rank")
_WHAT = {"-i": "incoming interface", "-o": "outgoing interface", "-p": "protocol", "-s": "source", "-d": "destination"}


class ConflictError(ValueError):
    """Two tests of one rule cannot stand in one kernel rule."""


def assembled(pieces: Pieces, parts: list[Part]) -> tuple[Part, ...]:
    """Return the parts of a rule in canonical order; a second address test becomes a match of ranges.

    Raises ConflictError where two different tests of the same selector have no such form.
    """
    parts.sort(key=_rank)
    previous = -1
    for part in parts:
        rank = part.rank
        if rank >= MATCH_RANK:
            break
        if rank == previous:
            return _each_once(pieces, parts)
        previous = rank
    return tuple(parts)


def _each_once(pieces: Pieces, parts: list[Part]) -> tuple[Part, ...]:
    kept: dict[int, Selector] = {}
    moved: list[Part] = []
    rest: list[Part] = []
    for part in parts:
        if not isinstance(part, Selector):
            rest.append(part)
        elif (first := kept.setdefault(part.rank, part)) is not part and first != part:
            if not isinstance(part.value, Network) or part.value.prefix is None:
                raise ConflictError(f"the rule tests the {_WHAT.get(part.option, part.option)} twice")
            moved.extend(pieces.as_range(part.option, part.value, part.negated))
    return (*kept.values(), *moved, *rest)
