"""The interfaces and networks of a host that nobody described, as a question and its source name them. Part of `explanation`.

`assumed_host` makes a Host of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from policyc.explanation.hints import Hints, fits
from policyc.explanation.unsaid import no_way_in
from policyc.host.host import LOOPBACK
from policyc.net.addresses import ALL_ONES, Network, parse_address
from policyc.netfilter.intent import Zone
from policyc.netfilter.question import Question

_OWN = {4: parse_address("192.0.2.0", 4), 6: parse_address("2001:db8:ffff::", 6)}
_GROUPS = {4: Network(4, 0xE0000000, 0xE0000000), 6: Network(6, 0xFF << 120, 0xFF << 120)}  # broadcasts of IPv4 too
_LOOPBACK = {4: Network(4, 127 << 24, 0xFF << 24), 6: Network(6, 1, ALL_ONES[6])}


@dataclass(slots=True)
class Layout:
    """What is where, while a host is thought up.

    `names` are interfaces in the source's order, `devices` the one by which each zone is reached, `networks` pairs of a
    network and its interface, `own` this host's addresses by interface. `said` are assumptions about the question,
    `invented` those about an interface that only matter to packets that use it. `entry` is "" for what this host sends.
    """

    question: Question
    hints: Hints
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
        for bridge in hints.bridges:
            (name,) = bridge.interfaces
            self.networks += [(network, name) for network in bridge.networks]
            self.own[name] = [one for one in bridge.addresses if one.family == self.family]
        self.exit = self._named(headers.exit, headers.dst)
        self.entry = "" if headers.local else self._named(headers.entry, headers.src)
        for zone in sorted(hints.zones, key=lambda one: not one.interfaces):
            self._take(zone)
        self.networks += [(one.network, one.interface) for one in hints.behind]
        if not headers.local and not self.entry:
            self.entry = self._entry()
        for name in filter(None, (self.entry, self.exit)):
            self.names.setdefault(name)

    def _named(self, text: str, address: int) -> str:
        """Return the interface that stands after `in` or `out`, where a zone may stand; `address` is on that side."""
        zone = self.hints.zone(text)
        if zone is not None and (near := self.behind(address)) and fits(zone, near):
            self.devices[zone.name] = near
            return near
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
            device = near[0] if near else self.fresh()
            if not near:
                self.invented[device] = f"zone {zone.name} is reached through {device}: it names no interface"
        else:
            pattern = zone.interfaces[0]
            device = f"{pattern[:-1] or 'eth'}0"
            self.invented[device] = f"{device} is an interface of zone {zone.name} ({pattern})"
        self.names.setdefault(device)
        return device

    def fresh(self) -> str:
        """Return a new interface, of the first name that is free."""
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
        found = self.behind(source) or self.outside()
        if not found and not self.names and not self.hints.patterns:
            found = self.fresh()
        if not found:
            raise no_way_in(self.question, self.candidates)
        self.said.append(f"it comes in by {found}")
        return found

    def outside(self) -> str:
        """Return the interface of the only zone without networks, "" where there is none or several.

        Without zones, the only interface that no rule takes to have a network behind it.
        """
        if not self.hints.zones:
            plain = self.plain()
            return plain[0] if len(plain) == 1 else ""
        zones = [zone for zone in self.hints.zones if zone.interfaces and not zone.networks]
        if len(zones) > 1 and not self.strict:
            zones = [zone for zone in zones if not zone.owner]
        return self.devices[zones[0].name] if len(zones) == 1 else ""

    @property
    def family(self) -> int:
        """4 or 6."""
        return self.question.headers.family

    def behind(self, address: int) -> str:
        """Return the interface whose networks hold an address, the most specific one first; "" for none."""
        found = [pair for pair in self.networks if pair[0].family == self.family and address in pair[0]]
        return max(found, key=lambda pair: pair[0].mask)[1] if found else ""

    def is_own(self, address: int) -> bool:
        """Whether a zone names the address as this host's."""
        return any(one.address == address for owned in self.own.values() for one in owned)

    def free_addresses(self) -> Iterator[int]:
        """Yield documentation addresses that neither the question nor the source uses."""
        headers = self.question.headers
        targets = (address for family, address in self.hints.targets if family == self.family)
        taken = {headers.src, headers.dst, *targets}
        address = _OWN[self.family]
        while True:
            address += 1
            if address not in taken and not self.is_own(address):
                yield address

    def is_nobodys(self, address: int) -> bool:
        """Whether an address is no single host's elsewhere: a group, a broadcast, loopback."""
        return address in _GROUPS[self.family] or address in _LOOPBACK[self.family]

    def plain(self) -> list[str]:
        """Return the interfaces of which nobody knows what is behind them, in the source's order."""
        known = {device for network, device in self.networks if network.family == self.family}
        return [name for name in self.names if name not in known and name != LOOPBACK]

    def other(self) -> str:
        """Return an interface that the packet did not come in by and that may lead anywhere: the first, else one more."""
        return next((name for name in self.plain() if name != self.entry), "") or self.fresh()

    @property
    def candidates(self) -> list[str]:
        """What may stand after `in` and `out`."""
        return [*(zone.name for zone in self.hints.zones), *self.names]
