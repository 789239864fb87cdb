"""-m udp: ports of UDP (net/netfilter/xt_tcpudp.c, iptables-extensions(8))."""

from __future__ import annotations

from policyc.net.protocols import UDP
from policyc.netfilter.extensions.ports import ports_match

MATCH = ports_match("udp", UDP)
