"""Words of the kernel that a policy uses as they are: ICMP types, answers of `reject`, connection tracking helpers.

The facts are those of the extensions of `policyc.netfilter`; here they get the form in which names are looked up.
"""

from __future__ import annotations

from functools import cache

from policyc.policy.values import BOTH, Families

_IPV4_HELPERS = frozenset(("irc", "netbios-ns", "pptp", "snmp"))
"""Helpers that net/netfilter/nf_conntrack_*.c registers for IPv4 only."""


@cache
def icmp_types(protocol: str) -> dict[str, tuple[int, int | None]]:
    """Return the type and code of each name that iptables has for `icmp` or `icmp6`, in lower case; no code is None."""
    from policyc.netfilter.extensions import icmp, icmp6

    names = icmp.NAMES if protocol == "icmp" else icmp6.NAMES
    return {name.lower(): (found.type, found.low if found.low == found.high else None) for name, found in names}


@cache
def answers() -> dict[str, Families]:
    """Return what `reject` can send, and in which families."""
    from policyc.netfilter.extensions.reject_target import ANSWERS

    names = dict.fromkeys(name for family in BOTH for name in ANSWERS[family])
    return {name: tuple(family for family in BOTH if name in ANSWERS[family]) for name in names}


@cache
def helpers() -> dict[str, tuple[frozenset[int], Families]]:
    """Return the kernel's helpers, the protocols that each is for, and its families."""
    from policyc.netfilter.extensions.ct_target import HELPERS

    return {name: (frozenset(spoken), (4,) if name in _IPV4_HELPERS else BOTH) for name, spoken in HELPERS.items()}
