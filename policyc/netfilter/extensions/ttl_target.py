"""-j TTL: the time to live of IPv4."""

from __future__ import annotations

from policyc.netfilter.extensions.hop_limit_change import hop_limit_target

TARGET = hop_limit_target("TTL", 4)
