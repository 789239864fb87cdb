"""The front of kube-proxy's model: a release and a scenario in, the rules out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from policyc.engines.given import Given
from policyc.engines.kube_proxy.machine import Machine
from policyc.engines.kube_proxy.proxy import Proxy
from policyc.engines.kube_proxy.scenario import Scenario
from policyc.engines.kube_proxy.scenario_file import read_scenario
from policyc.engines.kube_proxy.versions import RELEASES, behaviour_of, gated
from policyc.netfilter.ruleset import Ruleset

__all__ = ["RELEASES", "play", "preview"]


def preview(release: str, scenario: Mapping[str, Any], resolved: Mapping[str, Any] | None) -> Ruleset:
    """Return the rules for a scenario in its JSON form. Raises InputError with all that is wrong.

    `resolved["order"]` are names of Services, `namespace/name`, in the order in which kube-proxy came to them.
    """
    found, notes = read_scenario(Given.json(scenario), release, behaviour_of(release))
    if resolved:
        given = Given.json(resolved, name="resolved")
        order = given.at("order").texts()
        given.document.settle()
        found = in_order(found, order)
    ruleset = play(release, found)
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
