"""What the checks about containers look at: the ports that engines publish, as the rules of nat say, and their bridges.

An engine's rules are told by the owner that a preview gives them, or by the names of its chains. Part of `checks`.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Standing, Survey
from policyc.frozen import frozen
from policyc.net.addresses import Network, parse_network
from policyc.net.intervals import IntervalSet
from policyc.netfilter import fields
from policyc.netfilter.effect import Rewrite
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Selector
from policyc.netfilter.predicate import All, In, Predicate
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Table

DOCKER_USER = "DOCKER-USER"
LOOPBACK = {4: parse_network("127.0.0.0/8", 4), 6: parse_network("::1", 6)}


@frozen
class Port:
    """A published port: what clients ask for (`host` None: any address) and what it becomes; the rule that translates it."""

    family: int
    protocol: int
    host: Network | None
    port: int
    inner: int
    standing: Standing

    @property
    def is_local(self) -> bool:
        """Whether it is published on a loopback address."""
        return self.host is not None and self.host.address in LOOPBACK[self.family]


def published(survey: Survey, family: int) -> tuple[Port, ...]:
    """Return the ports that engines publish in one family, in the order of their rules."""
    found = survey.published.get(family)
    if found is None:
        table = survey.ruleset.table(family, "nat")
        found = survey.published[family] = () if table is None else tuple(_published(survey, table))
    return found


def _published(survey: Survey, table: Table) -> Iterator[Port]:
    hooks = survey.graph(table).hooks
    for chain in table.chains:
        if Hook.PREROUTING not in hooks[chain.name]:
            continue
        translating = {key for key, part in survey.parts(chain).items() if part.text.startswith("-j DNAT ")}
        for standing, _ in survey.having(table, chain, translating) if translating else ():
            if standing.is_foreign:
                yield from _ports(standing, table.family)


def _ports(standing: Standing, family: int) -> Iterator[Port]:
    rule = standing.rule
    if not any("--dport" in part.text for part in rule.parts):
        return  # nobody asks it for one port: a Service's endpoint
    assert rule.target is not None, "the rule translates"
    effects = [one for one in rule.target.effects(rule.around(family)) if isinstance(one, Rewrite)]
    ports, protocol = tested_ports(rule, family), rule.protocol
    host = rule.selector("-d")
    if ports is None or protocol is None or not effects:
        return
    inner = effects[0].ports.spans[0][0] if effects[0].ports else None
    for first, last in ports.spans:
        for port in range(first, last + 1):
            found = host.value if host is not None and isinstance(host.value, Network) else None
            yield Port(family, protocol, found, port, port if inner is None else inner, standing)


def tested_ports(rule: Rule, family: int) -> IntervalSet | None:
    """Return the destination ports that a rule asks for, None where it does not look at them."""
    for atom in _atoms(rule.predicate(family)):
        if isinstance(atom, In) and atom.field is fields.DPORT and isinstance(atom.values, IntervalSet):
            return atom.values
    return None


def _atoms(predicate: Predicate) -> tuple[Predicate, ...]:
    return predicate.parts if isinstance(predicate, All) else (predicate,)


def bridges(survey: Survey) -> frozenset[str]:
    """Return the interfaces that engines' rules in nat take for bridges of containers."""
    intent = survey.ruleset.intent
    found = {name for bridge in (intent.bridges if intent else ()) for name in bridge.interfaces}
    for table, chain in survey.chains:
        if table.name != "nat":
            continue
        inner = {key for key, part in survey.parts(chain).items() if part.text.startswith(("! -i ", "! -o "))}
        for standing, part in survey.having(table, chain, inner) if inner else ():
            masquerades = chain.name == Hook.POSTROUTING.value and standing.rule.target is not None
            if isinstance(part, Selector) and (standing.is_foreign or masquerades):
                found.add(str(part.value))
    return frozenset(found)


def for_users(survey: Survey, table: Table) -> dict[str, tuple[Selector, ...]]:
    """Return the chains that DOCKER-USER leads to, itself included, each with the tests of interfaces on one way there."""
    graph = survey.graph(table)
    if table.name != "filter" or table.chain(DOCKER_USER) is None:
        return {}
    found: dict[str, tuple[Selector, ...]] = {DOCKER_USER: ()}
    waiting = [DOCKER_USER]
    while waiting:
        caller = waiting.pop()
        for jump in graph.calls[caller]:
            if jump.callee not in found and table.chain(jump.callee) is not None:
                tests = tuple(part for part in jump.rule.selectors if part.option in {"-i", "-o"})
                found[jump.callee] = (*found[caller], *tests)
                waiting.append(jump.callee)
    return found
