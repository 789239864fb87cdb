"""What connection tracking makes of a set of packets, and which can be the first of a connection. Part of `policyc.analysis`.

The same sources as `policyc.simulation.tracking`, whose answers for one packet these sets contain.
"""

from __future__ import annotations

from policyc.analysis.diagrams import ALL, EMPTY
from policyc.analysis.images import ENTRY
from policyc.analysis.space import Space
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.net.protocols import ICMP, ICMPV6, TCP
from policyc.netfilter import fields
from policyc.simulation.packet import ACK, FIN, RST, SYN
from policyc.simulation.tracking import ERRORS_V4, HIGHEST_ICMP, NOT_TRACKED_V6, OPENING, REDIRECT_V6


def tracked(space: Space, packets: int) -> int:
    """Give packets without a state every state that they can have; those that have one keep it."""
    diagrams = space.diagrams
    unseen = diagrams.both(packets, space.name(fields.CT_STATE, "none"))
    anyhow = space.release(unseen, fields.CT_STATE)
    seen = diagrams.both(anyhow, space.values(fields.CT_STATE, NameSet(ENTRY.members | {"INVALID"})))
    seen = diagrams.either(diagrams.both(seen, _states_of_icmp(space)), _untracked(space, anyhow))
    return diagrams.either(diagrams.without(packets, unseen), seen)


def first_packets(space: Space) -> int:
    """Return the packets that table nat is asked about: the first of a connection, its header as the trackers want it.

    A first TCP packet has SYN without ACK, FIN and RST, or (nf_conntrack_tcp_loose) ACK without SYN, FIN and RST. What a
    helper expected is RELATED.
    """
    diagrams = space.diagrams
    begins = space.name(fields.CT_STATE, "NEW", "RELATED")
    if fields.CT_STATUS in space.columns:
        begins = diagrams.both(begins, space.bits(fields.CT_STATUS, 0xFE, 0))
    if fields.TCP_FLAGS in space.columns:
        opens = EMPTY
        mask = SYN | ACK | FIN | RST
        for flags in (SYN, ACK):
            opens = diagrams.either(opens, space.bits(fields.TCP_FLAGS, mask, flags))
        begins = diagrams.both(begins, diagrams.either(opens, _protocol(space, TCP) ^ 1))
    if fields.ICMP in space.columns:
        proto = ICMP if space.family == 4 else ICMPV6
        begins = diagrams.both(begins, diagrams.either(_types(space, OPENING[proto]), _protocol(space, proto) ^ 1))
    return begins


def _states_of_icmp(space: Space) -> int:
    """Return the packets but ICMP messages in states that their type cannot have."""
    if fields.ICMP not in space.columns:
        return ALL
    diagrams = space.diagrams
    proto = ICMP if space.family == 4 else ICMPV6
    errors = _types(space, ERRORS_V4 if space.family == 4 else frozenset((*range(128), REDIRECT_V6)))
    known = _types(space, frozenset(range(HIGHEST_ICMP + 1))) if space.family == 4 else ALL
    state = {name: space.name(fields.CT_STATE, name) for name in (*ENTRY.members, "INVALID")}
    of_errors = diagrams.both(errors, diagrams.either(state["RELATED"], state["INVALID"]))
    opening = diagrams.both(_types(space, OPENING[proto]), state["NEW"])
    of_others = diagrams.either(opening, diagrams.without(diagrams.both(known, state["NEW"] ^ 1), errors))
    allowed = diagrams.any_of((of_errors, of_others, state["INVALID"]))
    if space.family == 6:
        allowed = diagrams.without(allowed, _types(space, NOT_TRACKED_V6))
    return diagrams.either(allowed, _protocol(space, proto) ^ 1)


def _untracked(space: Space, packets: int) -> int:
    """Return the neighbour discovery among the packets, which the kernel exempts by itself."""
    if space.family == 4:
        return EMPTY
    own = space.diagrams.both(
        _protocol(space, ICMPV6), _types(space, NOT_TRACKED_V6) if fields.ICMP in space.columns else ALL
    )
    return space.diagrams.all_of((packets, own, space.name(fields.CT_STATE, "UNTRACKED")))


def _protocol(space: Space, number: int) -> int:
    return space.values(fields.PROTO, IntervalSet.of(number))


def _types(space: Space, types: frozenset[int]) -> int:
    return space.values(fields.ICMP, IntervalSet.union_of((kind << 8, kind << 8 | 255) for kind in types))
