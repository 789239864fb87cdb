"""packet-socket: a rule wants to keep DHCP from a program of this host, which reads and writes past netfilter.

DHCP clients and servers use packet sockets (packet(7)), which see a frame before any table and send without one (measured).
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.fates import REFUSALS
from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.net.protocols import UDP
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Match

_OWN = frozenset((Hook.INPUT, Hook.OUTPUT))
_DHCP = frozenset(((67, 67), (68, 68), (67, 68)))


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules of INPUT and OUTPUT that refuse DHCP and nothing else."""
    for verdict in REFUSALS:
        for standing, _ in survey.uses(verdict):
            hooks = survey.graph(standing.table).hooks[standing.chain.name]
            ports = standing.rule.match("udp") if standing.rule.protocol == UDP else None
            if hooks <= _OWN and ports is not None and _is_dhcp(ports):
                yield diagnose(
                    "packet-socket", "a DHCP program of this host does not notice: it uses packet sockets, which pass by",
                    standing.span, place=standing.place, help="stop the program, or filter with tc or nft at ingress",
                )  # fmt: skip


def _is_dhcp(ports: Match) -> bool:
    given = [item for item in ports.options.given if item.name in {"sport", "dport"}]
    return bool(given) and all(item.value in _DHCP and not item.negated for item in given)
