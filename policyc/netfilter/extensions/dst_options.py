"""-m dst: the IPv6 destination options header."""

from __future__ import annotations

from policyc.netfilter.extensions.options_header import options_header_match

MATCH = options_header_match("dst", "dst")
