"""A scenario of a container engine, previewed and asked for its entry paths at once. Part of `explanation`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyc.engines.docker.engine import installed, play
from policyc.engines.docker.host import surroundings_of
from policyc.engines.docker.scenario_file import read_drawn, read_scenario
from policyc.engines.docker.versions import behaviour_of
from policyc.engines.given import Given
from policyc.engines.preview import engine_of
from policyc.explanation.connecting import World
from policyc.explanation.entry_paths import PublishedPort, entry_paths
from policyc.readers.files import refusal


def entry_paths_of(
    engine: str, scenario: Mapping[str, Any], resolved: Mapping[str, Any] | None
) -> tuple[PublishedPort, ...]:
    """Return the published ports of a scenario of Docker in its JSON form. Raises InputError with all that is wrong."""
    _, release = engine_of(engine)
    if engine.partition("@")[0] != "docker":
        raise refusal(engine, f"entry paths are known of docker, not of `{engine}`")
    found, notes = read_scenario(Given.json(scenario), behaviour_of(release))
    daemon = play(release, found, read_drawn(Given.json(resolved, name="resolved")))
    if daemon.settings.backend == "nftables":
        raise refusal(engine, "entry paths are followed through rules of iptables; this daemon uses nftables")
    ruleset = installed(daemon, notes)
    assert ruleset.host is not None, "a preview of Docker has its host"
    return entry_paths(World(ruleset, ruleset.host, surroundings_of(daemon)))
