"""`docker { }`, `include compose`, `include kubernetes`: the engines are asked what they install beside the policy.

There is one Docker Engine on a host: all blocks and compose files of a policy are one scenario, in written order. The engines'
models are imported when a policy has containers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_interface
from pathlib import Path
from typing import TYPE_CHECKING

from policyc.diagnostics import InputError, Related
from policyc.language import definitions as d
from policyc.language import tree as t
from policyc.language.literals import Name
from policyc.net.addresses import ALL_ONES, Network, format_address
from policyc.netfilter.intent import Zone
from policyc.policy.findings import Findings
from policyc.policy.foreign import Beside, Container, Foreign, Service
from policyc.policy.gather import IncludeReader
from policyc.policy.namespace import Names
from policyc.source import Source, Span

if TYPE_CHECKING:
    from policyc.engines.docker import scenario
    from policyc.engines.docker.daemon import Daemon

DOCKER, KUBE_PROXY = "docker", "kube-proxy"
_FORWARDING = "net.ipv4.ip_forward"


def resolve_containers(
    statements: Sequence[t.Statement], names: Names, include: IncludeReader, findings: Findings
) -> Beside:
    """Return what engines install beside a policy. What is wrong is reported; the policy's names get those of compose."""
    blocks = [one for one in statements if isinstance(one, t.DockerBlock)]
    lines = [line for block in blocks for line in block.lines]
    files = [one for one in (*statements, *lines) if isinstance(one, t.Include)]
    compose = [one for one in files if one.format == "compose"]
    kubernetes = [one for one in statements if isinstance(one, t.Include) and one.format == "kubernetes"]
    for line in lines:
        if isinstance(line, t.Include) and line.format != "compose":
            message = "a `docker` block includes compose files only"
            findings.report("misplaced-word", message, line.span, "include it outside of blocks")
    docker = kube_proxy = None
    containers: dict[str, Container] = {}
    if blocks or compose:
        span = (blocks[0] if blocks else compose[0]).span
        engine = _Docker(statements, lines, compose, include, findings, span)
        docker, containers = engine.foreign(names), engine.containers
    if kubernetes:
        kube_proxy = _kube_proxy(kubernetes, include, findings)
    return Beside(tuple(one for one in (docker, kube_proxy) if one is not None), containers)


