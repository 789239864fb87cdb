"""Kubernetes YAML as a scenario: Service, EndpointSlice, Endpoints and Node documents and lists, as kubectl prints them.

Objects of other kinds are none of kube-proxy's business. Everything that is wrong is told at once, at its line, with the path
of its key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from policyc.diagnostics import Diagnostic, InputError, diagnose
from policyc.engines.given import Document, Given
from policyc.engines.kube_proxy.drawn import Draws
from policyc.engines.kube_proxy.objects import read_endpoints, read_node, read_service, read_slice
from policyc.engines.kube_proxy.scenario import LOOPBACK, Node, Scenario, Service, Settings, Slice
from policyc.engines.kube_proxy.scenario_file import node_of
from policyc.engines.yaml_document import read_documents
from policyc.source import Source, Span

_KINDS = {
    ("v1", "Service"), ("v1", "Endpoints"), ("v1", "Node"), ("discovery.k8s.io/v1", "EndpointSlice"),
}  # fmt: skip
_VERSIONS = {kind: version for version, kind in _KINDS}
_GROUPS = {version.rpartition("/")[0] for version, _ in _KINDS}


@dataclass(slots=True)
class _Found:
    """What stands in the documents, each Service and Node with its place."""

    services: list[tuple[Given, Service]] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)
    endpoints: list[Slice] = field(default_factory=list)
    nodes: list[tuple[Given, Node]] = field(default_factory=list)
    documents: dict[int, Document] = field(default_factory=dict)
    names: dict[tuple[str, str, str], Given] = field(default_factory=dict)

    def settle(self, earlier: Iterable[Diagnostic]) -> None:
        """Raise InputError with all that is wrong in any document."""
        problems = [*earlier, *(one for document in self.documents.values() for one in document.problems)]
        if problems:
            raise InputError(problems)


def read_manifests(
    sources: Sequence[Source], settings: Settings, flags: Given, known: Given
) -> tuple[Scenario, list[Diagnostic]]:
    """Return the scenario of some YAML files and remarks on it. Raises InputError with all that is wrong.

    `flags` is where the settings come from; `known` is what the API server drew, as `drawn` says.
    """
    found = _Found()
    problems: list[Diagnostic] = []
    for source in sources:
        try:
            documents = read_documents(source)
        except InputError as error:
            problems += error.diagnostics
            continue
        for document in documents:
            for given in _objects(document):
                _read(given, found)
    node = _node(found, settings, flags, problems)
    draws = Draws(known, [service for _, service in found.services], settings)
    services = tuple(draws.completed(given, service) for given, service in found.services)
    problems += [one for one in known.document.problems if one not in problems]
    found.settle(problems)
    sliced = {(each.namespace, each.service) for each in found.slices}
    mirrored = [each for each in found.endpoints if (each.namespace, each.service) not in sliced]
    addresses = (*LOOPBACK, *node.addresses)
    return Scenario(settings, node, services, (*found.slices, *mirrored), addresses), draws.notes


def _objects(given: Given) -> Iterator[Given]:
    """Yield an object, or those of a list; of an empty document, nothing."""
    if given.value is None:
        return
    if not isinstance(given.value, dict):
        given.wrong("must be a Kubernetes object, with `apiVersion` and `kind`")
        yield given
    elif given.at("kind").text().endswith("List"):
        for item in given.at("items").items():
            yield from _objects(item)
    else:
        yield given


def _read(given: Given, found: _Found) -> None:
    found.documents[id(given.document)] = given.document
    if not isinstance(given.value, dict):
        return
    kind, version = given.at("kind").text(), given.at("apiVersion").text()
    for key in ("kind", "apiVersion"):
        if key not in given:
            given.wrong(f"needs `{key}`")
            return
    if (version, kind) not in _KINDS:
        if kind in _VERSIONS and version.rpartition("/")[0] in _GROUPS:
            given.at("apiVersion").wrong(f"must be `{_VERSIONS[kind]}` for `kind: {kind}`, not `{version}`")
        return
    _once(given, kind, found)
    match kind:
        case "Service":
            service = read_service(given)
            if service is not None:
                found.services.append((given, service))
        case "EndpointSlice":
            one = read_slice(given)
            if one is not None:
                found.slices.append(one)
        case "Endpoints":
            found.endpoints += read_endpoints(given)
        case _:
            found.nodes.append((given, read_node(given)))


def _once(given: Given, kind: str, found: _Found) -> None:
    metadata = given.at("metadata")
    name = (kind, metadata.at("namespace").text("default"), metadata.at("name").text())
    earlier = found.names.setdefault(name, given)
    if earlier is not given and name[2]:
        where = earlier.span
        metadata.at("name").wrong(f"names a {kind} that came before, in line {where.line} of {where.source.name}")


def _node(found: _Found, settings: Settings, flags: Given, problems: list[Diagnostic]) -> Node:
    """Return the node that kube-proxy runs on. Where something depends on it and nothing says which it is, that is wrong."""
    nodes = [node for _, node in found.nodes]
    node = node_of(nodes, settings)
    for given, service in found.services if not node.name else ():
        for key, local in (
            ("externalTrafficPolicy", service.external_local),
            ("internalTrafficPolicy", service.internal_local),
        ):
            if local:
                value = given.at("spec").at(key)
                value.wrong("is `Local`, which depends on the node", "name it with `--hostname-override NAME`")
    if nodes and settings.node_name and node not in nodes:
        known = ", ".join(each.name for each in nodes)
        where = _flag(flags, "--hostname-override")
        problems.append(diagnose("unknown-name", f"no Node `{node.name}`", where, help=f"there are {known}"))
    if (settings.node_port_addresses or settings.primary_node_ports) and not node.addresses:
        message = "node ports on some addresses of the node alone: what addresses it has is not known"
        where = _flag(flags, "--nodeport-addresses")
        problems.append(diagnose("unknown-name", message, where, help="give its Node, whose `status` has them"))
    return node


def _flag(flags: Given, name: str) -> Span:
    """Return where a flag stands."""
    return next((item.span for item in flags.items() if item.text().startswith(name)), flags.span)
