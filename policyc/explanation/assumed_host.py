"""A plausible host for a question about a source that has none: each thing that nobody said is named as an assumption.

Part of `explanation`. Interfaces, zones and networks are the source's; addresses are documentation's (RFC 5737, RFC 3849)
unless a zone names them. Where nobody can tell whether a destination is this host, there are two hosts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from policyc.explanation.destination import Destination, destinations
from policyc.explanation.hints import Hints
from policyc.explanation.layout import Layout
from policyc.frozen import frozen
from policyc.host.derived import derived_routes
from policyc.host.frames import is_group
from policyc.host.host import LOOPBACK, Host, Interface, InterfaceAddress, Route
from policyc.host.own_addresses import LOCALHOST, with_loopback
from policyc.host.sysctls import Sysctls
from policyc.net.addresses import ALL_ONES, WIDTH, Network, format_address
from policyc.net.headers import Headers
from policyc.netfilter.question import Question

_FORWARDING = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}


@frozen
class Assumed:
    """A host, the question's headers with the addresses and interfaces that they have there, and what was assumed.

    `if_translated` are assumptions that matter where NAT gives the packet the address.
    """

    host: Host
    headers: Headers
    assumptions: tuple[str, ...]
    if_translated: tuple[tuple[int, str], ...] = ()


def assumed_hosts(question: Question, hints: Hints, sysctls: Mapping[str, str], *, strict: bool) -> tuple[Assumed, ...]:
    """Return the hosts that fit, the likeliest first. Raises InputError where the question must say more.

    `strict`: as a policy's tests are read, where a literal address is never one of this host unless a zone says so, and
    nothing is guessed about the way out.
    """
    layout = Layout(question, hints, strict)
    return tuple(_Builder(layout, destination, sysctls).built() for destination in destinations(layout))


@dataclass(slots=True)
class _Builder:
    """Makes the host of one destination. `chosen` are addresses that nobody named, by interface."""

    layout: Layout
    to: Destination
    sysctls: Mapping[str, str]
    addresses: dict[str, tuple[InterfaceAddress, ...]] = field(default_factory=dict)
    chosen: dict[str, int] = field(default_factory=dict)

    def built(self) -> Assumed:
        """Return the host with the question's headers on it."""
        layout, family = self.layout, self.layout.family
        said = [*layout.question.notes, *self._invented(), *layout.said, *self.to.assumptions]
        default = layout.exit or layout.outside()
        if not default and layout.question.headers.local and not layout.behind(layout.question.headers.dst):
            default = self.to.device
        routes = [*self._routes(default)]
        if_translated = [*self._translated(routes, default)]
        self._give_addresses()
        if self._sends_as_foreigner:
            said.append(f"{self._shown(layout.question.headers.src)} is an address of this host")
        if self.to.forwarded and _FORWARDING[family] not in self.sysctls:
            said.append(f"{_FORWARDING[family]} is 1")
        headers = self._placed_headers()
        for name, address in self.chosen.items():
            text = f"{self._shown(address)} is the address of this host on {name}"
            if address in {headers.src, headers.dst}:
                said.append(text)
            else:
                if_translated.append((address, text))
        return Assumed(self._host(routes), headers, tuple(said), tuple(if_translated))

    def _shown(self, address: int) -> str:
        return format_address(address, self.layout.family)

    def _invented(self) -> list[str]:
        """Return what is assumed about the interfaces that the packet uses."""
        used = dict.fromkeys((self.layout.entry, self.layout.exit, self.to.device))
        return [self.layout.invented[name] for name in used if name in self.layout.invented]

    def _routes(self, default: str) -> Iterator[Route]:
        """Yield the routes to networks, to the outside, and to both ends of the packet where no other one leads there."""
        layout, family, headers = self.layout, self.layout.family, self.layout.question.headers
        yield from (Route(network, device) for network, device in layout.networks if network.family == family)
        if default:
            yield Route(Network(family, 0, 0), default)
        if self.to.device and self.to.device != (layout.behind(headers.dst) or default):
            yield self._to(headers.dst, self.to.device)
        if layout.entry and not default and not layout.behind(headers.src) and not layout.is_nobodys(headers.src):
            yield self._to(headers.src, layout.entry)

    def _to(self, address: int, device: str) -> Route:
        return Route(Network(self.layout.family, address, ALL_ONES[self.layout.family]), device)

    def _translated(self, routes: list[Route], default: str) -> Iterator[tuple[int, str]]:
        """Give each address that DNAT leads to a way, and yield what is assumed by that."""
        layout = self.layout
        if layout.strict or (default and layout.hints.zones):
            return
        for family, address in layout.hints.targets:
            if family != layout.family or layout.is_own(address) or layout.is_nobodys(address):
                continue
            if any(address in route.destination for route in routes if route.prefix):
                continue
            device = default if default != layout.entry and default else layout.other()
            routes.append(self._to(address, device))
            yield address, f"{self._shown(address)} is reached through {device}"
            if _FORWARDING[family] not in self.sysctls:
                yield address, f"{_FORWARDING[family]} is 1"

    @property
    def _sends_as_foreigner(self) -> bool:
        """Whether this host sends the packet from an address that nobody said it has."""
        layout, question = self.layout, self.layout.question
        source = question.headers.src
        foreign = not layout.is_own(source) and not layout.is_nobodys(source)
        return question.headers.local and not question.from_self and foreign

    def _give_addresses(self) -> None:
        layout, family, headers = self.layout, self.layout.family, self.layout.question.headers
        free = layout.free_addresses()
        sender = self.to.device or layout.exit or next(iter(layout.names), "")
        for name in layout.names:
            if name == LOOPBACK:
                continue
            listed = [InterfaceAddress(family, one.address, one.prefix or 0) for one in layout.own.get(name, ())]
            if self.to.own and name == layout.entry:
                listed.append(InterfaceAddress(family, headers.dst, WIDTH[family]))
            if not listed:
                self.chosen[name] = next(free)
                listed.append(InterfaceAddress(family, self.chosen[name], WIDTH[family]))
            if name == sender and self._sends_as_foreigner:
                listed.append(InterfaceAddress(family, headers.src, WIDTH[family]))
            self.addresses[name] = tuple(listed)

    def _host(self, routes: list[Route]) -> Host:
        layout = self.layout
        sysctls = Sysctls(dict.fromkeys(_FORWARDING.values(), "1") | dict(self.sysctls))
        mac = layout.question.headers.mac_dst
        received = None if mac is None or is_group(mac) else mac
        interfaces = with_loopback(
            tuple(
                Interface(name, self.addresses.get(name, ()), received if name == layout.entry else None)
                for name in layout.names
            )
        )
        derived = tuple(derived_routes(interfaces, sysctls))
        known = {(route.destination, route.device) for route in derived}
        others = (route for route in routes if (route.destination, route.device) not in known)
        return Host(interfaces, (*derived, *others), sysctls=sysctls)

    def _placed_headers(self) -> Headers:
        """Return the headers with the interfaces' names and the addresses of this host."""
        layout, question = self.layout, self.layout.question
        headers = replace(question.headers, entry=layout.entry, exit=layout.exit)
        if question.to_self:
            headers = replace(headers, dst=self._own(layout.entry or layout.exit))
        if question.from_self:
            headers = replace(headers, src=self._own(self.to.device or layout.exit))
        return headers

    def _own(self, name: str) -> int:
        """Return the address of an interface, of the first one where it is "", of `lo` where it has none."""
        mine = self.addresses.get(name or next(iter(self.addresses), LOOPBACK))
        return mine[0].address if mine else LOCALHOST[self.layout.family]
