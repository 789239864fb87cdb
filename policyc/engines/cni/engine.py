"""The front of the CNI plugins' model: a release and calls in, the rules out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from policyc.diagnostics import Diagnostic
from policyc.engines.cni.runtime import Runtime
from policyc.engines.cni.scenario import Drawn, Scenario
from policyc.engines.cni.scenario_file import read_drawn, read_scenario
from policyc.engines.cni.versions import RELEASES, behaviour_of
from policyc.engines.given import Given
from policyc.engines.shell import run_on_tables
from policyc.netfilter.ruleset import Ruleset

__all__ = ["RELEASES", "installed", "play", "preview"]


def preview(release: str, scenario: Mapping[str, Any], resolved: Mapping[str, Any] | None) -> Ruleset:
    """Return the rules after calls in their JSON form. Raises InputError with all that is wrong."""
    found, notes = read_scenario(Given.json(scenario), behaviour_of(release))
    return installed(play(release, found, read_drawn(Given.json(resolved, name="resolved"))), notes)


def play(release: str, scenario: Scenario, drawn: Drawn) -> Runtime:
    """Return the host as it is after all calls. Raises InputError where a plugin would refuse one."""
    runtime = Runtime(behaviour_of(release), drawn)
    run_on_tables(runtime.tables, scenario.before)
    for operation in scenario.operations:
        runtime.call(operation)
    return runtime


def installed(runtime: Runtime, notes: Sequence[Diagnostic]) -> Ruleset:
    """Return what iptables has after the calls, with remarks."""
    return replace(runtime.tables.ruleset(), notes=tuple(notes))
