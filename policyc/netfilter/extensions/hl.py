"""-m hl: the hop limit of IPv6."""

from __future__ import annotations

from policyc.netfilter.extensions.hop_limit import hop_limit_match

MATCH = hop_limit_match("hl", 6)
