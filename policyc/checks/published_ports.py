"""published-port-bypasses-input, bans-miss-containers: INPUT never sees what is translated to a container.

nat PREROUTING stands before routing: a published port's packets are forwarded. Said of rules that drop a published port, and
of jumps to chains of bans for such a port; ports on loopback addresses, and rules for `lo` or a bridge, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.published import Port, bridges, published, tested_ports
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.net.protocols import format_protocol
from policyc.netfilter.hooks import Hook
from policyc.netfilter.owners import owner_of
from policyc.netfilter.ruleset import Table

_BANS = {"fail2ban"}


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules of INPUT that are about a published port."""
    for table in survey.tables:
        ports = [one for one in published(survey, table.family) if not one.is_local] if table.name == "filter" else []
        if not ports:
            continue
        inside = bridges(survey) | {"lo"}
        hooks = survey.graph(table).hooks
        for chain in table.chains:
            for number, rule in enumerate(chain.rules if hooks[chain.name] == {Hook.INPUT} else (), 1):
                standing = Standing(table, chain, number, rule)
                incoming = rule.selector("-i")
                if standing.is_foreign or (incoming and not incoming.negated and incoming.value in inside):
                    continue
                if (port := _meant(standing, ports)) is not None:
                    yield from _finding(survey, standing, port)


def _meant(standing: Standing, ports: list[Port]) -> Port | None:
    rule, family = standing.rule, standing.table.family
    tested = tested_ports(rule, family)
    if tested is None or rule.protocol is None:
        return None
    near = (one for one in ports if one.protocol == rule.protocol and one.port in tested)
    return next((one for one in near if one.port != one.inner or one.host is None), None)


def _finding(survey: Survey, standing: Standing, port: Port) -> Iterator[Diagnostic]:
    target = standing.rule.target
    if target is None:
        return
    name = f"{format_protocol(port.protocol)}/{port.port}"
    reason = (port.standing.related(f"{name} becomes port {port.inner} of a container here, before INPUT"),)
    if target.name in {"DROP", "REJECT"}:
        yield diagnose(
            "published-port-bypasses-input",
            f"the rule does not close {name}: its packets are translated to a container and never come to INPUT",
            standing.span, place=standing.place, related=reason,
            help="filter them in DOCKER-USER by `-m conntrack --ctorigdstport`; in a policy, `accept published …`",
        )  # fmt: skip
    elif owner_of(target.chain) in _BANS and not _is_forwarded(survey, standing.table, target.chain):
        yield diagnose(
            "bans-miss-containers",
            f"`{target.chain}` bans nobody from {name}: its packets are translated to a container and never come to INPUT",
            standing.span, place=standing.place, related=reason,
            help="let the jail use the chain DOCKER-USER (`chain = DOCKER-USER` in fail2ban's jail)",
        )  # fmt: skip


def _is_forwarded(survey: Survey, table: Table, chain: str) -> bool:
    return Hook.FORWARD in survey.graph(table).hooks.get(chain, frozenset())
