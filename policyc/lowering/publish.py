"""`publish A -> self tcp/8080 becomes web:80`: the translation, its accept, and no way around it.

In filter, translated packets are told by their connection: the port that the client asked for (`--ctorigdstport`), and that
there was a translation. So a packet that was sent to the endpoint itself is never taken for a published one. Where an engine
translates the port, its packets are told by that alone: the container may have another address tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from policyc.frozen import frozen
from policyc.lowering.actions import destination_actions, masquerade_action
from policyc.lowering.branches import Branches, Line
from policyc.lowering.conditions import Conditions
from policyc.lowering.distinct import Range, distinct_ranges, item_of, networks_of
from policyc.lowering.draft import Draft
from policyc.lowering.pieces import Parts, Pieces
from policyc.lowering.services import port_text, service_tests
from policyc.lowering.sides import TO_SELF, has_family, source_tests, zone_tests
from policyc.lowering.statement import state
from policyc.lowering.tests import Tests
from policyc.net.addresses import parse_network
from policyc.netfilter.hooks import Hook
from policyc.policy.defined import Side, Zone
from policyc.policy.model import Publish
from policyc.policy.values import Endpoint, PortService

LOOPBACK = {4: parse_network("127.0.0.0/8", 4), 6: parse_network("::1/128", 6)}
"""What this host sends to itself there keeps its loopback source, with which no packet leaves the host."""


def publish(draft: Draft, item: Publish) -> None:
    """Write a published service into every family and table that it needs."""
    state(draft, item)
    own = [address for zone in draft.policy.zones for address in zone.addresses]
    for endpoint in item.endpoints:
        here = [address.address for address in own if address.family == endpoint.family]
        if endpoint.family and (endpoint.first in LOOPBACK[endpoint.family] or endpoint.first in here):
            message = f"`publish` leads to another host, but `{endpoint}` is an address of this one"
            draft.report("wrong-kind", message, item.span, help="write `nat … -> self { redirect … becomes :PORT }`")
    for family in item.families:
        sources = [pair.source for pair in item.pairs if family in pair.families]
        _Published(draft, item, family, sources).write()


@frozen
class _Published:
    draft: Draft
    item: Publish
    family: int
    sources: Sequence[Side]

    @property
    def pieces(self) -> Pieces:
        return self.draft.pieces[self.family]

    @property
    def hairpins(self) -> list[Zone]:
        """The zones that use the public address from inside; one that lacks the family is reported."""
        for zone in self.item.hairpin:
            if not has_family(zone, self.family):
                message = f"hairpin zone `{zone.name}` has no network of IPv{self.family}, which the endpoint has"
                hint = f"add a network to the zone, or narrow the rule: `family {'ip' if self.family == 6 else 'ip6'}`"
                self.draft.report("wrong-family", message, self.item.span, help=hint)
        return [zone for zone in self.item.hairpin if has_family(zone, self.family)]

    def write(self) -> None:
        item, hairpins = self.item, self.hairpins
        clients = [*self.sources, *hairpins]
        if not item.translator:
            for side in clients:
                self.translate(Hook.PREROUTING, source_tests(self.pieces, side))
            if item.hairpin_self:
                self.translate(Hook.OUTPUT, [()])
        self.filter(clients, self.translated(), (self.pieces.accept,), wanted=True)
        if item.source:
            self.filter(clients, self.translated(), (self.pieces.drop,))
        self.filter(self.sources, self.around(), (self.pieces.drop,))
        for zone in () if item.translator else hairpins:
            for test in self.translated():
                tests = Tests()
                tests.one_of(zone_tests(self.pieces, zone, "-s"))
                tests.common.extend(test)
                self.line("nat", Hook.POSTROUTING, tests, [masquerade_action(self.pieces)])

    def translate(self, hook: Hook, sources: Sequence[Parts]) -> None:
        item, pieces = self.item, self.pieces
        tests = Tests()
        tests.one_of(sources)
        if item.destination:
            Conditions(self.draft, self.family).address(tests, "-d", item.destination, item.span)
        else:
            tests.common.extend(pieces.read(TO_SELF))
        if hook is Hook.OUTPUT:
            tests.common.extend(pieces.address("-d", LOOPBACK[self.family], negated=True))
        tests.one_of(service_tests(pieces, item.services))
        self.line("nat", hook, tests, destination_actions(pieces, item.endpoints, item.balance))

    def filter(self, sides: Sequence[Side], found: Iterable[Parts], action: Parts, *, wanted: bool = False) -> None:
        """Write an action in FORWARD for packets from these sides; `wanted`: from those clients only that `from` names."""
        for test in found:
            for side in sides:
                tests = Tests()
                tests.one_of(source_tests(self.pieces, side))
                tests.common.extend(test)
                if wanted and self.item.source:
                    Conditions(self.draft, self.family).address(tests, "-s", self.item.source, self.item.span)
                self.line("filter", Hook.FORWARD, tests, [action])

    def translated(self) -> Iterator[Parts]:
        """Yield the tests of packets that were translated from a published port to an endpoint of it."""
        addresses = [*self.original_addresses()] or [""]
        for endpoint in self.endpoints():
            destination = () if self.item.translator else self.address_of(endpoint)
            for leads, port in self.ports(endpoint):
                original = f" --ctorigdstport {port_text(port)}" if port else ""
                for address in addresses:
                    connection = self.pieces.read(f"-m conntrack --ctstate DNAT{address}{original}")
                    yield (*destination, *leads, *connection)

    def around(self) -> Iterator[Parts]:
        """Yield the tests of packets that reach an endpoint without a translation."""
        untranslated = self.pieces.read("-m conntrack ! --ctstate DNAT")
        for endpoint in self.endpoints():
            for leads in dict.fromkeys(leads for leads, _ in self.ports(endpoint)):
                yield (*self.address_of(endpoint), *leads, *untranslated)

    def endpoints(self) -> list[Endpoint]:
        return [endpoint for endpoint in self.item.endpoints if endpoint.family == self.family]

    def address_of(self, endpoint: Endpoint) -> Parts:
        return self.pieces.address("-d", item_of(endpoint.first, endpoint.last, self.family))

    def ports(self, endpoint: Endpoint) -> Iterator[tuple[Parts, Range | None]]:
        """Yield the tests of the service that a published one becomes, and the published port, None for every one."""
        for service in self.item.services:
            if not isinstance(service, PortService):
                for test in service_tests(self.pieces, [service]):
                    yield test, None
                continue
            for port in distinct_ranges(service.ports) or (None,):
                leads = endpoint.ports or port
                becomes = replace(service, ports=(leads,) if leads else ())
                for test in service_tests(self.pieces, [becomes]):
                    yield test, port

    def original_addresses(self) -> Iterator[str]:
        """Yield the options that test the address the client asked for; none where any of this host will do."""
        asked = self.item.destination
        if asked is None:
            return
        if asked.sets or asked.negated:
            message = "`to` of a published service takes addresses, which its connections remember"
            self.draft.report("misplaced-word", message, self.item.span, help="name the addresses")
            return
        for one in asked.of(self.family):
            yield from (f" --ctorigdst {network}" for network in networks_of(one))

    def line(self, table: str, hook: Hook, tests: Tests, actions: Sequence[Parts]) -> None:
        item = self.item
        line = Line(
            item.id,
            item.span,
            tests,
            actions,
            self.draft.note(item.id, item.name, self.family),
            item.services,
            once=len(actions) > 1,
        )
        Branches(self.draft, self.family, table).write(line, self.draft.entry(self.family, table, hook))
