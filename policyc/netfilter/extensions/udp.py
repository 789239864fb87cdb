"""-m udp: ports of UDP (net/netfilter/xt_tcpudp.c, iptables-extensions(8))."""

from __future__ import annotations

from policyc.net.protocols import UDP
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
    return all_of(has_header(UDP), port_tests(options))


MATCH = MatchExtension(
    name="udp",
    options=(SOURCE_PORT, DESTINATION_PORT),
    protocols=frozenset((UDP,)),
    normalise=without_all_ports,
    meaning=_meaning,
)
