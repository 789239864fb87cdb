"""The engines by name: `docker@28.5` becomes the model of that engine and the release that it shall play.

An engine is a package with a module `engine`, imported when it is asked for, so that nobody pays for the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol, cast

from policyc.diagnostics import InputError, diagnose
from policyc.engines.releases import newest
from policyc.netfilter.ruleset import Ruleset
from policyc.source import Source

ENGINES: Mapping[str, str] = {
    "docker": "policyc.engines.docker.engine",
    "kube-proxy": "policyc.engines.kube_proxy.engine",
    "cni": "policyc.engines.cni.engine",
    "netavark": "policyc.engines.netavark.engine",
}
"""The module of each engine."""


class Engine(Protocol):
    """What a module of ENGINES offers: its known releases, oldest first, and what one of them installs."""

    RELEASES: tuple[str, ...]

    def preview(self, release: str, scenario: Mapping[str, Any], resolved: Mapping[str, Any] | None) -> Ruleset:
        """Return the rules after the scenario; `resolved` is what the engine drew, None where nobody knows.

        Raises InputError with all that is wrong with the scenario.
        """
        ...


def preview(name: str, scenario: Mapping[str, Any], resolved: Mapping[str, Any] | None = None) -> Ruleset:
    """Return what an engine, named `ENGINE` or `ENGINE@VERSION`, installs for a scenario.

    A version is a prefix of a release's numbers (`28`, `28.5`, `28.5.2`) and means the newest known release that has it; none
    means the newest. Raises InputError where there is no such engine or release, and for what is wrong with the scenario.
    """
    engine, release = engine_of(name)
    return engine.preview(release, scenario, resolved)


def engine_of(name: str) -> tuple[Engine, str]:
    """Return the model of an engine and the release that its name means. Raises InputError where there is none."""
    word, at, version = name.partition("@")
    where = Source("--engine", name).span(0, len(word))
    if word not in ENGINES:
        raise InputError(
            [diagnose("unknown-name", f"no engine `{word}`", where, help=f"there are {', '.join(ENGINES)}")]
        )
    engine = cast("Engine", import_module(ENGINES[word]))
    release = newest(version, engine.RELEASES) if at else engine.RELEASES[-1]
    if release is None:
        where = Source("--engine", name).span(len(word) + 1, len(name))
        known = f"known are {', '.join(engine.RELEASES)}; a prefix means the newest that has it"
        raise InputError([diagnose("unknown-name", f"no release `{version}` of {word} is known", where, help=known)])
    return engine, release
