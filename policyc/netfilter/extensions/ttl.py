"""-m ttl: the time to live of IPv4."""

from __future__ import annotations

from policyc.netfilter.extensions.hop_limit import hop_limit_match

MATCH = hop_limit_match("ttl", 4)
