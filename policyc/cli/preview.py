"""`policyc preview`: the rules that a container engine will install, before it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from policyc.cli.exit import Exit
from policyc.cli.options import NotAskedError
from policyc.cli.output import emit, style_for, tell, tell_raw
from policyc.diagnostics import Diagnostic
from policyc.frozen import frozen
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.files import STANDARD_INPUT, read_file, text_of
from policyc.source import Source

if TYPE_CHECKING:
    from policyc.engines.docker.scenario import Scenario
    from policyc.engines.given import Given
    from policyc.engines.surroundings import Surroundings
    from policyc.host.host import Host

FORMATS = ("iptables-save", "ipset", "nft")
_USAGE = (
    "say what: `docker run …`, `docker network create …`, `docker SCENARIO.json`, `docker SESSION.sh`, `compose FILE`, "
    "`kubernetes FILE… [flags of kube-proxy]`, `cni FILE`, `podman FILE`"
)


@frozen
class Installed:
    """What an engine installs: the rules of iptables, and its own tables of nftables as text, "" where it has none.

    `remark` is for people who ask for the rules: which of the two the engine really uses, where both are shown. `around` is
    what stands around the host, `modes` the containers by the mode of their networks; None where the engine does not say.
    """

    ruleset: Ruleset
    nft: str = ""
    remark: str = ""
    around: Surroundings | None = None
    modes: Mapping[str, tuple[str, ...]] | None = None


@frozen
class Question:
    """What is asked: the words behind the first, the engine as `name@version`, "" for the newest, and what else was said.

    `host` is where the engine runs, `before` are the rules that stand there already; None where nobody said.
    """

    words: tuple[str, ...]
    engine: str
    resolved: Source | None
    profiles: tuple[str, ...]
    values: dict[str, str]
    project: str
    host: Host | None = None
    before: Ruleset | None = None

    def release(self, engine: str) -> str:
        """Return the release that is asked for, of the engine that the form is about. Raises InputError."""
        from policyc.engines.preview import engine_of

        name = self.engine or engine
        if name.partition("@")[0] != engine:
            raise click.UsageError(f"this is a preview of {engine}, not of `{name}`")
        return engine_of(name)[1]

    def drawn(self) -> Given:
        """Return what the engine drew, nothing where nobody knows. Raises InputError where the file is no JSON."""
        from policyc.engines.given import Given
        from policyc.readers.json_places import read_json

        if self.resolved is None:
            return Given.json(None)
        return Given.json(read_json(self.resolved), self.resolved)


@click.command("preview", context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--engine", default="", metavar="NAME@VERSION", help="The engine and its release: docker@28.5, docker@29."
)
@click.option("--family", type=click.Choice(("4", "6")), help="One family alone; both otherwise.")
@click.option(
    "--format",
    "form",
    type=click.Choice((*FORMATS, "json")),
    help="The rules, or the sets they ask; json for --explain and --diff.",
)
@click.option("--explain", "explained", is_flag=True, help="From where each published port is reached, and as whom.")
@click.option(
    "--diff",
    "sources",
    multiple=True,
    metavar="SOURCE",
    help="What will change on a host: its snapshot, dumps, or live.",
)
@click.option(
    "--on",
    "there",
    multiple=True,
    metavar="SOURCE",
    help="The rules that the host has already: dumps, a snapshot, live.",
)
@click.option("--host", "host_file", metavar="FILE", help="The host it runs on: a snapshot, or a topology as JSON.")
@click.option("--resolved", metavar="FILE", help="JSON of what the engine drew: names of bridges, addresses, ports.")
@click.option("--profile", "profiles", multiple=True, metavar="NAME", help="compose: services of a profile too.")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="compose: the value of a variable.")
@click.option("--project", default="", metavar="NAME", help="compose: the project, whose name is part of all others.")
@click.option("--output", metavar="FILE", help="A file instead of standard output, written as a whole or not at all.")
def command(
    *,
    words: tuple[str, ...],
    engine: str,
    family: str | None,
    form: str | None,
    explained: bool,
    sources: tuple[str, ...],
    there: tuple[str, ...],
    host_file: str | None,
    resolved: str | None,
    profiles: tuple[str, ...],
    values: tuple[str, ...],
    project: str,
    output: str | None,
) -> int:
    """Print the rules that an engine will install: `policyc preview docker run -p 8080:80 nginx --family 4`.

    WORDS are a command of docker, the file of a scenario (`docker SCENARIO.json`) or of a shell session (`docker
    SESSION.sh`), `compose FILE`,
    `kubernetes FILE…` and flags of kube-proxy (a file has what `kubectl get services,endpointslices,nodes -o yaml` prints),
    `cni FILE` (a conflist), or `podman FILE` (networks and containers).
    """
    if not words or words[0] not in FORMS:
        raise click.UsageError(_USAGE)
    from policyc.cli.preview_answer import Wanted, answer_to, asked_for, host_and_rules

    wanted = Wanted(explained, bool(sources), form, family)
    asked_for(wanted, words[0], on_host=bool(there or host_file))
    if there and sources:
        raise click.UsageError("--diff names the rules that are there already: leave --on out")
    known = read_file(Path(resolved)) if resolved else None
    host, before = host_and_rules(host_file, there or sources)
    question = Question(words[1:], engine, known, profiles, _values(values), project, host, before)
    answer = FORMS[words[0]](question)
    ruleset = answer.ruleset
    if ruleset.notes:
        import sys

        from policyc.report.full import findings

        tell_raw(findings(ruleset.notes, style_for(sys.stderr, "auto")))
    if wanted.is_question:
        text, code = answer_to(wanted, answer, before)
        emit(text, output)
        return code
    if answer.remark and form != "nft":
        tell(answer.remark)
    emit(answer.nft if form == "nft" else _text(ruleset, family, form), output)
    return Exit.FINE


def _text(ruleset: Ruleset, family: str | None, form: str | None) -> str:
    if form == "ipset":
        from policyc.writers.ipset import ipset_restore

        return ipset_restore(ruleset)
    from policyc.writers.save import iptables_save

    if family is not None:
        return iptables_save(ruleset, int(family))
    names = {4: "iptables-save", 6: "ip6tables-save"}
    return "".join(f"# {names[each]}\n{iptables_save(ruleset, each)}" for each in ruleset.families)


def _values(given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in given:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--set takes NAME=VALUE, not `{word}`")
        found[name] = value
    return found


def _docker(question: Question) -> Installed:
    from policyc.engines.docker.scenario_file import read_scenario
    from policyc.engines.docker.session import read_session
    from policyc.engines.docker.typed import read_command
    from policyc.engines.docker.versions import behaviour_of
    from policyc.engines.given import Given
    from policyc.readers.json_places import read_json

    release = question.release("docker")
    if len(question.words) == 1 and Path(question.words[0]).suffix == ".sh":
        scenario, notes = read_session(_source(question.words[0]), behaviour_of(release))
    elif len(question.words) == 1 and (question.words[0] == "-" or Path(question.words[0]).suffix == ".json"):
        source = _source(question.words[0])
        scenario, notes = read_scenario(Given.json(read_json(source), source), behaviour_of(release))
    else:
        scenario, notes = read_command(question.words)
    return _played(question, release, scenario, notes)


def _compose(question: Question) -> Installed:
    from policyc.engines.docker.compose import read_compose
    from policyc.engines.docker.compose_project import project_of

    if len(question.words) != 1:
        raise click.UsageError("`preview compose` takes one FILE")
    release = question.release("docker")
    path = Path(question.words[0])
    project = question.project or project_of(path)
    values = {**_environment(path.parent / ".env"), **question.values}
    scenario, notes = read_compose(_source(question.words[0]), project, question.profiles, values)
    return _played(question, release, scenario, notes)


def _played(question: Question, release: str, scenario: Scenario, notes: list[Diagnostic]) -> Installed:
    from policyc.engines.docker.engine import installed, nftables_of, play
    from policyc.engines.docker.host import surroundings_of
    from policyc.engines.docker.network_modes import modes_of
    from policyc.engines.docker.running import described, running_in
    from policyc.engines.docker.scenario_file import read_drawn

    before = question.before
    if question.host is not None:
        host = described(question.host, None if before is None else running_in(before))
        scenario = replace(scenario, host=replace(host, commands=scenario.host.commands))
    daemon = play(release, scenario, read_drawn(question.drawn()), before)
    return Installed(
        installed(daemon, notes), nftables_of(daemon), around=surroundings_of(daemon), modes=modes_of(daemon)
    )


def _kubernetes(question: Question) -> Installed:
    from policyc.engines.given import Given
    from policyc.engines.kube_proxy.engine import preview_json, preview_manifests
    from policyc.readers.json_places import read_json

    release, words = question.release("kube-proxy"), question.words
    if len(words) == 1 and Path(words[0]).suffix == ".json":
        source = _source(words[0])
        value = read_json(source)
        if isinstance(value, dict) and "kind" not in value:
            return Installed(preview_json(release, Given.json(value, source), question.drawn()))
    flags = Given.json(list(words), name="kube-proxy")
    return Installed(preview_manifests(release, flags, _source, question.drawn()))


def _cni(question: Question) -> Installed:
    from policyc.engines.cni.engine import installed, play
    from policyc.engines.cni.scenario_file import read_drawn, read_network, read_scenario
    from policyc.engines.cni.versions import behaviour_of

    release, given, drawn = question.release("cni"), _only_file(question, "cni"), question.drawn()
    how = behaviour_of(release)
    scenario, notes = read_scenario(given, how) if "operations" in given else read_network(given, drawn, how)
    runtime = play(release, scenario, read_drawn(drawn))
    nft = runtime.nft.text()
    remark = "some plugins use nftables: `--format nft` prints what they install there" if nft else ""
    return Installed(installed(runtime, notes), nft, remark)


def _podman(question: Question) -> Installed:
    from policyc.engines.netavark.engine import nftables_of, play
    from policyc.engines.netavark.podman_file import read_podman
    from policyc.engines.netavark.scenario_file import read_scenario
    from policyc.engines.netavark.versions import behaviour_of

    release, given = question.release("netavark"), _only_file(question, "podman")
    read, how = read_scenario if "operations" in given else read_podman, behaviour_of(release)
    scenario, notes = read(given, question.drawn(), how)
    ruleset = play(release, scenario, notes)
    if how.default_driver == "iptables":
        return Installed(ruleset)
    remark = f'netavark {release} uses {how.default_driver} unless containers.conf has firewall_driver = "iptables", '
    return Installed(ruleset, nftables_of(scenario), f"{remark}which has these rules; the others: `--format nft`")


def _only_file(question: Question, form: str) -> Given:
    from policyc.engines.given import Given
    from policyc.readers.json_places import read_json

    if len(question.words) != 1:
        raise click.UsageError(f"`preview {form}` takes one FILE")
    source = _source(question.words[0])
    return Given.json(read_json(source), source)


def _source(name: str) -> Source:
    if name != "-":
        return read_file(Path(name))
    import sys

    return text_of(sys.stdin.buffer.read(), STANDARD_INPUT)


def _environment(path: Path) -> dict[str, str]:
    """Return the variables of the file `.env` beside a compose file, none where there is no such file."""
    from policyc.engines.docker.compose_project import variables_of

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise NotAskedError(f"`{path}` cannot be read: {error}") from None
    return variables_of(lines)


FORMS: dict[str, Callable[[Question], Installed]] = {
    "docker": _docker,
    "compose": _compose,
    "kubernetes": _kubernetes,
    "cni": _cni,
    "podman": _podman,
}
"""What may be previewed, by the first word."""
