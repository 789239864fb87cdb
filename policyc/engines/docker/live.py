"""The networks of a running daemon: their bridges, subnets and the addresses that are in use.

Options of the bridge driver become a Bridge here; what nobody said is drawn, or taken from what is known of a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

from policyc.diagnostics import InputError, diagnose
from policyc.engines.docker.addresses import Leases, Subnets, address_of_mac
from policyc.engines.docker.ports import Address
from policyc.engines.docker.rules import Bridge
from policyc.engines.docker.running import Running
from policyc.engines.docker.scenario import Drawn, DrawnNetwork, Host, Network, Settings, Subnet
from policyc.engines.docker.versions import Behaviour
from policyc.source import Source, Span

DEFAULT_NETWORK = "bridge"
_NO_DRAWN = DrawnNetwork()
_ID_DIGITS = 12


@dataclass(slots=True)
class LiveNetwork:
    """A network that exists. Networks of other drivers than `bridge` have no bridge, and no rules."""

    config: Network
    bridge: Bridge | None
    leases: Mapping[int, Leases]
    default_host: Address | None
    id: str
    gateways: Mapping[int, Address] = field(default_factory=dict)
    """The addresses of the bridge itself, by family."""
    from_mac: bool = False
    is_drawn: bool = False
    """Whether the daemon draws the name of its bridge, and nobody knows what it drew."""

    def lease(self, wanted: tuple[Address, ...], known: tuple[Address, ...]) -> dict[int, Address] | str:
        """Return an address of each family for a container, or why there is none.

        `wanted` must be had; `known` are those that a run of the daemon drew.
        """
        found: dict[int, Address] = {}
        for family, leases in self.leases.items():
            asked = next((address for address in wanted if address.version == family), None)
            address = leases.take(asked)
            if asked is None:
                drawn = next((each for each in known if each.version == family and each in leases.subnet), None)
                first = found.get(4)
                if drawn is None and self.from_mac and family == 6 and isinstance(first, IPv4Address):
                    assert isinstance(leases.subnet, IPv6Network)
                    drawn = address_of_mac(leases.subnet, first)
                if drawn is not None and drawn != address:
                    if address is not None:
                        leases.release(address)
                    address = leases.take(drawn) or leases.take()
            if address is None:
                which = f"the address {asked}" if asked else "another address"
                return f"the network `{self.config.name}` ({leases.subnet}) cannot give {which}"
            found[family] = address
        return found

    def release(self, addresses: Mapping[int, Address]) -> None:
        """Take addresses back."""
        for family, address in addresses.items():
            self.leases[family].release(address)


class Networks:
    """All networks of a daemon."""

    def __init__(self, how: Behaviour, settings: Settings, host: Host, drawn: Drawn, running: Running) -> None:
        self._how = how
        self._settings = settings
        self._drawn = drawn
        self._running = running
        nets = [each.network for addresses in host.interfaces.values() for each in addresses]
        nets += [subnet for name, subnets in running.subnets.items() if name != settings.bridge for subnet in subnets]
        self._subnets = Subnets(settings.address_pools, nets)
        self.live: dict[str, LiveNetwork] = {}

    def default(self) -> Network:
        """Return the default bridge as the daemon's settings make it."""
        given = self._settings
        subnets: list[Subnet] = []
        gateways: list[Address] = []
        ranges: list[Subnet] = []
        if given.bip is not None:
            subnets.append(given.bip.network)
            gateways.append(given.bip.ip)
        if given.fixed_cidr is not None:
            inside = given.bip.network if given.bip else IPv4Network("172.17.0.0/16")
            if given.fixed_cidr.subnet_of(inside):
                ranges.append(given.fixed_cidr)
                if given.bip is None:
                    subnets.append(inside)
                    gateways.append(inside.network_address + 1)
            else:
                subnets.append(given.fixed_cidr)
        if given.ipv6 and given.bip6 is not None:
            subnets.append(given.bip6.network)
            gateways.append(given.bip6.ip)
        if given.ipv6 and given.fixed_cidr_v6 is not None:
            (ranges if given.bip6 else subnets).append(given.fixed_cidr_v6)
        options = {
            "com.docker.network.bridge.name": given.bridge,
            "com.docker.network.bridge.enable_icc": str(given.icc).lower(),
            "com.docker.network.bridge.enable_ip_masquerade": str(given.ip_masq).lower(),
        }
        if given.ip is not None:
            options["com.docker.network.bridge.host_binding_ipv4"] = str(given.ip)
        return Network(
            DEFAULT_NETWORK, ipv6=given.ipv6, subnets=tuple(subnets), gateways=tuple(gateways), ranges=tuple(ranges),
            options=options,
        )  # fmt: skip

    def find(self, name: str, span: Span | None = None) -> LiveNetwork:
        """Return a network. Raises InputError where there is none of that name."""
        found = self.live.get(name)
        if found is None:
            known = f"there are {', '.join(self.live)}, host and none" if self.live else "there are host and none"
            raise refused(name, f"no network `{name}`", span, known)
        return found

    def stored(self) -> Iterator[LiveNetwork]:
        """Yield the networks as the daemon finds them in its store, by id; those whose id nobody knows as they were made."""
        yield from sorted(self.live.values(), key=lambda network: network.id)

    def remove(self, name: str) -> None:
        """Forget a network and give its subnets back."""
        gone = self.live.pop(name)
        for leases in gone.leases.values():
            self._subnets.release(leases.subnet)

    def add(self, network: Network) -> LiveNetwork:
        """Make a network. Raises InputError where its name or subnet is taken, or an option has a value that cannot be."""
        if network.name in self.live or network.name in {"host", "none"}:
            raise refused(network.name, f"there is a network `{network.name}` already", network.span)
        drawn = self._known(network)
        if network.driver != "bridge":
            made = LiveNetwork(network, None, {}, None, drawn.id)
        else:
            if network.name != DEFAULT_NETWORK:
                network = replace(network, options={**self._settings.bridge_options, **network.options})
            made = self._bridged(network, drawn)
        self.live[network.name] = made
        return made

    def _known(self, network: Network) -> DrawnNetwork:
        """Return what is known to have been drawn for a network, by a run or by the daemon that runs already."""
        drawn = self._drawn.networks.get(network.name, _NO_DRAWN)
        interface = network.option("bridge.name") or drawn.bridge
        taken = tuple(self._running.subnets.get(interface, ()))
        return replace(drawn, subnets=drawn.subnets or taken)

    def _bridged(self, network: Network, drawn: DrawnNetwork) -> LiveNetwork:
        modes = {family: self._mode(network, family) for family in (4, 6)}
        families = [family for family, wanted in ((4, network.ipv4), (6, network.ipv6)) if wanted]
        leases: dict[int, Leases] = {}
        taken: dict[int, Address] = {}
        for family in families:
            subnet = self._subnet(network, drawn, family)
            if subnet is not None:
                within = next((each for each in network.ranges if each.version == family), None)
                leases[family] = Leases(subnet, within)
                for used in (each for each in self._running.addresses if each in subnet):
                    leases[family].take(used)
                if modes[family] != "isolated":
                    gateways = (*network.gateways, *drawn.gateways)
                    address = leases[family].take(next((each for each in gateways if each in subnet), None))
                    if address is not None:
                        taken[family] = address
        options = {
            4: (network.option("host_ipv4"), "host_ipv4"),
            6: (network.option("host_ipv6") if self._how.host_ipv6 else "", "host_ipv6"),
        }
        source = {family: self._address(network, text, name) for family, (text, name) in options.items() if text}
        binding = network.option("bridge.host_binding_ipv4")
        trusted = network.option("bridge.trusted_host_interfaces")
        interface = network.option("bridge.name") or drawn.bridge
        bridge = Bridge(
            name=network.name,
            interface=interface or self._drawn_name(network.name, drawn.id),
            subnets={family: each.subnet for family, each in leases.items()},
            internal=network.internal,
            icc=self._flag(network, "bridge.enable_icc"),
            masquerade=self._flag(network, "bridge.enable_ip_masquerade"),
            modes=modes,
            source=source,
            trusted=tuple(trusted.replace(",", ":").split(":")) if trusted else (),
        )
        host = self._address(network, binding, "bridge.host_binding_ipv4") if binding else None
        from_mac = network.name == DEFAULT_NETWORK and self._how.default_bridge_ipv6_from_mac
        is_drawn = not interface and not drawn.id
        return LiveNetwork(network, bridge, leases, host, drawn.id, taken, from_mac, is_drawn)

    def _drawn_name(self, network: str, identity: str) -> str:
        """Return the name of a bridge, `br-` and the first digits of the network's id; `_NAME_` stands in for those.

        The stand-in is a name that iptables and nft take, and that no other network has.
        """
        if identity:
            return f"br-{identity[:_ID_DIGITS]}"
        used = {one.bridge.interface for one in self.live.values() if one.bridge}
        short = network[: _ID_DIGITS - 2]
        names = (short, *(f"{short[: _ID_DIGITS - 2 - len(str(number))]}{number}" for number in range(2, 1000)))
        return next(name for name in (f"br-_{each}_" for each in names) if name not in used)

    def _subnet(self, network: Network, drawn: DrawnNetwork, family: int) -> Subnet | None:
        given = next((each for each in network.subnets if each.version == family), None)
        known = next((each for each in drawn.subnets if each.version == family), None)
        subnet = given or known
        if subnet is None and family == 6 and not self._how.ipv6_pool and not self._settings.address_pools:
            raise refused(
                network.name, f"the network `{network.name}` needs an IPv6 subnet in this release", network.span
            )
        subnet = subnet or self._subnets.draw(family)
        if subnet is None:
            raise refused(network.name, f"the pools have no subnet left for `{network.name}`", network.span)
        other = self._subnets.take(subnet)
        if other is not None:
            message = f"the subnet {subnet} of `{network.name}` overlaps {other}, which another network has"
            raise refused(network.name, message, network.span)
        return subnet

    def _mode(self, network: Network, family: int) -> str:
        word = network.option(f"bridge.gateway_mode_ipv{family}")
        known = self._how.gateway_modes
        if not word or not known:
            return "nat"
        if word not in known:
            message = f"`{word}` is no gateway mode of this release"
            raise refused(network.name, message, network.span, f"there are {', '.join(sorted(known))}")
        return word

    def _flag(self, network: Network, name: str) -> bool:
        word = network.option(name).lower()
        if word not in {"", "true", "false", "1", "0", "t", "f"}:
            raise refused(network.name, f"the option `{name}` of `{network.name}` is true or false", network.span)
        return word not in {"false", "0", "f"}

    def _address(self, network: Network, text: str, name: str) -> Address:
        try:
            return ip_address(text)
        except ValueError:
            message = f"the option `{name}` of `{network.name}` is no address: `{text}`"
            raise refused(network.name, message, network.span) from None


def refused(name: str, message: str, span: Span | None = None, hint: str = "") -> InputError:
    """Return the error for what the engine would refuse."""
    where = span or Source("scenario", name).span(0, len(name))
    return InputError([diagnose("engine-refuses", message, where, help=hint)])
