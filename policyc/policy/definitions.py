"""What a policy defines by name, resolved and checked against the kernel's limits: each once, used or not."""

from __future__ import annotations

from dataclasses import dataclass, field

from policyc.language import definitions as d
from policyc.language.literals import MarkValue
from policyc.net.addresses import Network
from policyc.policy import defined as p
from policyc.policy.addresses import AddressLists, mask_of
from policyc.policy.findings import Findings
from policyc.policy.foreign import Beside
from policyc.policy.limits import resolved_limit, resolved_log
from policyc.policy.namespace import NOTHING, Names
from policyc.policy.service_lists import ServiceLists
from policyc.policy.values import ALL_BITS, Families, Mark

ID_LENGTH = 8


@dataclass(slots=True)
class Definitions:
    """Everything that names of the policy mean, by name; a definition with an error is missing."""

    names: Names
    addresses: AddressLists
    services: ServiceLists
    families: Families
    zones: dict[str, p.Zone] = field(default_factory=dict)
    sets: dict[str, p.Set] = field(default_factory=dict)
    limits: dict[str, p.Limit] = field(default_factory=dict)
    logs: dict[str, p.Log] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    schedules: dict[str, p.Schedule] = field(default_factory=dict)


def resolve_definitions(names: Names, findings: Findings, families: Families, beside: Beside) -> Definitions:
    """Resolve all definitions of a policy for these families, and report what is wrong with them.

    `beside` has the containers that names mean.
    """
    sets: dict[str, p.Set] = {}
    addresses = AddressLists(names, findings, sets, beside)
    found = Definitions(names, addresses, ServiceLists(names, findings), families, sets=sets)
    zones: list[d.ZoneDefinition] = []
    values: list[d.AddressDefinition | d.ServiceDefinition] = []
    for meaning in names.meanings.values():
        text = meaning.name.text
        match meaning:
            case d.SetDefinition():
                if made := _set(meaning, findings):
                    found.sets[text] = made
            case d.LimitDefinition():
                if limit := resolved_limit(meaning, findings):
                    found.limits[text] = limit
            case d.LogDefinition():
                if (log := resolved_log(meaning, findings)) and _fits(log, meaning, findings):
                    found.logs[text] = log
            case d.MarkDefinition(value=value):
                found.marks[text] = mark_of(value)
            case d.ScheduleDefinition():
                found.schedules[text] = _schedule(meaning)
            case d.ZoneDefinition():
                zones.append(meaning)
            case d.AddressDefinition() | d.ServiceDefinition():
                values.append(meaning)
            case _:
                pass
    for definition in values:
        if isinstance(definition, d.AddressDefinition):
            found.addresses.flatten((definition.name,), NOTHING)
        else:
            found.services.flatten((definition.name,), NOTHING)
    for zone in zones:
        if resolved := _zone(zone, found.addresses, findings):
            found.zones[zone.name.text] = resolved
    return found


def mark_of(value: MarkValue) -> Mark:
    """Return a mark with its mask written out."""
    return Mark(value.value, ALL_BITS if value.mask is None else value.mask)


def _set(definition: d.SetDefinition, findings: Findings) -> p.Set | None:
    name, owner, external = definition.name, definition.owner, definition.external
    made = p.Set(
        name.text,
        definition.content,
        definition.timeout.seconds if definition.timeout else None,
        owner.text if owner else "",
        external.text if external else "",
        name.span,
    )
    longest = max((made.kernel_name(family) for family in (4, 6)), key=len)
    if len(longest.encode()) > p.MAX_SET_NAME:
        message = f"the ipset `{longest}` has a name longer than the kernel's {p.MAX_SET_NAME} characters"
        findings.report("too-long", message, external.span if external else name.span)
        return None
    return made


def _fits(log: p.Log, definition: d.LogDefinition, findings: Findings) -> bool:
    longest = p.MAX_LOG_PREFIX if log.group is None else p.MAX_NFLOG_PREFIX
    room = longest - len(p.Log.prefix(log, "x" * ID_LENGTH)) + len(log.text)
    if (length := len(log.text.encode())) <= room:
        return True
    message = f"the log text has {length} bytes, and {room} are left beside the rule's id of the kernel's {longest}"
    findings.report("too-long", message, definition.text.span, f"shorten it, as in `{log.text[:room].strip()}`")
    return False


def _schedule(definition: d.ScheduleDefinition) -> p.Schedule:
    days: set[int] = set()
    for span in definition.days:
        last = span.last if span.first <= span.last else span.last + 7
        days.update((day - 1) % 7 + 1 for day in range(span.first, last + 1))
    hours = tuple((time.start, time.end) for time in definition.hours)
    return p.Schedule(definition.name.text, tuple(sorted(days)), hours, definition.name.span)


def _zone(definition: d.ZoneDefinition, addresses: AddressLists, findings: Findings) -> p.Zone | None:
    name = definition.name
    networks = addresses.flatten(definition.networks, NOTHING, ("address", "zone")) if definition.networks else None
    if definition.networks and networks is None:
        return None
    if networks and networks.sets:
        message = f"the networks of a zone are known, the content of the set `{networks.sets[0].name}` is not"
        findings.report("wrong-kind", message, definition.networks[0].span)
        return None
    if not definition.interfaces and not networks:
        message = f"zone `{name.text}` has neither an interface nor a network, so that nothing could be tested"
        findings.report("empty-list", message, name.span, "add `interface …` or `network …`")
        return None
    return p.Zone(
        name.text,
        tuple(interface.text for interface in definition.interfaces),
        networks.items if networks else (),
        tuple(Network(own.family, own.value, mask_of(own.family, own.prefix)) for own in definition.addresses),
        definition.owner.text if definition.owner else "",
        networks.families if networks else None,
        name.span,
    )
