"""Second pass: a published service whose packets an earlier block takes would silently not work.

Only what is certain is an error: a rule that takes all packets of one published port, whatever else they carry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from policyc.diagnostics import Related
from policyc.lowering.distinct import Range, span_of
from policyc.lowering.draft import Draft
from policyc.net.protocols import format_protocol
from policyc.netfilter.hooks import Hook
from policyc.policy.defined import ANY, SELF, Side, Zone
from policyc.policy.model import NO_MATCHES, Block, Item, Pair, Publish, Rule
from policyc.policy.values import Addresses, AddressItem, Endpoint, PortService, Service
from policyc.source import Span

_TRANSLATES = frozenset(("dnat", "redirect", "accept"))
_DECIDES = frozenset(("accept", "drop", "reject"))


def untaken(draft: Draft) -> None:
    """Report each published service that an earlier statement takes, before its translation or behind it."""
    earlier: list[Item] = []
    for item in draft.policy.items:
        if isinstance(item, Publish):
            _examine(draft, item, earlier)
        if isinstance(item, Publish) or (isinstance(item, Block) and item.table in {"nat", "filter"}):
            earlier.append(item)


def _examine(draft: Draft, item: Publish, earlier: Sequence[Item]) -> None:
    for pair in item.pairs:
        for service in item.services:
            if not isinstance(service, PortService):
                continue
            for port in service.ports or (None,):
                asked = replace(service, ports=(port,) if port else ())
                for span in _takers(item, pair.source, asked, earlier):
                    name = format_protocol(service.protocol) + (f"/{_range(port)}" if port else "")
                    message = f"packets from `{pair.source.word}` to the published {name} never get here"
                    related = (Related("this takes all of them", span),)
                    hint = "write the publish above it"
                    draft.report("taken-packets", message, item.span, related=related, help=hint)
                    break


def _takers(item: Publish, source: Side, asked: PortService, earlier: Sequence[Item]) -> Iterator[Span]:
    """Yield the places of statements that take all packets from one side to one published port, in some family."""
    for other in earlier:
        if isinstance(other, Publish):
            if (
                any(_side_has(pair.source, source) for pair in other.pairs)
                and set(other.families) & set(item.families)
                and _services_have(other.services, asked)
                and _addresses_have(other.destination, item.destination)
            ):
                yield other.span
            continue
        assert isinstance(other, Block), "only blocks and publishes are asked"
        for pair in other.pairs:
            if not _side_has(pair.source, source):
                continue
            for rule in other.rules:
                families = set(rule.families) & set(pair.families) & set(item.families)
                if not families or (rule.hooks and pair.hook not in rule.hooks):
                    continue
                if _translates(rule, pair, item, asked) or _decides(rule, pair, item, asked, families):
                    yield rule.span


def _translates(rule: Rule, pair: Pair, item: Publish, asked: PortService) -> bool:
    """Whether a nat rule takes the packets before they are translated."""
    return (
        pair.hook is Hook.PREROUTING
        and rule.verb in _TRANSLATES
        and pair.target is SELF
        and replace(rule.matches, destination=None) == NO_MATCHES
        and _services_have(rule.services, asked)
        and _addresses_have(rule.matches.destination, item.destination)
    )


def _decides(rule: Rule, pair: Pair, item: Publish, asked: PortService, families: set[int]) -> bool:
    """Whether a filter rule takes the packets once they are translated, for one endpoint at least."""
    if pair.hook is not Hook.FORWARD or rule.verb not in _DECIDES:
        return False
    matches = rule.matches
    if replace(matches, destination=None, published=()) != NO_MATCHES:
        return False
    if matches.published and not _services_have(matches.published, asked):
        return False
    for endpoint in item.endpoints:
        leads = replace(asked, ports=(endpoint.ports,)) if endpoint.ports else asked
        if (
            endpoint.family in families
            and _services_have(rule.services, leads)
            and _reaches(matches.destination, endpoint)
            and (pair.target is ANY or (isinstance(pair.target, Zone) and _inside(pair.target.networks, endpoint)))
        ):
            return True
    return False


def _side_has(side: Side, other: Side) -> bool:
    return side is ANY or side is other


def _services_have(services: Sequence[Service], asked: PortService) -> bool:
    return not services or any(
        isinstance(one, PortService)
        and one.protocol == asked.protocol
        and not one.source_ports
        and (not one.ports or (bool(asked.ports) and all(_ports_have(one.ports, port) for port in asked.ports)))
        for one in services
    )


def _ports_have(ports: Sequence[Range], port: Range) -> bool:
    return any(first <= port[0] and port[1] <= last for first, last in ports)


def _addresses_have(addresses: Addresses | None, asked: Addresses | None) -> bool:
    return addresses is None or addresses == asked


def _reaches(addresses: Addresses | None, endpoint: Endpoint) -> bool:
    return addresses is None or (not addresses.negated and _inside(addresses.items, endpoint))


def _inside(items: Sequence[AddressItem], endpoint: Endpoint) -> bool:
    for item in items:
        first, last = span_of(item)
        if item.family == endpoint.family and first <= endpoint.first and endpoint.last <= last:
            return True
    return False


def _range(ports: Range) -> str:
    first, last = ports
    return str(first) if first == last else f"{first}-{last}"
