"""-m udplite: ports of UDP-Lite (net/netfilter/xt_tcpudp.c registers it beside udp; RFC 3828).

The kernel has the match; iptables 1.8.9 as Debian builds it cannot load it, so that `check --kernel` refuses it there and
rules made here use multiport. A dump of a host whose iptables has it is read, printed and understood.
"""

from __future__ import annotations

from policyc.net.protocols import UDPLITE
from policyc.netfilter.extensions.ports import ports_match

MATCH = ports_match("udplite", UDPLITE)
