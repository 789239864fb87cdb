"""The front of kube-proxy's model: a release and a scenario in, the rules out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from policyc.diagnostics import Diagnostic
from policyc.engines.given import Given
from policyc.engines.kube_proxy.flags import read_flags
from policyc.engines.kube_proxy.machine import Machine
from policyc.engines.kube_proxy.manifests import read_manifests
from policyc.engines.kube_proxy.proxy import Proxy
from policyc.engines.kube_proxy.scenario import Scenario
from policyc.engines.kube_proxy.scenario_file import read_scenario
from policyc.engines.kube_proxy.versions import RELEASES, behaviour_of, gated
from policyc.netfilter.ruleset import Ruleset
from policyc.source import Source

__all__ = ["RELEASES", "play", "preview", "preview_json", "preview_manifests"]


def preview(release: str, scenario: Mapping[str, Any], resolved: Mapping[str, Any] | None) -> Ruleset:
    """Return the rules for a scenario in its JSON form. Raises InputError with all that is wrong.

    `resolved["order"]` are names of Services, `namespace/name`, in the order in which kube-proxy came to them.
    """
    return preview_json(release, Given.json(scenario), Given.json(resolved, name="resolved"))


def preview_json(release: str, scenario: Given, resolved: Given) -> Ruleset:
    """Return the rules for a scenario that was read with its places. Raises InputError with all that is wrong."""
    found, notes = read_scenario(scenario, release, behaviour_of(release))
    return _installed(release, found, notes, resolved)


def preview_manifests(release: str, words: Given, read: Callable[[str], Source], resolved: Given) -> Ruleset:
    """Return the rules for Kubernetes YAML: `words` are kube-proxy's flags and the names of files, which `read` reads.

    Raises InputError with all that is wrong.
    """
    settings, notes, files = read_flags(words, release, behaviour_of(release))
    words.document.settle()  # behind a flag that is not known, nobody can tell a file from its value
    found, drawn = read_manifests([read(file.text()) for file in files], settings, words, resolved)
    return _installed(release, found, [*notes, *drawn], resolved)


def _installed(release: str, scenario: Scenario, notes: Sequence[Diagnostic], resolved: Given) -> Ruleset:
    order = resolved.at("order").texts()
    resolved.document.settle()
    ruleset = play(release, in_order(scenario, order))
    return replace(ruleset, notes=(*ruleset.notes, *notes))


def in_order(scenario: Scenario, order: Sequence[str]) -> Scenario:
    """Return a scenario with its Services in an order; those that it does not name come behind, as they were."""
    places = {name: number for number, name in enumerate(order)}
    services = sorted(scenario.services, key=lambda each: places.get(f"{each.namespace}/{each.name}", len(places)))
    return replace(scenario, services=tuple(services))


def play(release: str, scenario: Scenario) -> Ruleset:
    """Return the rules on a node after kube-proxy's first sync. Raises InputError where an earlier command is refused."""
    how = behaviour_of(release)
    for gate, on in scenario.settings.gates.items():
        how = gated(how, gate, on=on)
    machine = Machine(scenario.addresses)
    for step in scenario.steps:
        machine.run(step)
    for family in (4, 6):
        Proxy(machine, scenario, how, family).sync()
    return machine.tables.ruleset()