@dataclass(slots=True)
class _Docker:
    """The one daemon of the host, and the containers of the policy's names on it."""

    statements: Sequence[t.Statement]
    lines: Sequence[t.DockerLine]
    files: Sequence[t.Include]
    include: IncludeReader
    findings: Findings
    span: Span
    containers: dict[str, Container] = field(default_factory=dict)

    def foreign(self, names: Names) -> Foreign | None:
        """Return what it installs, None where it could not be asked."""
        from policyc.engines.docker.engine import play
        from policyc.engines.docker.host import surroundings_of
        from policyc.engines.docker.scenario import Drawn

        wrong = len(self.findings.found)
        engines = [line for line in self.lines if isinstance(line, t.EngineLine)]
        release = self._release(engines)
        scenario = self._scenario(engines)
        if release is None or len(self.findings.found) > wrong:
            return None
        try:
            daemon = play(release, scenario, Drawn())
        except InputError as error:
            self.findings.found += error.diagnostics
            return None
        self.findings.found += daemon.remarks
        around = surroundings_of(daemon)
        self._name(daemon, names)
        self._remark(daemon)
        return Foreign(DOCKER, daemon.firewall.ruleset(), tuple(_bridges(daemon)), around.publications, self.span)

    def _release(self, engines: Sequence[t.EngineLine]) -> str | None:
        from policyc.engines.docker.versions import RELEASES
        from policyc.engines.releases import newest

        for line in engines[1:]:
            related = [Related("this is the first", engines[0].span)]
            self.findings.report("misplaced-word", "a host has one engine", line.span, related=related)
        if not engines:
            return RELEASES[-1]
        version = engines[0].version
        release = newest(version.text, RELEASES)
        if release is None:
            known = dict.fromkeys(each.partition(".")[0] for each in RELEASES)
            hint = f"known are {', '.join(known)}, and each of their releases, as {RELEASES[-1]}"
            self.findings.report("unknown-name", f"no release `{version.text}` of docker is known", version.span, hint)
        return release

    def _scenario(self, engines: Sequence[t.EngineLine]) -> scenario.Scenario:
        from policyc.engines.docker.scenario import Scenario, Settings
        from policyc.policy.engine_options import BUILT_IN, container_of, network_of, settings_of

        settings = settings_of(engines[0], self.findings) if engines else Settings()
        objects = [line for line in self.lines if isinstance(line, t.EngineObject)]
        networks = [network_of(line, self.findings) for line in objects if line.kind == "network"]
        others = [one for file in self.files for one in self._compose(file)]
        networks += [network for one in others for network in one.networks]
        known = {*BUILT_IN, *(one.name for one in networks)}
        containers = [line.name.text for line in objects if line.kind == "container"]
        made = [container_of(one, known, containers, self.findings) for one in objects if one.kind == "container"]
        made += [container for one in others for container in one.containers]
        return Scenario(settings, self._host(), tuple(networks), tuple(made))

    def _host(self) -> scenario.Host:
        """Return the host as zones and `require` describe it, so that what the daemon draws lies beside its networks."""
        from policyc.engines.docker.scenario import Host

        zones = [one for one in self.statements if isinstance(one, d.ZoneDefinition)]
        interfaces = {
            zone.interfaces[0].text if zone.interfaces else zone.name.text: tuple(
                ip_interface(f"{format_address(one.value, one.family)}/{one.prefix}") for one in zone.addresses
            )
            for zone in zones
            if zone.addresses
        }
        required = (one for one in self.statements if isinstance(one, t.Require))
        forwards = any(one.key.text.replace("/", ".") == _FORWARDING for one in required)
        return Host(interfaces, forwards)

    def _compose(self, file: t.Include) -> Iterator[scenario.Scenario]:
        from policyc.engines.docker.compose import read_compose
        from policyc.engines.docker.compose_project import project_of, variables_of

        source = _read(file, self.include, self.findings)
        if source is None:
            return
        try:
            beside = self.include(source.name, ".env").text.splitlines()
        except (OSError, ValueError):
            beside = []
        try:
            found, notes = read_compose(source, project_of(Path(source.name)), (), variables_of(beside))
        except InputError as error:
            self.findings.found += error.diagnostics
            return
        self.findings.found += notes
        yield found

    def _name(self, daemon: Daemon, names: Names) -> None:
        """Give the containers their names in the policy: those of a block their own, those of compose their service's."""
        found: defaultdict[str, list[Network]] = defaultdict(list)
        drawn: set[str] = set()
        for one in daemon.containers.values():
            name = one.config.service or one.config.name
            if one.config.service and name not in found:
                names.add(Service(Name(name, one.config.span or self.span)))
            asked = {one.config.ip, one.config.ip6}
            for addresses in one.addresses.values():
                for family, address in sorted(addresses.items()):
                    found[name].append(Network(family, int(address), ALL_ONES[family]))
                    if address not in asked:
                        drawn.add(name)
            found[name] += []
        self.containers = {name: Container(tuple(each), name not in drawn) for name, each in found.items()}

    def _remark(self, daemon: Daemon) -> None:
        for network in daemon.networks.values():
            if network.is_drawn and network.bridge is not None:
                message = f"the bridge of `{network.config.name}` is drawn by the engine; "
                message += f"`{network.bridge.interface}` stands in for it"
                hint = "name it: `bridge br-app`, in a compose file `com.docker.network.bridge.name`"
                self.findings.report("drawn-by-engine", message, network.config.span or self.span, hint)


def _bridges(daemon: Daemon) -> Iterator[Zone]:
    for network in daemon.networks.values():
        if network.bridge is not None:
            subnets = {family: one.subnet for family, one in network.leases.items()}
            masks = {
                family: ALL_ONES[family] ^ (ALL_ONES[family] >> each.prefixlen) for family, each in subnets.items()
            }
            yield Zone(
                network.config.name,
                (network.bridge.interface,),
                tuple(Network(family, int(one.network_address), masks[family]) for family, one in subnets.items()),
                tuple(Network(family, int(one), masks[family]) for family, one in network.gateways.items()),
                DOCKER,
                network.config.span,
            )


def _kube_proxy(files: Sequence[t.Include], include: IncludeReader, findings: Findings) -> Foreign | None:
    from policyc.engines.given import Given
    from policyc.engines.kube_proxy.engine import RELEASES, preview_manifests

    sources = [source for file in files if (source := _read(file, include, findings)) is not None]
    if len(sources) < len(files):
        return None
    read = {source.name: source for source in sources}
    try:
        ruleset = preview_manifests(RELEASES[-1], Given.json([*read]), read.__getitem__, Given.json(None))
    except InputError as error:
        findings.found += error.diagnostics
        return None
    findings.found += ruleset.notes
    return Foreign(KUBE_PROXY, ruleset, (), (), files[0].span)


def _read(file: t.Include, include: IncludeReader, findings: Findings) -> Source | None:
    path = file.path
    try:
        return include(path.span.source.name, path.text)
    except UnicodeDecodeError:
        findings.report("bad-include", f"`{path.text}` is not text in UTF-8", path.span)
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else str(error)) or "it cannot be read"
        hint = "a path is relative to the file that says it"
        findings.report("bad-include", f"`{path.text}` cannot be read: {why.lower()}", path.span, hint)
    return None
