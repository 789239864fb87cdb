"""What the kernel alone says about packets, as predicates: which states a header can have, what is known in a hook.

Part of `policyc.analysis`: the walk with sets begins with these, and the checker of its answers takes them as given. The same
sources as `policyc.simulation.tracking`, whose answers for one packet agree with them.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.net.protocols import ICMP, ICMPV6, TCP
from policyc.netfilter import fields
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import ALWAYS, NEVER, Bits, In, Predicate, all_of, any_of, negate
from policyc.simulation.packet import ACK, FIN, RST, SYN
from policyc.simulation.tracking import ERRORS_V4, HIGHEST_ICMP, NOT_TRACKED_V6, OPENING, REDIRECT_V6

ENTRY = NameSet.of("NEW", "ESTABLISHED", "RELATED")
HAS_ENTRY = In(fields.CT_STATE, ENTRY)
_NAMED = ~NameSet()
INCOMING, OUTGOING = In(fields.IIF, _NAMED), In(fields.OIF, _NAMED)
_ICMP = {4: ICMP, 6: ICMPV6}


def is_state(*states: str) -> Predicate:
    """Return "the packet's state is one of these"."""
    return In(fields.CT_STATE, NameSet.of(*states))


def seen_by_tracking(family: int) -> Predicate:
    """Return which packets there are behind connection tracking: every state but those that an ICMP type cannot have."""
    proto = _ICMP[family]
    opening = _types(OPENING[proto])
    errors = _types(ERRORS_V4) if family == 4 else _types((*range(128), REDIRECT_V6))
    known = _types(range(HIGHEST_ICMP + 1)) if family == 4 else ALWAYS
    exempt = exempted_by_the_kernel(family)
    of_icmp = any_of(
        is_state("INVALID"),
        all_of(errors, is_state("RELATED")),
        all_of(opening, is_state("NEW")),
        all_of(known, negate(errors), is_state("ESTABLISHED", "RELATED")),
    )
    tracked = any_of(negate(_protocol(proto)), of_icmp)
    return any_of(is_state("UNTRACKED"), all_of(negate(exempt), any_of(HAS_ENTRY, is_state("INVALID")), tracked))


def exempted_by_the_kernel(family: int) -> Predicate:
    """Return the packets that are UNTRACKED without any rule: IPv6 neighbour discovery and multicast listeners."""
    return all_of(_protocol(ICMPV6), _types(NOT_TRACKED_V6)) if family == 6 else NEVER


def begins_connection(family: int) -> Predicate:
    """Return the packets that table nat is asked about: the first of a connection, its header as the trackers want it.

    A first TCP packet has SYN without ACK, FIN and RST, or (nf_conntrack_tcp_loose) ACK without SYN, FIN and RST. What a
    helper expected is RELATED.
    """
    flags = SYN | ACK | FIN | RST
    opens = any_of(*(Bits(fields.TCP_FLAGS, flags, one) for one in (SYN, ACK)))
    proto = _ICMP[family]
    return all_of(
        is_state("NEW", "RELATED"),
        any_of(negate(_protocol(TCP)), opens),
        any_of(negate(_protocol(proto)), _types(OPENING[proto])),
    )


def known_in(hook: Hook, table: str, family: int) -> Predicate:
    """Return what holds for every packet that a table sees in a hook."""
    ways = {
        Hook.PREROUTING: all_of(INCOMING, negate(OUTGOING)),
        Hook.INPUT: all_of(INCOMING, negate(OUTGOING)),
        Hook.FORWARD: all_of(INCOMING, OUTGOING),
        Hook.OUTPUT: all_of(negate(INCOMING), OUTGOING),
        Hook.POSTROUTING: OUTGOING,
    }
    if table == "raw":
        return ways[hook]
    state = begins_connection(family) if table == "nat" else seen_by_tracking(family)
    return all_of(ways[hook], state)


def all_facts(family: int) -> Predicate:
    """Return a predicate that mentions every value which the facts of a family tell apart."""
    return any_of(seen_by_tracking(family), begins_connection(family), INCOMING, OUTGOING)


def _protocol(number: int) -> Predicate:
    return In(fields.PROTO, IntervalSet.of(number))


def _types(types: Iterable[int]) -> Predicate:
    return In(fields.ICMP, IntervalSet.union_of((kind << 8, kind << 8 | 255) for kind in types))
