"""-j HL: the hop limit of IPv6."""

from __future__ import annotations

from policyc.netfilter.extensions.hop_limit_change import hop_limit_target

TARGET = hop_limit_target("HL", 6)
