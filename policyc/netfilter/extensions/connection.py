"""What the matches share that read the packet's conntrack entry: which states have one, and their spelling.

Measured on Linux 6.18: a packet that conntrack has not seen reads as INVALID (`nf_ct_get` finds nothing).
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.predicate import NEVER, In, Predicate

ENTRY_STATES = frozenset(("NEW", "ESTABLISHED", "RELATED"))
NO_ENTRY_STATES = frozenset(("none", "INVALID", "UNTRACKED"))
STATES = ("INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED")  # in the order in which iptables-save prints them

HAS_ENTRY = In(fields.CT_STATE, NameSet(ENTRY_STATES))


def states_of(words: Iterable[str], *, negated: bool) -> frozenset[str]:
    """Return the values of `ct.state` that a list of states (`--ctstate`, `--state`) takes in, SNAT and DNAT aside."""
    chosen = frozenset(words) & frozenset(STATES)
    if "INVALID" in chosen:
        chosen |= {"none"}
    return (ENTRY_STATES | NO_ENTRY_STATES) - chosen if negated else chosen


def in_states(states: frozenset[str]) -> Predicate:
    """Return "the state is one of these"; never where there are none."""
    return In(fields.CT_STATE, NameSet(states)) if states else NEVER
