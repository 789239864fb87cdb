"""The front of netavark's model: a release and calls in, the rules out, with either of its drivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from policyc.diagnostics import Diagnostic
from policyc.engines.given import Given
from policyc.engines.netavark.firewall import IptablesDriver
from policyc.engines.netavark.host import Host
from policyc.engines.netavark.nft_firewall import NftDriver
from policyc.engines.netavark.scenario import Scenario
from policyc.engines.netavark.scenario_file import read_scenario
from policyc.engines.netavark.versions import RELEASES, behaviour_of
from policyc.engines.shell import run_on_tables
from policyc.netfilter.ruleset import Ruleset

__all__ = ["RELEASES", "nftables_of", "play", "preview"]


def preview(release: str, scenario: Mapping[str, Any], resolved: Mapping[str, Any] | None) -> Ruleset:
    """Return what the iptables driver leaves after calls in their JSON form. Raises InputError with all that is wrong."""
    found, notes = read_scenario(Given.json(scenario), Given.json(resolved, name="resolved"), behaviour_of(release))
    return play(release, found, notes)


def play(release: str, scenario: Scenario, notes: Sequence[Diagnostic] = ()) -> Ruleset:
    """Return what the iptables driver leaves after all calls. Raises InputError where netavark would refuse one."""
    driver = IptablesDriver(behaviour_of(release))
    run_on_tables(driver.tables, scenario.before)
    host = Host(driver)
    for operation in scenario.operations:
        host.call(operation)
    return replace(driver.tables.ruleset(), notes=tuple(notes))


def nftables_of(scenario: Scenario) -> str:
    """Return what the nftables driver leaves, as `nft list ruleset` prints it. Raises InputError as `play` does."""
    driver = NftDriver()
    host = Host(driver)
    for operation in scenario.operations:
        host.call(operation)
    return driver.text()
