"""-m udplite: ports of UDP-Lite (net/netfilter/xt_tcpudp.c registers it beside udp; RFC 3828).

The kernel has the match; iptables 1.8.9 as Debian builds it cannot load it, so that `check --kernel` refuses it there and
rules made here use multiport. A dump of a host whose iptables has it is read, printed and understood.
"""

from __future__ import annotations

from policyc.net.protocols import UDPLITE
from policyc.netfilter.extension import MatchExtension, Options, Surroundings
from policyc.netfilter.extensions.ports import (
    DESTINATION_PORT,
    SOURCE_PORT,
    has_header,
    port_tests,
    without_all_ports,
)
from policyc.netfilter.predicate import Predicate, all_of


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    return all_of(has_header(UDPLITE), port_tests(options))


MATCH = MatchExtension(
    name="udplite",
    options=(SOURCE_PORT, DESTINATION_PORT),
    protocols=frozenset((UDPLITE,)),
    normalise=without_all_ports,
    meaning=_meaning,
)
