"""-m hbh: the IPv6 hop-by-hop options header."""

from __future__ import annotations

from policyc.netfilter.extensions.options_header import options_header_match

MATCH = options_header_match("hbh", "hop")
