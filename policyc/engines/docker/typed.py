"""A command line as a scenario: `docker run -p 8080:80 …`, `docker network create …`, on a host where Docker just started."""

from __future__ import annotations

from collections.abc import Sequence

from policyc.diagnostics import Diagnostic, InputError, diagnose
from policyc.engines.docker.scenario import Container, Network, Scenario
from policyc.engines.docker.words import Typed, read_network, read_run, typed

_ALWAYS_THERE = {"bridge", "host", "none"}


def read_command(words: Sequence[str]) -> tuple[Scenario, list[Diagnostic]]:
    """Return the scenario of the words of a docker command and remarks on it, without the word `docker`.

    A network that is named and not made is taken for a bridge without options. Raises InputError with all that is wrong.
    """
    line = typed(("docker", *words))[1:]
    if [word.text for word in line[:1]] == ["container"]:
        line = line[1:]
    match [word.text for word in line[:2]]:
        case ["network", "create"]:
            network, problems = read_network(line[2:])
            _settle(problems)
            return Scenario(networks=(network,)), []
        case [("run" | "create"), *_]:
            return _run(line[1:])
    known = "known are `docker run …`, `docker network create …` and the file of a scenario"
    place = line[0] if line else typed(["docker"])[0]
    raise InputError(
        [
            diagnose(
                "unreadable-line", f"`{place.text}` is no command of docker that makes rules", place.span, help=known
            )
        ]
    )


def _run(words: Sequence[Typed]) -> tuple[Scenario, list[Diagnostic]]:
    container, problems = read_run(words)
    _settle(problems)
    notes: list[Diagnostic] = []
    networks: list[Network] = []
    for name in container.networks:
        if name in _ALWAYS_THERE or name.startswith("container:"):
            continue
        where = next(word.span for word in words if name in word.text)
        networks.append(Network(name, span=where))
        message = f"the network `{name}` is made elsewhere; it is previewed as a bridge without options"
        notes.append(diagnose("drawn-by-engine", message, where))
    others = [other for other, _ in container.links]
    others += [name.partition(":")[2] for name in container.networks if name.startswith("container:")]
    return Scenario(networks=tuple(networks), containers=(*map(Container, dict.fromkeys(others)), container)), notes


def _settle(problems: list[Diagnostic]) -> None:
    if problems:
        raise InputError(problems)
