"""Lists of services flattened and typed: one value for each protocol, destination and source ports together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from policyc.language import literals as v
from policyc.language import words as w
from policyc.language.definitions import ServiceDefinition
from policyc.language.problems import suggestion
from policyc.language.vocabulary import ICMP_PROTOCOLS
from policyc.policy.findings import Findings
from policyc.policy.kernel_words import icmp_types
from policyc.policy.namespace import NOTHING, Names, Parameter, kind_of
from policyc.policy.services import PORT_PROTOCOLS, V4, V6, built_in, built_in_names
from policyc.policy.values import BOTH, Families, IcmpService, PortService, ProtocolService, Service

Services = tuple[Service, ...]
PROTOCOL_NAMES = {number: name for name, number in PORT_PROTOCOLS.items()}


@cache
def every_port(protocol: str) -> Services:
    """Return every port of a protocol."""
    return (PortService(PORT_PROTOCOLS[protocol], (), (), BOTH),)


@cache
def one_range(protocol: str, first: int, last: int) -> Services:
    """Return the service of one range of ports; equal ones are one value."""
    return (PortService(PORT_PROTOCOLS[protocol], ((first, last),), (), BOTH),)


def merged(services: Iterable[Service]) -> Services:
    """Return the services as one for each protocol and families, in the order of their first one.

    Where one takes every port or type, so does the whole.
    """
    found: dict[tuple[int, Families], Service] = {}
    for service in services:
        key = (-1 if isinstance(service, IcmpService) else service.protocol, service.families)
        first = found.setdefault(key, service)
        if first is service or isinstance(first, ProtocolService):
            continue
        if isinstance(first, IcmpService) and isinstance(service, IcmpService):
            types = first.types + service.types if first.types and service.types else ()
            found[key] = IcmpService(types, first.families)
        elif isinstance(first, PortService) and isinstance(service, PortService):
            ports = first.ports + service.ports if first.ports and service.ports else ()
            found[key] = PortService(first.protocol, ports, (), first.families)
    return tuple(found.values())


@dataclass(slots=True)
class ServiceLists:
    """Flattens lists of services; what a name of the policy means is found once."""

    names: Names
    findings: Findings
    known: dict[str, Services | None] = field(default_factory=dict)
    open: list[v.Name] = field(default_factory=list)

    def flatten(self, values: Sequence[v.ServiceValue], scope: Mapping[str, Parameter]) -> Services | None:
        """Return a list without names, one for each protocol; None when something in it was reported."""
        if len(values) == 1 and type(value := values[0]) is v.PortService:
            ports = value.ports
            return one_range(value.protocol, ports.first, ports.last) if ports else every_port(value.protocol)
        found = [self._one(value, scope) for value in values]
        if None in found:
            return None
        return merged(service for services in found if services for service in services)

    def _one(self, value: v.ServiceValue, scope: Mapping[str, Parameter]) -> Services | None:
        match value:
            case v.Name():
                return self._named(value, scope)
            case v.PortService(protocol, ports):
                return one_range(protocol, ports.first, ports.last) if ports else every_port(protocol)
            case v.ProtocolService(number):
                return (ProtocolService(number, BOTH),)
            case v.IcmpService():
                return self._icmp(value)

    def _icmp(self, value: v.IcmpService) -> Services | None:
        families = V4 if value.protocol == "icmp" else V6
        if value.type is None:
            return (IcmpService((), families),)
        if isinstance(value.type, int):
            return (IcmpService(((value.type, value.code),), families),)
        known = icmp_types(value.protocol)
        if found := known.get(value.type):
            return (IcmpService((found,), families),)
        other = "icmp6" if value.protocol == "icmp" else "icmp"
        hint = f"it is a type of {other}" if value.type in icmp_types(other) else suggestion(value.type, known)
        message = f"`{value.type}` is not a type of {value.protocol}"
        self.findings.report("unknown-name", message, value.span, hint)
        return None

    def _named(self, name: v.Name, scope: Mapping[str, Parameter]) -> Services | None:
        text = name.text
        if text not in scope and text not in self.names.meanings:
            if (found := built_in(text)) is None:
                self._unknown(name)
            return found
        meaning = self.names.find(name, scope, ("service",))
        if isinstance(meaning, Parameter):
            return self.flatten(meaning.values, NOTHING)  # type: ignore[arg-type]
        if not isinstance(meaning, ServiceDefinition):
            return None
        if text not in self.known:
            self.known[text] = None  # so that a loop is reported once
            self.open.append(name)
            self.known[text] = self.flatten(meaning.values, NOTHING)
            self.open.pop()
        elif any(text == other.text for other in self.open):
            way = " -> ".join(f"`{other.text}`" for other in (*self.open, name))
            self.findings.report("definition-loop", f"the definition contains itself: {way}", name.span)
        return self.known[text]

    def _unknown(self, name: v.Name) -> None:
        own = [known for known, meaning in self.names.meanings.items() if kind_of(meaning) == "service"]
        hint = suggestion(name.text, [*own, *PORT_PROTOCOLS, *ICMP_PROTOCOLS, *built_in_names()])
        if name.text in {"all", "any", "everything"}:
            hint = "a verdict for all packets is written `otherwise`, as the last rule of its block"
        message = f"nothing defines service `{name.text}`"
        self.findings.report("unknown-name", message, name.span, hint)

    def with_ports(
        self, values: Sequence[v.ServiceValue], scope: Mapping[str, Parameter], what: str
    ) -> Services | None:
        """Return a list of which every service has ports; another one is reported: `what` needs ports."""
        found = [(value, self._one(value, scope)) for value in values]
        sound = True
        for value, services in found:
            for service in services or ():
                if not isinstance(service, PortService):
                    sound = False
                    message = f"`{value.span.text}` has no ports, which {what} needs"
                    self.findings.report("misplaced-word", message, value.span, "write `tcp/80` or `udp/53`")
                    break
        if not sound or any(services is None for _, services in found):
            return None
        return merged(service for _, services in found for service in services or ())

    def from_ports(self, services: Services, sport: w.Sport, scope: Mapping[str, Parameter]) -> Services | None:
        """Return the services with the source ports of `sport`; None after a report."""
        bare = tuple((ports.first, ports.last) for ports in sport.values if isinstance(ports, v.Ports))
        typed = self.with_ports([value for value in sport.values if not isinstance(value, v.Ports)], scope, "`sport`")
        if typed is None:
            return None
        asked: dict[int, tuple[tuple[int, int], ...]] = {}
        for service in typed:
            assert isinstance(service, PortService)
            asked[service.protocol] = service.ports
        if not services:
            if not bare:
                return tuple(PortService(number, (), ports, BOTH) for number, ports in asked.items())
            self._refuse(sport, "a bare port after `sport` needs a protocol", "write `sport tcp/1024-65535`")
            return None
        found: list[Service] = []
        for service in services:
            if not isinstance(service, PortService):
                self._refuse(sport, "`sport` stands in a rule with a service that has no ports", "make it two rules")
                return None
            own = asked.get(service.protocol)
            if own is None and not bare:
                protocol = PROTOCOL_NAMES[service.protocol]
                self._refuse(
                    sport, f"`sport` says nothing for {protocol}, which the rule is for too", "make it two rules"
                )
                return None
            found.append(replace(service, source_ports=() if own == () else (own or ()) + bare))
        if lost := set(asked) - {service.protocol for service in found if isinstance(service, PortService)}:
            protocol = PROTOCOL_NAMES[min(lost)]
            self._refuse(sport, f"`sport` names {protocol}, which the rule's services lack", "")
            return None
        return tuple(found)

    def _refuse(self, sport: w.Sport, message: str, hint: str) -> None:
        self.findings.report("misplaced-word", message, sport.span, hint)
