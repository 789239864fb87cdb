"""Which tool translates the ports of a `publish`: the engine whose container publishes them already, else we do."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.engines.surroundings import Publication
from policyc.frozen import frozen
from policyc.language import tree as t
from policyc.net.addresses import format_address
from policyc.net.protocols import format_protocol
from policyc.policy.addresses import bounds
from policyc.policy.findings import Findings
from policyc.policy.foreign import Beside
from policyc.policy.values import Addresses, Endpoint, Families, PortService, Service

_ALL = (0, 65535)


@frozen
class Asked:
    """What a `publish` asks for: services, endpoints and the original addresses, None for any of this host."""

    services: tuple[Service, ...]
    endpoints: tuple[Endpoint, ...]
    destination: Addresses | None
    families: Families


@frozen
class Translated:
    """The ports that engines translate, held against what the policy publishes."""

    beside: Beside
    findings: Findings

    def by(self, asked: Asked, written: t.Intent) -> str | None:
        """Return the tool that translates all of what is asked for, "" for nobody.

        None where it is reported: an engine leads the same port elsewhere, or has some of the ports only.
        """
        owner, wanted, had = "", 0, 0
        for family, protocol, (first, last) in _ports(asked):
            wanted += last - first + 1
            ends = [one for one in asked.endpoints if one.family == family]
            for tool, port in self.beside.published:
                outer = port.outer
                if (outer.family, outer.protocol) != (family, protocol) or not first <= outer.port <= last:
                    continue
                if not _covers(port, asked.destination, whole=False):
                    continue
                if len(ends) != 1 or not _leads_to(port, ends[0]):
                    self._report_other(tool, port, written)
                    return None
                if _covers(port, asked.destination, whole=True):
                    owner, had = tool, had + 1
        if 0 < had < wanted:
            message = (
                f"{owner} publishes {had} of these {wanted} ports, and the policy would have to publish the others"
            )
            self.findings.report(
                "taken-packets", message, written.span, f"write those of {owner} in a line of their own"
            )
            return None
        return owner

    def _report_other(self, tool: str, port: Publication, written: t.Intent) -> None:
        name = f"{format_protocol(port.outer.protocol)}/{port.outer.port}"
        target = format_address(port.inner.address, port.inner.family)
        target = f"[{target}]" if port.inner.family == 6 else target
        message = f"{tool} publishes {name} as {target}:{port.inner.port} of `{port.owner}` already"
        hint = f"write `becomes {target}:{port.inner.port}`, or take the port away from the container"
        self.findings.report("taken-packets", message, written.span, hint)


def _ports(asked: Asked) -> Iterator[tuple[int, int, tuple[int, int]]]:
    for family in asked.families:
        for service in asked.services:
            if isinstance(service, PortService) and family in service.families:
                yield from ((family, service.protocol, ports) for ports in service.ports or (_ALL,))


def _covers(port: Publication, asked: Addresses | None, *, whole: bool) -> bool:
    """Whether a port is published on some of the addresses that are asked for, or (`whole`) on all of them."""
    if port.outer.address == 0:
        return True
    if port.outer.address in _loopback(port.outer.family):
        return False
    if asked is None or asked.sets or asked.negated:
        return not whole
    items = [bounds(item) for item in asked.of(port.outer.family)]
    if whole:
        return items == [(port.outer.address, port.outer.address)]
    return any(first <= port.outer.address <= last for first, last in items)


def _loopback(family: int) -> range:
    return range(127 << 24, 128 << 24) if family == 4 else range(1, 2)


def _leads_to(port: Publication, end: Endpoint) -> bool:
    inner = port.outer.port if end.ports is None else end.ports[0]
    return (end.first, end.last, inner) == (port.inner.address, port.inner.address, port.inner.port)
