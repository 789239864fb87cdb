"""loopback-publish-reachable: a port that was published on 127.0.0.1 is translated for packets from the network too.

A neighbour sends a packet for 127.0.0.1 to this host's MAC address; nat PREROUTING translates it before routing could call it a
martian. Docker drops such packets in raw since 28.0 (measured; moby 49325).
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.published import LOOPBACK, Port, published, tested_ports
from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.net.addresses import Network
from policyc.net.protocols import format_protocol
from policyc.netfilter.hooks import Hook
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Table


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the ports on 127.0.0.1 that nothing guards."""
    raw = survey.ruleset.table(4, "raw")
    for port in published(survey, 4):
        if port.is_local and not _is_guarded(raw, port):
            name = f"{format_protocol(port.protocol)}/{port.port}"
            yield diagnose(
                "loopback-publish-reachable",
                f"neighbours on the network reach {name}, which is published on a loopback address",
                port.standing.span, place=port.standing.place,
                help="Docker 28 drops their packets; before, `iptables -t raw -I PREROUTING -d 127.0.0.0/8 ! -i lo -j DROP`",
            )  # fmt: skip


def _is_guarded(raw: Table | None, port: Port) -> bool:
    """Whether raw drops packets for the address that do not come from this host, in PREROUTING itself or a chain of ours."""
    for chain in raw.chains if raw is not None else ():
        if chain.name != Hook.OUTPUT.value and any(_guards(rule, port) for rule in chain.rules):
            return True
    return False


def _guards(rule: Rule, port: Port) -> bool:
    target, to, incoming = rule.target, rule.selector("-d"), rule.selector("-i")
    if target is None or target.name != "DROP" or to is None or not isinstance(to.value, Network):
        return False
    if to.negated or port.host is None or port.host.address not in to.value or to.value.address not in LOOPBACK[4]:
        return False
    if incoming is not None and incoming.negated is not (incoming.value == "lo"):
        return False
    ports = tested_ports(rule, 4)
    return ports is None or (port.port in ports and rule.protocol == port.protocol)
