"""From the syntax tree of a policy file to the resolved policy: what stands between `language` and `lowering`.

All errors are found in one run: a statement with an error is left out, the others are looked at as if it were sound.
"""

from __future__ import annotations

from collections.abc import Sequence

from policyc.collector import resting_collector
from policyc.diagnostics import Diagnostic, Severity
from policyc.language import definitions as d
from policyc.language import tree as t
from policyc.language.packet import TestBlock
from policyc.netfilter.tested import PacketTest
from policyc.policy.blocks import Blocks
from policyc.policy.calls import Calls, check_parameters
from policyc.policy.containers import resolve_containers
from policyc.policy.definitions import Definitions, resolve_definitions
from policyc.policy.effects import EffectReader
from policyc.policy.endpoints import Endpoints
from policyc.policy.findings import Findings
from policyc.policy.gather import Gatherer, IncludeReader, read_beside
from policyc.policy.header import Header, resolve_header
from policyc.policy.identity import Identities
from policyc.policy.intents import Intents
from policyc.policy.matches import Matches
from policyc.policy.model import Item, Policy, Proof
from policyc.policy.namespace import Names
from policyc.policy.places import Places
from policyc.policy.proofs import Proofs
from policyc.policy.rule_names import RuleNames
from policyc.policy.rules import Rules
from policyc.policy.sysctls import resolve_sysctls
from policyc.policy.tested import TestedNames
from policyc.policy.translated import Translated


def resolve(file: t.File, include: IncludeReader = read_beside) -> tuple[Policy | None, list[Diagnostic]]:
    """Return the policy of a file and what is wrong with it, in order of place; no policy where something is an error.

    `include` reads the files that it includes; what is wrong with their text is reported too.
    """
    with resting_collector(keep=True):
        findings = Findings()
        policy = _resolve(file, include, findings)
    found = sorted(findings.found, key=lambda one: one.sort_key)
    return (None if any(one.severity is Severity.ERROR for one in found) else policy), found


def _resolve(file: t.File, include: IncludeReader, findings: Findings) -> Policy:
    gatherer = Gatherer(include, findings)
    gatherer.take(file)
    statements = gatherer.statements
    headers = [statement for statement in statements if isinstance(statement, t.PolicyBlock)]
    header = resolve_header(headers, file.source, findings)
    names, order = _names(statements, findings)
    beside = resolve_containers(statements, names, include, findings)
    definitions = resolve_definitions(names, findings, header.families, beside)
    items, tests, proofs = _items(statements, definitions, header, order, findings)
    sysctls = resolve_sysctls([one for one in statements if isinstance(one, t.Require)], findings)
    return Policy(
        header.name,
        header.families,
        header.exclusive,
        header.place_last,
        header.defaults,
        tuple(definitions.zones.values()),
        tuple(definitions.sets.values()),
        tuple(definitions.limits.values()),
        tuple(definitions.logs.values()),
        tuple(definitions.schedules.values()),
        items,
        sysctls,
        tests,
        proofs,
        definitions.addresses.names_of_addresses(),
        beside.foreign,
        header.span,
        tuple(gatherer.suppressions),
    )


def _names(statements: Sequence[t.Statement], findings: Findings) -> tuple[Names, dict[str, int]]:
    """Return the name space, and the number of each `define` in written order."""
    names = Names(findings)
    order: dict[str, int] = {}
    for statement in statements:
        if isinstance(statement, d.Definition | t.Define | t.Broken):
            names.add(statement)
        if isinstance(statement, t.Define):
            order.setdefault(statement.name.text, len(order))
        elif isinstance(statement, t.DockerBlock):
            for line in statement.lines:
                if isinstance(line, t.EngineObject):
                    names.add(line)
    return names, order


def _items(
    statements: Sequence[t.Statement],
    definitions: Definitions,
    header: Header,
    order: dict[str, int],
    findings: Findings,
) -> tuple[tuple[Item, ...], tuple[PacketTest, ...], tuple[Proof, ...]]:
    """Return the items, the packets of tests and their proofs."""
    names, services = definitions.names, definitions.services
    matches = Matches(definitions, findings)
    endpoints = Endpoints(definitions.addresses, findings)
    identities = Identities(findings)
    effects = EffectReader(matches, endpoints, findings)
    rules = Rules(services, matches, endpoints, effects, identities, findings, header.families)
    places = Places(definitions, findings, header.families)
    calls = Calls(names, services, findings, order)
    blocks = Blocks(places, calls, rules, findings)
    translated = Translated(definitions.addresses.beside, findings)
    intents = Intents(places, services, matches, endpoints, identities, findings, header.families, translated)
    found: list[Item | None] = []
    for statement in statements:
        match statement:
            case t.RuleBlock():
                found.append(blocks.resolve(statement))
            case t.Intent() | t.Netmap() | t.Clamp():
                found.append(intents.resolve(statement))
            case t.Define():
                check_parameters(statement, names, findings)
            case _:
                pass
    findings.calls = ()
    defines = [statement for statement in statements if isinstance(statement, t.Define)]
    for define in reversed(defines):
        if define.name.text not in calls.used:
            blocks.alone(define)
    known = RuleNames(identities, findings, defines)
    proofs = Proofs(places, services, matches, known, findings)
    tested = TestedNames(places, services, matches, endpoints, known, proofs, findings)
    tests, proved = tested.resolve(one for one in statements if isinstance(one, TestBlock))
    return tuple(item for item in found if item), tests, proved
