"""-j TRACE: the kernel reports every rule that the packet matches from here on (net/netfilter/xt_TRACE.c).

iptables-legacy takes it in the table raw only, iptables-nft (as nftables' `meta nftrace`) everywhere.
"""

from __future__ import annotations

from policyc.netfilter.effect import Effect, Note
from policyc.netfilter.extension import Options, Surroundings, TargetExtension


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Note("trace"),)


TARGET = TargetExtension(name="TRACE", effects=_effects)
