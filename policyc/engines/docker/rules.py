"""The rules themselves: what a network, an endpoint, a published port and a link put into the tables of one family.

Each function yields rules in the order in which the daemon programs them, with their place; `firewall` puts them there, or
takes them away again. Source: moby, libnetwork/drivers/bridge (setup_ip_tables_linux.go, internal/iptabler).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policyc.engines.docker.ports import Address, Binding, Port
from policyc.engines.docker.scenario import Subnet
from policyc.engines.docker.versions import Behaviour, DirectAccess, Isolation, Layout, RoutedReturn
from policyc.frozen import frozen

LOOPBACK = {4: "127.0.0.0/8", 6: "::1/128"}
ESTABLISHED = "-m conntrack --ctstate RELATED,ESTABLISHED"


@frozen
class Placed:
    """A rule and where it is put: at the top of its chain, or at its end."""

    table: str
    chain: str
    rule: str
    top: bool = False


@frozen
class Bridge:
    """A bridge network as it is programmed: `modes` of the gateway and `source` addresses by family."""

    name: str
    interface: str
    subnets: Mapping[int, Subnet]
    internal: bool
    icc: bool
    masquerade: bool
    modes: Mapping[int, str]
    source: Mapping[int, Address]
    trusted: tuple[str, ...]

    def is_routed(self, family: int) -> bool:
        """Whether packets reach containers by their own addresses alone."""
        return self.modes.get(family) == "routed"

    def is_unprotected(self, family: int) -> bool:
        """Whether everything may come to its containers."""
        return self.modes.get(family) == "nat-unprotected"


@frozen
class Programming:
    """What all rules of a daemon depend on: its release, and whether docker-proxy runs (`hairpin` where it does not)."""

    how: Behaviour
    hairpin: bool
    allow_direct_routing: bool
    accept_mark: str

    @property
    def forward(self) -> str:
        """The chain that holds what a network may forward."""
        return "DOCKER-FORWARD" if self.how.layout is Layout.CHAINS else "FORWARD"

    def network(self, bridge: Bridge, family: int) -> Iterator[Placed]:
        """Yield the rules of a network."""
        if bridge.internal:
            yield from self._internal(bridge, family)
        else:
            yield from self._translation(bridge, family)
            if self.how.layout is Layout.FORWARD:
                yield from self._forward_newest_first(bridge)
            else:
                yield from self._forward_oldest_first(bridge, family)

    def _translation(self, bridge: Bridge, family: int) -> Iterator[Placed]:
        name, routed, how = bridge.interface, bridge.is_routed(family), self.how
        source = bridge.source.get(family)
        target = f"SNAT --to-source {source}" if source else "MASQUERADE"
        if bridge.masquerade and not routed:
            yield Placed("nat", "POSTROUTING", f"-s {bridge.subnets[family]} ! -o {name} -j {target}", top=True)
        returns = bridge.masquerade and not self.hairpin
        if routed:
            returns = how.routed_returns is RoutedReturn.ALWAYS or (
                returns and how.routed_returns is RoutedReturn.AS_OTHERS
            )
        if how.skips_own_bridge and returns:
            yield Placed("nat", "DOCKER", f"-i {name} -j RETURN", top=True)
        if self.hairpin:
            yield Placed("nat", "POSTROUTING", f"-o {name} -m addrtype --src-type LOCAL -j {target}", top=True)

    def _forward_newest_first(self, bridge: Bridge) -> Iterator[Placed]:
        name = bridge.interface
        yield _between_containers(bridge, "FORWARD", top=bridge.icc)
        yield Placed("filter", "FORWARD", f"-i {name} ! -o {name} -j ACCEPT", top=True)
        yield Placed("filter", "FORWARD", f"-o {name} -j DOCKER", top=True)
        yield Placed("filter", "FORWARD", f"-o {name} {ESTABLISHED} -j ACCEPT", top=True)

    def _forward_oldest_first(self, bridge: Bridge, family: int) -> Iterator[Placed]:
        name = bridge.interface
        if self.accept_mark:
            yield Placed("filter", self.forward, f"-m mark --mark {self.accept_mark} -j ACCEPT", top=True)
        if not bridge.icc:
            yield _between_containers(bridge, self.forward)
        if bridge.is_routed(family):
            yield Placed("filter", "DOCKER", f"-o {name} -p {'icmp' if family == 4 else 'icmpv6'} -j ACCEPT")
        yield Placed("filter", self.forward, f"-i {name}{'' if bridge.icc else f' ! -o {name}'} -j ACCEPT")
        verdict = "ACCEPT" if bridge.is_unprotected(family) else "DROP"
        yield Placed("filter", "DOCKER", f"! -i {name} -o {name} -j {verdict}")
        if self.how.layout is Layout.CHAINS:
            yield Placed("filter", "DOCKER-CT", f"-o {name} {ESTABLISHED} -j ACCEPT")
            yield Placed("filter", "DOCKER-BRIDGE", f"-o {name} -j DOCKER")

    def _internal(self, bridge: Bridge, family: int) -> Iterator[Placed]:
        name, subnet = bridge.interface, bridge.subnets[family]
        chain = "DOCKER-INTERNAL" if self.how.isolation is Isolation.INTERNAL else "DOCKER-ISOLATION-STAGE-1"
        leaves, comes = f"-i {name}", f"-o {name}"
        if family == 6 and self.how.internal_ipv6_checks_bridge:
            leaves, comes = f"-i {name} ! -o {name}", f"! -i {name} -o {name}"
        yield Placed("filter", chain, f"{leaves} ! -d {subnet} -j DROP", top=True)
        yield Placed("filter", chain, f"{comes} ! -s {subnet} -j DROP", top=True)
        yield _between_containers(bridge, self.forward, top=bridge.icc and self.how.layout is Layout.FORWARD)

    def isolation(self, bridge: Bridge, family: int) -> Iterator[Placed]:
        """Yield the rules that keep a network from all others."""
        name, kind = bridge.interface, self.how.isolation
        if bridge.internal or kind is Isolation.INTERNAL:
            return
        first, second = "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2"
        newest_first = kind is Isolation.STAGES_FIRST
        if bridge.is_routed(family) and not newest_first:
            yield Placed("filter", first, f"-o {name} -j RETURN", top=True)
            yield Placed("filter", first, f"-i {name} {ESTABLISHED} -j ACCEPT", top=True)
        yield Placed("filter", first, f"-i {name} ! -o {name} -j {second}", top=newest_first)
        yield Placed("filter", second, f"-o {name} -j DROP", top=True)

    def endpoint(self, bridge: Bridge, address: Address) -> Iterator[Placed]:
        """Yield the rules for one address of a container."""
        family = address.version
        if self.how.direct_access is not DirectAccess.BY_ENDPOINT or self.allow_direct_routing or bridge.internal:
            return
        if bridge.is_routed(family) or bridge.is_unprotected(family):
            return
        for trusted in bridge.trusted:
            yield Placed("raw", "PREROUTING", f"-d {address} -i {trusted} -j ACCEPT")
        yield Placed("raw", "PREROUTING", f"-d {address} ! -i {bridge.interface} -j DROP")

    def port(self, bridge: Bridge, binding: Binding) -> Iterator[Placed]:
        """Yield the rules for a published port; where docker-proxy alone carries from IPv6 to IPv4, only what guards it."""
        name, family = bridge.interface, binding.family
        protocol, number = binding.port.protocol, binding.port.number
        if self.how.loopback_guard and binding.host_port and binding.host.version == 4 and binding.host.is_loopback:
            rule = f"-p {protocol} -d {binding.host} --dport {binding.host_port} ! -i lo -j DROP"
            yield Placed("raw", "PREROUTING", rule)
        direct = f"-p {protocol} -d {binding.container} --dport {number}"
        guarded = not (bridge.is_routed(family) or bridge.is_unprotected(family))
        if self.how.direct_access is DirectAccess.BY_PORT and guarded:
            yield Placed("raw", "PREROUTING", f"{direct} ! -i {name} -j DROP")
        if binding.host.version != family:
            return
        if binding.host_port:
            yield Placed("nat", "DOCKER", self._translated(bridge, binding))
            if self.how.masquerades_itself or self.hairpin:
                yield Placed("nat", "POSTROUTING", f"-s {binding.container} {direct} -j MASQUERADE")
        if not bridge.is_unprotected(family):
            rule = f"! -i {name} -o {name} {direct} -j ACCEPT"
            yield Placed("filter", "DOCKER", rule, top=self.how.open_ports_on_top)
        if protocol == "sctp" and self.how.sctp_checksum:
            yield Placed("mangle", "POSTROUTING", f"-p sctp --sport {number} -j CHECKSUM --checksum-fill")

    def _translated(self, bridge: Bridge, binding: Binding) -> str:
        container = f"[{binding.container}]" if binding.family == 6 else str(binding.container)
        return " ".join([
            *(["! -s fe80::/10"] if binding.family == 6 and self.how.link_local_is_proxied else []),
            *([] if binding.host.is_unspecified else [f"-d {binding.host}"]),
            *([] if self.hairpin else [f"! -i {bridge.interface}"]),
            f"-p {binding.port.protocol} --dport {binding.host_port}",
            f"-j DNAT --to-destination {container}:{binding.port.number}",
        ])  # fmt: skip

    def link(self, bridge: Bridge, parent: Address, child: Address, port: Port) -> Iterator[Placed]:
        """Yield the rules by which a container may ask a port of another on a bridge that keeps them apart."""
        way = f"-i {bridge.interface} -o {bridge.interface} -p {port.protocol}"
        yield Placed("filter", "DOCKER", f"{way} -s {parent} -d {child} --dport {port.number} -j ACCEPT")
        yield Placed("filter", "DOCKER", f"{way} -s {child} -d {parent} --sport {port.number} -j ACCEPT")


def _between_containers(bridge: Bridge, chain: str, *, top: bool = False) -> Placed:
    name = bridge.interface
    return Placed("filter", chain, f"-i {name} -o {name} -j {'ACCEPT' if bridge.icc else 'DROP'}", top)
