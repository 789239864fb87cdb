"""Parts become one kernel rule: canonical order, each selector once. The last step of every rule that is made here."""

from __future__ import annotations

from operator import attrgetter

from policyc.lowering.pieces import Pieces
from policyc.net.addresses import Network
from policyc.netfilter.extension import Options
from policyc.netfilter.parts import MATCH_RANK, Match, Part, Selector
from policyc.readers.building import built

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


def joined(pieces: Pieces, parts: list[Part]) -> list[Part]:
    """Return the parts with one match for each extension, where the options of two do not clash.

    The user's text may test a header that the rule tests as well; iptables-nft makes one match of both by itself.
    """
    kept: dict[int | str, Part] = {}
    for part in parts:
        # one protocol: the match is that protocol's header, not a list of ports
        key = part.name if isinstance(part, Match) and len(part.protocols or ()) == 1 else id(part)
        first = kept.get(key)
        if not isinstance(first, Match) or not isinstance(part, Match):
            kept[key] = part
        elif any(item.name in first.options for item in part.options.given):
            kept[id(part)] = part
        else:
            kept[key] = built(part.extension, Options(first.options.given + part.options.given), pieces.family)
    return list(kept.values())


def _each_once(pieces: Pieces, parts: list[Part]) -> tuple[Part, ...]:
    kept: dict[int, Selector] = {}
    moved: list[Part] = []
    rest: list[Part] = []
    for part in parts:
        if not isinstance(part, Selector):
            rest.append(part)
        elif (first := kept.setdefault(part.rank, part)) is not part and first != part:
            inner = _inner(first, part)
            if inner is not None:
                kept[part.rank] = inner
            elif isinstance(part.value, Network) and part.value.prefix is not None:
                moved.extend(pieces.as_range(part.option, part.value, part.negated))
            else:
                raise ConflictError(f"the rule tests the {_WHAT.get(part.option, part.option)} twice")
    return (*kept.values(), *moved, *rest)


def _inner(one: Selector, other: Selector) -> Selector | None:
    """Return the one of two networks that lies within the other, None where neither does."""
    if one.negated or other.negated or not isinstance(one.value, Network) or not isinstance(other.value, Network):
        return None
    if one.value.prefix is None or other.value.prefix is None:
        return None
    narrow, wide = (one, other) if one.value.prefix >= other.value.prefix else (other, one)
    assert isinstance(narrow.value, Network), "both are networks"
    assert isinstance(wide.value, Network), "both are networks"
    return narrow if narrow.value.address in wide.value else None
