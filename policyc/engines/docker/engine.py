"""The front of Docker's model: a release and a scenario in, the rules out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from policyc.diagnostics import Diagnostic
from policyc.engines.docker.daemon import Daemon
from policyc.engines.docker.scenario import Drawn, Scenario, Step
from policyc.engines.docker.scenario_file import read_drawn, read_scenario
from policyc.engines.docker.steps import carry_out
from policyc.engines.docker.versions import RELEASES, behaviour_of
from policyc.engines.given import Given
from policyc.netfilter.ruleset import Ruleset

__all__ = ["RELEASES", "play", "preview"]


def preview(release: str, scenario: Mapping[str, Any], resolved: Mapping[str, Any] | None) -> Ruleset:
    """Return the rules after a scenario in its JSON form. Raises InputError with all that is wrong."""
    found, notes = read_scenario(Given.json(scenario), behaviour_of(release))
    drawn = read_drawn(Given.json(resolved, name="resolved")) if resolved else Drawn()
    return with_notes(play(release, found, drawn).firewall.ruleset(), notes)


def play(release: str, scenario: Scenario, drawn: Drawn) -> Daemon:
    """Return the daemon as it is after a scenario. Raises InputError where it would refuse a part of it."""
    daemon = Daemon(behaviour_of(release), scenario.settings, scenario.host, drawn)
    carry_out(daemon, (Step(command) for command in scenario.host.commands))
    daemon.start()
    for network in scenario.networks:
        daemon.add_network(network)
    for container in scenario.containers:
        daemon.run(container)
    carry_out(daemon, scenario.steps)
    return daemon


def with_notes(ruleset: Ruleset, notes: list[Diagnostic]) -> Ruleset:
    """Return a ruleset with remarks on how it came about."""
    return replace(ruleset, notes=(*ruleset.notes, *notes))
