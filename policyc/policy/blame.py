"""Which item of a rule has which family: the parts that must agree, and the one that a message names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policyc.frozen import frozen
from policyc.language import literals as v
from policyc.language import words as w
from policyc.language.rules import Rule
from policyc.language.tree import Intent
from policyc.policy.endpoints import Endpoints
from policyc.policy.families import Part
from policyc.policy.matches import Matches, Scope
from policyc.policy.service_lists import ServiceLists
from policyc.policy.values import BOTH, Addresses, Families, Service
from policyc.source import Span


def service_part(services: tuple[Service, ...], rule: Rule | Intent) -> Part | None:
    """Return the part that some services are, None where all of them fit both families."""
    if len(services) == 1 and services[0].families is BOTH:
        return None
    named = {family for service in services if service.families != BOTH for family in service.families}
    if not named:
        return None
    is_open = any(service.families == BOTH for service in services)
    written = rule.services
    span = Span(written[0].span.source, written[0].span.start, written[-1].span.end)
    return Part("services", tuple(sorted(named)), is_open, span, written)


def address_part(word: w.AddressMatch, found: Addresses) -> Part:
    """Return the part that `from` or `to` is; a list with a set fits both families, and so does an unknown one."""
    is_open = bool(found.sets) or not found.items
    return Part(word.word, found.families or (), is_open, word.span, word)  # type: ignore[attr-defined]


@frozen
class Blamed:
    """Finds the item of a part that has a family, by resolving its items one by one."""

    services: ServiceLists
    matches: Matches
    endpoints: Endpoints
    scope: Scope

    def item(self, part: Part, family: int) -> tuple[str, Span]:
        """Return the text and place of the first item of that family."""
        for span, families in self._items(part.item):
            if family in families:
                return span.text, span
        return part.span.text, part.span

    def _items(self, item: object) -> Iterator[tuple[Span, Families]]:
        match item:
            case w.AddressMatch(values=values):
                for value in values:
                    flat = self.matches.flat(value, self.scope)
                    yield value.span, flat.families if flat else ()
            case w.Becomes(values=endpoints):
                for endpoint in endpoints:
                    found = self.endpoints.one(endpoint, self.scope) or ()
                    yield endpoint.span, tuple(end.family for end in found if end.family)
            case tuple():
                yield from self._services(item)
            case _:
                return

    def _services(self, written: Sequence[v.ServiceValue]) -> Iterator[tuple[Span, Families]]:
        for value in written:
            found = self.services.flatten((value,), self.scope) or ()
            yield value.span, tuple(family for one in found if one.families != BOTH for family in one.families)
