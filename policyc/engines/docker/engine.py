"""The front of Docker's model: a release and a scenario in, the rules out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from policyc.diagnostics import Diagnostic, diagnose
from policyc.engines.docker.daemon import Daemon
from policyc.engines.docker.host import host_of
from policyc.engines.docker.live import LiveNetwork
from policyc.engines.docker.nft_firewall import NftFirewall
from policyc.engines.docker.scenario import Drawn, Scenario
from policyc.engines.docker.scenario_file import read_drawn, read_scenario
from policyc.engines.docker.steps import carry_out
from policyc.engines.docker.versions import RELEASES, behaviour_of
from policyc.engines.given import Given
from policyc.netfilter.ruleset import Ruleset
from policyc.source import Source

__all__ = ["RELEASES", "installed", "nftables_of", "play", "preview"]


def preview(release: str, scenario: Mapping[str, Any], resolved: Mapping[str, Any] | None) -> Ruleset:
    """Return the rules after a scenario in its JSON form. Raises InputError with all that is wrong."""
    found, notes = read_scenario(Given.json(scenario), behaviour_of(release))
    return installed(play(release, found, read_drawn(Given.json(resolved, name="resolved"))), notes)


def play(release: str, scenario: Scenario, drawn: Drawn, before: Ruleset | None = None) -> Daemon:
    """Return the daemon as it is after a scenario; `before` are the rules that the host has, a running daemon's among them.

    Raises InputError where the daemon would refuse a part of the scenario.
    """
    daemon = Daemon(behaviour_of(release), scenario.settings, scenario.host, drawn, before)
    carry_out(daemon, scenario.host.commands)
    daemon.start()
    for network in scenario.networks:
        daemon.add_network(network)
    for container in scenario.containers:
        daemon.run(container)
    carry_out(daemon, scenario.steps)
    return daemon


def installed(daemon: Daemon, notes: Iterable[Diagnostic]) -> Ruleset:
    """Return what a daemon has installed and on which host, with remarks on what stands in for names that it draws."""
    drawn = [_stand_in(network) for network in daemon.networks.values() if network.is_drawn]
    return replace(daemon.firewall.ruleset(), notes=(*notes, *daemon.remarks, *drawn), host=host_of(daemon))


def nftables_of(daemon: Daemon) -> str:
    """Return the tables of the nftables backend as `nft list ruleset` prints them, "" where iptables is used."""
    return daemon.firewall.text() if isinstance(daemon.firewall, NftFirewall) else ""


def _stand_in(network: LiveNetwork) -> Diagnostic:
    assert network.bridge is not None, "only bridges have interfaces"
    message = (
        f"the bridge of `{network.config.name}` is drawn by the engine; `{network.bridge.interface}` stands in for it"
    )
    hint = "name it: `com.docker.network.bridge.name`"
    where = network.config.span or Source("scenario", network.config.name).span(0, len(network.config.name))
    return diagnose("drawn-by-engine", message, where, help=hint)
