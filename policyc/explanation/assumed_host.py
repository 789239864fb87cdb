"""A plausible host for a question about a source that has none: each thing that nobody said is named as an assumption.

Part of `explanation`. Interfaces, zones and networks are the source's; addresses are documentation's (RFC 5737, RFC 3849)
unless a zone names them. Where nobody can tell whether a destination is this host, there are two hosts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from policyc.explanation.hints import Hints, fits
from policyc.explanation.unsaid import no_way_in, no_way_out
from policyc.host.derived import derived_routes
from policyc.host.frames import is_group
from policyc.host.host import LOOPBACK, Host, Interface, InterfaceAddress, Route
from policyc.host.own_addresses import LOCALHOST, with_loopback
from policyc.host.sysctls import Sysctls
from policyc.net.addresses import ALL_ONES, WIDTH, Network, format_address, parse_address
from policyc.net.headers import Headers
from policyc.netfilter.intent import Zone
from policyc.netfilter.question import Question

_OWN = {4: parse_address("192.0.2.0", 4), 6: parse_address("2001:db8:ffff::", 6)}
_FORWARDING = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}
_GROUPS = {4: Network(4, 0xE0000000, 0xE0000000), 6: Network(6, 0xFF << 120, 0xFF << 120)}  # broadcasts of IPv4 too


@dataclass(frozen=True, slots=True)
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
    plan = _Plan(question, hints, sysctls, strict)
    return tuple(plan.built(way) for way in plan.ways())


@dataclass(frozen=True, slots=True)
class _Way:
    """What is taken for granted about the destination: an address of this host, or behind an interface."""

    own: bool = False
    device: str = ""
    assumptions: tuple[str, ...] = ()
    forwarded: bool = False


@dataclass(slots=True)
class _Plan:
    """The host while it is thought up."""

    question: Question
    hints: Hints
    sysctls: Mapping[str, str]
    strict: bool
    names: dict[str, None] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    invented: dict[str, str] = field(default_factory=dict)
    entry: str = ""
    exit: str = ""
    devices: dict[str, str] = field(default_factory=dict)
    networks: list[tuple[Network, str]] = field(default_factory=list)
    own: dict[str, list[Network]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        headers, hints = self.question.headers, self.hints
        self.names = dict.fromkeys(hints.interfaces)
        self.exit = self._named(headers.exit)
        self.entry = "" if headers.local else self._named(headers.entry)
        for zone in sorted(hints.zones, key=lambda one: not one.interfaces):
            self._take(zone)
        self.networks += [(one.network, one.interface) for one in hints.behind]
        if not headers.local and not self.entry:
            self.entry = self._entry()
        for name in filter(None, (self.entry, self.exit)):
            self.names.setdefault(name)

    # ------------------------------------------------------------------ interfaces
    def _named(self, text: str) -> str:
        """Return the interface that stands after `in` or `out`, where a zone may stand."""
        zone = self.hints.zone(text)
        if zone is not None:
            device = self.devices[zone.name] = self._device(zone)
            return device
        if text:
            self.names.setdefault(text)
            if self.hints.zones and text != LOOPBACK and not any(fits(zone, text) for zone in self.hints.zones):
                self.said.append(f"{text} is an interface of this host that no zone lists")
        return text

    def _device(self, zone: Zone) -> str:
        """Return the interface by which a zone is reached: one that the question names, else the first that there is."""
        known = [name for name in (self.entry, self.exit, *self.names) if name and fits(zone, name)]
        if known:
            return known[0]
        if not zone.interfaces:
            near = [device for network, device in self.networks if any(one.address in network for one in zone.networks)]
            device = near[0] if near else self._fresh()
            if not near:
                self.invented[device] = f"zone {zone.name} is reached through {device}: it names no interface"
        else:
            pattern = zone.interfaces[0]
            device = f"{pattern[:-1] or 'eth'}0"
            self.invented[device] = f"{device} is an interface of zone {zone.name} ({pattern})"
        self.names.setdefault(device)
        return device

    def _fresh(self) -> str:
        number = 0
        while f"eth{number}" in self.names:
            number += 1
        self.names[f"eth{number}"] = None
        return f"eth{number}"

    def _take(self, zone: Zone) -> None:
        device = self.devices.get(zone.name) or self._device(zone)
        self.devices[zone.name] = device
        self.networks += [(network, device) for network in zone.networks if network.prefix is not None]
        self.own.setdefault(device, []).extend(one for one in zone.addresses if one.family == self.family)

    def _entry(self) -> str:
        """Return the interface by which the source comes in, where nobody said it."""
        source = self.question.headers.src
        found = self._behind(source) or self._open()
        if not found and not self.names and not self.hints.patterns:
            found = self._fresh()
        if not found:
            raise no_way_in(self.question, [*(zone.name for zone in self.hints.zones), *self.names])
        self.said.append(f"it comes in by {found}")
        return found

    def _open(self) -> str:
        """Return the interface of the only zone without networks, "" where there is none or several.

        Without zones, the only interface that no rule takes to have a network behind it.
        """
        if not self.hints.zones:
            plain = self._plain()
            return plain[0] if len(plain) == 1 else ""
        zones = [zone for zone in self.hints.zones if zone.interfaces and not zone.networks]
        if len(zones) > 1 and not self.strict:
            zones = [zone for zone in zones if not zone.owner]
        return self.devices[zones[0].name] if len(zones) == 1 else ""

    # ------------------------------------------------------------------ addresses
    @property
    def family(self) -> int:
        return self.question.headers.family

    def _behind(self, address: int) -> str:
        """Return the interface whose networks hold an address, the most specific one first; "" for none."""
        found = [pair for pair in self.networks if pair[0].family == self.family and address in pair[0]]
        return max(found, key=lambda pair: pair[0].mask)[1] if found else ""

    def _is_own(self, address: int) -> bool:
        return any(one.address == address for owned in self.own.values() for one in owned)

    def _sends_as(self, address: int) -> bool:
        """Whether the packet is sent by this host from an address that nobody said it has."""
        local, foreign = self.question.headers.local, not self._is_own(address) and not self._goes_nowhere(address)
        return local and foreign and not self.question.from_self

    def _symbolic(self) -> Iterator[int]:
        headers = self.question.headers
        taken = {
            headers.src,
            headers.dst,
            *(address for family, address in self.hints.targets if family == self.family),
        }
        address = _OWN[self.family]
        while True:
            address += 1
            if address not in taken and not self._is_own(address):
                yield address

    # ------------------------------------------------------------------ ways
    def ways(self) -> list[_Way]:
        """Return what may be taken for granted about the destination, in a fixed order."""
        headers, question = self.question.headers, self.question
        destination = headers.dst
        if question.to_self or self._is_own(destination) or self._goes_nowhere(destination):
            return [_Way()]
        device = self._behind(destination)
        if self.exit:
            if headers.local:
                return [_Way(device=self.exit)]
            return [_Way(device=self.exit, forwarded=True)]
        if headers.local:
            return [self._departure(device)]
        if self.strict or (device and device != self.entry):
            device = device or self._open()
            if not device:
                raise no_way_out(question, [*(zone.name for zone in self.hints.zones), *self.names])
            return [_Way(device=device, forwarded=True)]
        from_inside = self._behind(headers.src) == self.entry and not device
        ways = (self._onward(device), self._here()) if from_inside else (self._here(), self._onward(device))
        return [way for way in ways if way]

    def _goes_nowhere(self, address: int) -> bool:
        """Whether an address is no single host's elsewhere: a group, a broadcast, loopback."""
        loopback = Network(4, 127 << 24, 0xFF << 24) if self.family == 4 else Network(6, 1, ALL_ONES[6])
        return address in _GROUPS[self.family] or address in loopback

    def _here(self) -> _Way | None:
        if any(self.own.get(self.entry, ())):
            return None  # the addresses of this host are known, and it is none of them
        text = format_address(self.question.headers.dst, self.family)
        return _Way(own=True, assumptions=(f"{text} is an address of this host",))

    def _onward(self, device: str) -> _Way | None:
        text = format_address(self.question.headers.dst, self.family)
        device = device or self._open()
        if device == self.entry and self.hints.zones and self._here() is not None:
            return None  # it would leave where it came from
        if not device or (
            device == self.entry and not self.hints.zones and not self._behind(self.question.headers.dst)
        ):
            device = self._other()
        return _Way(
            device=device, forwarded=True, assumptions=(f"{text} is not this host; it is reached through {device}",)
        )

    def _departure(self, device: str) -> _Way:
        device = device or self._open()
        if not device and self.strict:
            raise no_way_out(self.question, [*(zone.name for zone in self.hints.zones), *self.names])
        if device and self.hints.zones:
            return _Way(device=device)
        device = device or next(iter([*self._plain(), *self.names]), "") or self._fresh()
        text = format_address(self.question.headers.dst, self.family)
        return _Way(device=device, assumptions=(f"{text} is reached through {device}",))

    def _plain(self) -> list[str]:
        """Return the interfaces of which nobody knows what is behind them, in the source's order."""
        known = {device for network, device in self.networks if network.family == self.family}
        return [name for name in self.names if name not in known and name != LOOPBACK]

    def _other(self) -> str:
        """Return an interface that the packet did not come in by and that may lead anywhere: the first, else one more."""
        return next((name for name in self._plain() if name != self.entry), "") or self._fresh()

    # ------------------------------------------------------------------ the host
    def built(self, way: _Way) -> Assumed:
        """Return the host of one way."""
        family, headers = self.family, self.question.headers
        used = dict.fromkeys((self.entry, self.exit, way.device))
        invented = [self.invented[name] for name in used if name in self.invented]
        said = [*self.question.notes, *invented, *self.said, *way.assumptions]
        default = self.exit or self._open()
        if way.device and not default and not self._behind(headers.dst):
            default = way.device if headers.local else ""
        routes = [Route(network, device) for network, device in self.networks if network.family == family]
        if default:
            routes.append(Route(Network(family, 0, 0), default))
        if way.device and way.device not in {default, self._behind(headers.dst)}:
            routes.append(self._to(headers.dst, way.device))
        if self.entry and not default and not self._behind(headers.src) and not self._goes_nowhere(headers.src):
            routes.append(self._to(headers.src, self.entry))
        told = self.strict or (default and self.hints.zones)
        sent_to = [] if told else [*self._translated(routes, default)]
        addresses, chosen = self._addresses(way)
        if self._sends_as(headers.src):
            said.append(f"{format_address(headers.src, family)} is an address of this host")
        sysctls = dict.fromkeys(_FORWARDING.values(), "1") | dict(self.sysctls)
        if way.forwarded and _FORWARDING[family] not in self.sysctls:
            said.append(f"{_FORWARDING[family]} is {sysctls[_FORWARDING[family]]}")
        settings = Sysctls(sysctls)
        interfaces = with_loopback(tuple(self._interface(name, addresses.get(name, ())) for name in self.names))
        host = Host(interfaces, (*derived_routes(interfaces, settings), *routes), sysctls=settings)
        headers = self._with_own_address(headers, addresses, way)
        for name, address in chosen.items():
            text = f"{format_address(address, family)} is the address of this host on {name}"
            if address in {headers.src, headers.dst}:
                said.append(text)
            else:
                sent_to.append((address, text))
        return Assumed(host, headers, tuple(said), tuple(sent_to))

    def _to(self, address: int, device: str) -> Route:
        return Route(Network(self.family, address, ALL_ONES[self.family]), device)

    def _translated(self, routes: list[Route], default: str) -> Iterator[tuple[int, str]]:
        """Give each address that DNAT leads to a way, and yield what is assumed by that."""
        for family, address in self.hints.targets:
            if family != self.family or self._is_own(address) or self._goes_nowhere(address):
                continue
            if any(address in route.destination for route in routes if route.prefix):
                continue
            device = default if default != self.entry and default else self._other()
            routes.append(self._to(address, device))
            yield address, f"{format_address(address, family)} is reached through {device}"
            if _FORWARDING[family] not in self.sysctls:
                yield address, f"{_FORWARDING[family]} is 1"

    def _addresses(self, way: _Way) -> tuple[dict[str, tuple[InterfaceAddress, ...]], dict[str, int]]:
        """Return the addresses of each interface, and those of them that nobody named."""
        family, headers = self.family, self.question.headers
        found: dict[str, tuple[InterfaceAddress, ...]] = {}
        chosen: dict[str, int] = {}
        symbolic = self._symbolic()
        sender = (way.device or self.exit or next(iter(self.names), "")) if self._sends_as(headers.src) else ""
        for name in self.names:
            listed = [InterfaceAddress(family, one.address, one.prefix or 0) for one in self.own.get(name, ())]
            if name == LOOPBACK:
                continue
            if not listed:
                chosen[name] = next(symbolic)
                listed.append(InterfaceAddress(family, chosen[name], WIDTH[family]))
            if way.own and name == self.entry:
                listed.insert(0, InterfaceAddress(family, headers.dst, WIDTH[family]))
                chosen.pop(name, None)
            if name == sender:
                listed.append(InterfaceAddress(family, headers.src, WIDTH[family]))
            found[name] = tuple(listed)
        return found, chosen

    def _interface(self, name: str, addresses: tuple[InterfaceAddress, ...]) -> Interface:
        mac = self.question.headers.mac_dst if name == self.entry else None
        return Interface(name, addresses, None if mac is None or is_group(mac) else mac)

    def _with_own_address(
        self, headers: Headers, addresses: Mapping[str, tuple[InterfaceAddress, ...]], way: _Way
    ) -> Headers:
        headers = replace(headers, entry=self.entry, exit=self.exit)
        family = self.family
        if self.question.to_self:
            name = self.entry or self.exit or next(iter(addresses), LOOPBACK)
            mine = addresses.get(name)
            headers = replace(headers, dst=mine[0].address if mine else LOCALHOST[family])
        if self.question.from_self:
            mine = addresses.get(way.device or self.exit or next(iter(addresses), LOOPBACK))
            headers = replace(headers, src=mine[0].address if mine else LOCALHOST[family])
        return headers
