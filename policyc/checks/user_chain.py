"""host-port-in-docker-user, docker-user-drops-replies: rules in DOCKER-USER that do not do what they were written for.

FORWARD sees packets after the translation, so that their port is the container's; and it sees the answers to what containers
send, which come from anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.published import DOCKER_USER, Port, bridges, for_users, published, tested_ports
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.net.names import NameSet
from policyc.net.protocols import format_protocol
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Selector, Target
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Table

_DECIDES = {"ACCEPT", "DROP", "REJECT", "RETURN"}


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules in the chain for Docker's users, and behind it, that miss what they are about."""
    for table in survey.tables:
        chains = for_users(survey, table)
        if not chains:
            continue
        ports = published(survey, table.family)
        inside = bridges(survey)
        answers = _accepts_answers(table)
        for name, way in chains.items():
            chain = table.chain(name)
            assert chain is not None, "it was reached"
            for number, rule in enumerate(chain.rules, 1):
                standing = Standing(table, chain, number, rule)
                answers = answers or (not standing.is_foreign and _is_for_answers(rule))
                if standing.is_foreign or not rule.target or rule.target.name not in _DECIDES:
                    continue
                if not _concerns(way, rule, inside):
                    continue
                if (port := _host_port(rule, ports, table.family)) is not None:
                    yield _of_host_port(standing, port)
                elif not answers and _drops_others(rule, inside):
                    yield _of_answers(standing)


def _accepts_answers(table: Table) -> bool:
    """Whether FORWARD accepts answers before it asks DOCKER-USER."""
    forward = table.chain(Hook.FORWARD.value)
    for rule in forward.rules if forward is not None else ():
        if rule.target is not None and rule.target.chain == DOCKER_USER:
            return False
        if _is_for_answers(rule):
            return True
    return False


def _is_for_answers(rule: Rule) -> bool:
    state = rule.match("conntrack") or rule.match("state")
    target = rule.target
    return (
        state is not None and target is not None and target.name in {"ACCEPT", "RETURN"} and "ESTABLISHED" in state.text
        and "! --" not in state.text
    )  # fmt: skip


def _concerns(way: tuple[Selector, ...], rule: Rule, inside: frozenset[str]) -> bool:
    """Whether the rule may see packets from outside on their way to a container."""
    for test in (*way, *rule.selectors):
        if test.option in {"-i", "-o"} and isinstance(test.value, str):
            names = NameSet.interface(test.value)
            hit = {name for name in inside if (name in names) is not test.negated}
            if (test.option == "-o" and not hit) or (test.option == "-i" and not test.negated and hit):
                return False
    return True


def _host_port(rule: Rule, ports: tuple[Port, ...], family: int) -> Port | None:
    """Return the published port that a rule asks for where packets have the container's."""
    tested = tested_ports(rule, family)
    if tested is None or "--ctorigdst" in rule.text:
        return None
    same = [one for one in ports if one.protocol == rule.protocol]
    if any(one.inner in tested for one in same):
        return None
    return next((one for one in same if one.port in tested), None)


def _of_host_port(standing: Standing, port: Port) -> Diagnostic:
    name = format_protocol(port.protocol)
    return diagnose(
        "host-port-in-docker-user",
        f"the rule does not see what is for the published {name}/{port.port}: it has the container's port {port.inner} here",
        standing.span, place=standing.place, related=(port.standing.related("it is translated here"),),
        help=f"test the port that was asked for: `-m conntrack --ctorigdstport {port.port} --ctdir ORIGINAL`; "
        f"in a policy, `published {name}/{port.port}`",
    )  # fmt: skip


def _drops_others(rule: Rule, inside: frozenset[str]) -> bool:
    """Whether a rule drops everything that does not come from some address, answers to containers among it."""
    target = rule.target
    if target is None or target.name not in {"DROP", "REJECT"}:
        return False
    source = rule.selector("-s")
    if source is None or not source.negated:
        return False
    for part in rule.parts:
        if isinstance(part, Target) or part.text.startswith(("-s ", "! -s ", "-m comment ", "-o ", "-d ", "-p ")):
            continue
        if isinstance(part, Selector) and part.option == "-i" and (part.negated or part.value not in inside):
            continue
        return False
    return True


def _of_answers(standing: Standing) -> Diagnostic:
    return diagnose(
        "docker-user-drops-replies",
        "the rule drops the answers to what containers send: they come from other addresses, and nothing accepts them before",
        standing.span, place=standing.place,
        help="accept ESTABLISHED and RELATED packets above it, or let it test `--ctstate NEW`",
    )  # fmt: skip
