"""dockerd played: networks and containers come and go, addresses and ports are given out, and the firewall is told.

The heart of a preview: a Scenario goes in step by step, what stands in the tables afterwards is the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from policyc.diagnostics import Diagnostic, Severity, diagnose
from policyc.engines.docker.binding import ANY, Gateway, bind
from policyc.engines.docker.firewall import Firewall
from policyc.engines.docker.host_ports import HostPorts, PortTakenError
from policyc.engines.docker.live import DEFAULT_NETWORK, LiveNetwork, Networks, refused
from policyc.engines.docker.nft_firewall import NftFirewall
from policyc.engines.docker.ports import Address, Binding, Port
from policyc.engines.docker.rules import Bridge
from policyc.engines.docker.running import Running, running_in
from policyc.engines.docker.scenario import Container, Drawn, Host, Network, Settings
from policyc.engines.docker.versions import Behaviour
from policyc.engines.tables import Tables
from policyc.netfilter.ruleset import Ruleset
from policyc.source import Source, Span

_RUNNING = "a container that runs"


@dataclass(slots=True)
class LiveContainer:
    """A container that exists; while it runs it has addresses on its networks and ports on the host."""

    config: Container
    networks: list[str]
    running: bool = False
    addresses: dict[str, dict[int, Address]] = field(default_factory=dict)
    bindings: list[tuple[Bridge, Binding]] = field(default_factory=list)
    links: list[tuple[Bridge, Address, Address, Port]] = field(default_factory=list)


class Daemon:
    """A daemon of one release with its settings, on one host.

    `before` are the host's rules, None where nothing is known to be there; a daemon whose chains are among them runs already.
    """

    def __init__(
        self, how: Behaviour, settings: Settings, host: Host, drawn: Drawn, before: Ruleset | None = None
    ) -> None:
        self.how = how
        self.settings = settings
        self.host = host
        self.sysctls: dict[str, str] = {}
        self.tables = Tables("docker", before)
        self.running = None if before is None else running_in(before)
        self.forwards = {4: host.forwards, 6: False}
        self.containers: dict[str, LiveContainer] = {}
        self.remarks: list[Diagnostic] = []
        self._drawn = drawn
        backend = NftFirewall if settings.backend == "nftables" else Firewall
        self._firewall: Firewall | NftFirewall = backend(self.tables, how, settings)
        self._networks = Networks(how, settings, host, drawn, self.running or Running())
        self._ports = HostPorts()
        for held in self.running.ports if self.running else ():
            self._ports.hold(_RUNNING, held.protocol, [held.host], held.port)

    @property
    def firewall(self) -> Firewall | NftFirewall:
        """What it programs."""
        return self._firewall

    @property
    def networks(self) -> dict[str, LiveNetwork]:
        """The networks that there are, by name, in the order in which they were made."""
        return self._networks.live

    def start(self) -> None:
        """Start the daemon, if it does not run yet. Raises InputError where it would refuse."""
        self._refuse()
        if self.running is not None and isinstance(self._firewall, Firewall):
            if wrong := self._firewall.adopt(self.running):
                message = f"the daemon that runs is of another release: the host {wrong}"
                raise refused("filter", message, hint="name the release that runs there with `--engine`")
            for family in (4, 6):
                if self.settings.ip_forward and self.running.external(family):
                    self.forwards[family] = True
            if self.settings.bridge != "none":
                self._networks.add(self._networks.default())
            return
        self._prepare()
        if self.settings.bridge != "none":
            self.add_network(self._networks.default())

    def _refuse(self) -> None:
        if self.settings.ip6tables and self.how.ip6tables_is_experimental and not self.settings.experimental:
            message = "this release filters IPv6 only with `experimental`: the daemon would refuse to start"
            raise refused("ip6tables", message)

    def _prepare(self) -> None:
        self._firewall.start()
        if not self.how.ipv6_forward_drop:
            return
        if self.settings.ip_forward:
            self._forward(4)
            if 6 in self._firewall.families and isinstance(self._firewall, Firewall):
                self._firewall.drop_by_default(6)

    def _forward(self, family: int) -> None:
        """Turn on forwarding, if it is not on; then FORWARD drops what no rule decides.

        With nftables the daemon turns nothing on, and refuses instead: the preview goes on as if the host forwarded.
        """
        if not self.settings.ip_forward or self.forwards[family]:
            return
        self.forwards[family] = True
        if isinstance(self._firewall, NftFirewall):
            message = f"with nftables the daemon refuses to make a network with IPv{family} on a host that does not forward it"
            hint = f"net.ipv{family}.conf.all.forwarding=1; the preview assumes it"
            where = Source("scenario", "firewall-backend").span(0, 0)
            self.remarks.append(
                diagnose("engine-refuses", message, where, help=hint, severity_override=Severity.WARNING)
            )
        elif family in self._firewall.families and not self.settings.ip_forward_no_drop:
            self._firewall.drop_by_default(family)

    def restart(self) -> None:
        """Restart the daemon: containers stop and come back, stored networks are programmed anew, the default one last."""
        running = [one for one in self.containers.values() if one.running]
        if self.settings.live_restore and running:
            self._resume(running)
            return
        for one in running:
            self._stop(one)
        self._prepare()
        default = self.networks.get(DEFAULT_NETWORK)
        for network in self._networks.stored():
            self._program(network)
        if default is not None:
            self.remove_network(DEFAULT_NETWORK)
            self.add_network(self._networks.default())
        for one in running:
            self.start_container(one.config.name)

    def _resume(self, running: list[LiveContainer]) -> None:
        """Restart beneath containers that go on: their networks stay, and so does the default one."""
        self._prepare()
        for network in self._networks.stored():
            self._program(network)
        for one in running:
            for name, addresses in one.addresses.items():
                self._firewall.add_endpoint(self._bridge(name), addresses)
            for bridge, binding in one.bindings:
                self._firewall.add_port(bridge, binding)
            for link in one.links:
                self._firewall.add_link(*link)

    # networks

    def add_network(self, network: Network) -> None:
        """Make a network. Raises InputError where its name or subnet is taken, or an option cannot be."""
        made = self._networks.add(network)
        self._program(made)

    def _program(self, network: LiveNetwork) -> None:
        if network.bridge is not None:
            if not self.how.ipv6_forward_drop:
                for family in sorted(network.bridge.subnets):
                    self._forward(family)
            elif 6 in network.bridge.subnets and self.settings.ip_forward:
                self.forwards[6] = True
            self._firewall.add_network(network.bridge)
        self._firewall.user_chain()

    def remove_network(self, name: str) -> None:
        """Remove a network. Raises InputError where there is none or containers run on it."""
        network = self._networks.find(name)
        user = next((one.config.name for one in self.containers.values() if one.running and name in one.networks), "")
        if user:
            raise refused(name, f"the network `{name}` is in use by `{user}`")
        if network.bridge is not None:
            self._firewall.remove_network(network.bridge)
        self._networks.remove(name)

    def _bridge(self, name: str) -> Bridge:
        bridge = self.networks[name].bridge
        assert bridge is not None, "only bridges have addresses here"
        return bridge

    # containers

    def create(self, container: Container) -> None:
        """Make a container, not yet started. Raises InputError where its name is taken or a network is missing."""
        if container.name in self.containers:
            raise refused(container.name, f"the name `{container.name}` is in use already", container.span)
        for name in container.networks:
            self._check_network(name, container.span)
        for other, _ in container.links:
            self.container(other, container.span)
        self.containers[container.name] = LiveContainer(container, list(container.networks))

    def _check_network(self, name: str, span: Span | None) -> None:
        if name.startswith("container:"):
            self.container(name.removeprefix("container:"), span)
        elif name not in {"host", "none"}:
            self._networks.find(name, span)

    def container(self, name: str, span: Span | None = None) -> LiveContainer:
        """Return a container. Raises InputError where there is none of that name."""
        found = self.containers.get(name)
        if found is None:
            known = f"there are {', '.join(self.containers)}" if self.containers else "there is none"
            raise refused(name, f"no container `{name}`", span, known)
        return found

    def run(self, container: Container) -> None:
        """Make a container and start it."""
        self.create(container)
        self.start_container(container.name)

    def start_container(self, name: str) -> None:
        """Start a container. Raises InputError where an address or port is not to be had."""
        one = self.container(name)
        if one.running:
            return
        one.running = True
        for network in one.networks:
            self._attach(one, network)
        self._link(one)

    def stop(self, name: str) -> None:
        """Stop a container, if it runs."""
        self._stop(self.container(name))

    def _stop(self, one: LiveContainer) -> None:
        if not one.running:
            return
        self._unlink(one)
        self._unbind(one)
        for network in list(one.addresses):
            self._detach(one, network)
        one.running = False

    def remove(self, name: str, *, force: bool) -> None:
        """Remove a container. Raises InputError where it runs and is not forced."""
        one = self.container(name)
        if one.running and not force:
            raise refused(name, f"the container `{name}` runs: stop it, or remove it with `-f`")
        self._stop(one)
        del self.containers[name]

    def connect(self, network: str, name: str, wanted: tuple[Address, ...] = ()) -> None:
        """Connect a container to one more network."""
        one = self.container(name)
        self._check_network(network, None)
        one.networks.append(network)
        if one.running:
            self._attach(one, network, wanted)

    def disconnect(self, network: str, name: str) -> None:
        """Take a container off a network."""
        one = self.container(name)
        if network not in one.networks:
            raise refused(name, f"the container `{name}` is not on the network `{network}`")
        one.networks.remove(network)
        if network in one.addresses:
            self._unbind(one)
            self._detach(one, network)
            self._bind(one)

    def _attach(self, one: LiveContainer, name: str, wanted: tuple[Address, ...] = ()) -> None:
        network = self.networks.get(name)
        if network is None or network.bridge is None:
            return
        if not wanted and name == one.networks[0]:
            wanted = tuple(address for address in (one.config.ip, one.config.ip6) if address is not None)
        drawn = self._drawn.containers.get(one.config.name)
        known = drawn.addresses.get(name, ()) if drawn else ()
        addresses = network.lease(wanted, known)
        if isinstance(addresses, str):
            raise refused(one.config.name, addresses, one.config.span)
        one.addresses[name] = addresses
        self._firewall.add_endpoint(network.bridge, addresses)
        self._rebind(one)

    def _detach(self, one: LiveContainer, name: str) -> None:
        addresses = one.addresses.pop(name)
        network = self.networks[name]
        self._firewall.remove_endpoint(self._bridge(name), addresses)
        network.release(addresses)

    # published ports

    def gateways_of(self, one: LiveContainer) -> Iterator[tuple[int, str]]:
        """Yield the network that carries each family of a container: the first by priority, families and name."""

        def rank(name: str) -> tuple[int, bool, bool, str]:
            bridge = self._bridge(name)
            return (-one.config.priorities.get(name, 0), bridge.internal, len(bridge.subnets) < 2, name)

        names = [name for name in sorted(one.addresses, key=rank) if not self._bridge(name).internal]
        for family in (4, 6):
            found = next((name for name in names if family in one.addresses[name]), None)
            if found is not None:
                yield family, found

    def _rebind(self, one: LiveContainer) -> None:
        """Move the published ports to the network that carries them now, if it is another."""
        carriers = dict(self.gateways_of(one))
        bound = {binding.family: bridge.name for bridge, binding in one.bindings}
        if any(carriers.get(family) != name for family, name in bound.items()) or not one.bindings:
            self._unbind(one)
            self._bind(one)

    def _bind(self, one: LiveContainer) -> None:
        carriers = dict(self.gateways_of(one))
        if not carriers:
            return
        first = self.networks[carriers.get(4) or carriers[6]]
        addresses = {family: one.addresses[name][family] for family, name in carriers.items()}
        routed = frozenset(family for family, name in carriers.items() if self._bridge(name).is_routed(family))
        gateway = Gateway(addresses, routed, first.default_host or ANY[4], self.settings.userland_proxy)
        drawn = self._drawn.containers.get(one.config.name)
        try:
            bindings = bind(one.config, gateway, self.how.port_order, self._ports, drawn)
        except PortTakenError as error:
            raise refused(one.config.name, str(error), one.config.span) from None
        for binding in bindings:
            bridge = self._bridge(carriers[binding.family])
            one.bindings.append((bridge, binding))
            self._firewall.add_port(bridge, binding)

    def _unbind(self, one: LiveContainer) -> None:
        for bridge, binding in one.bindings:
            self._firewall.remove_port(bridge, binding)
        one.bindings.clear()
        self._ports.release(one.config.name)

    # links

    def _link(self, one: LiveContainer) -> None:
        """Open what links ask for, in both roles, where the default bridge keeps containers apart."""
        default = self.networks.get(DEFAULT_NETWORK)
        if default is None or default.bridge is None or default.bridge.icc:
            return
        for parent in self.containers.values():
            for name, _ in parent.config.links:
                child = self.containers.get(name)
                if child is not None and one in (parent, child):
                    self._open(default.bridge, parent, child)

    def _open(self, bridge: Bridge, parent: LiveContainer, child: LiveContainer) -> None:
        ends = [each.addresses.get(DEFAULT_NETWORK, {}).get(4) for each in (parent, child)]
        if ends[0] is None or ends[1] is None:
            return
        for port in child.config.exposed:
            link = (bridge, ends[0], ends[1], port)
            self._firewall.add_link(*link)
            for each in (parent, child):
                each.links.append(link)

    def _unlink(self, one: LiveContainer) -> None:
        for link in one.links:
            self._firewall.remove_link(*link)
        gone = list(one.links)
        for each in self.containers.values():
            each.links = [link for link in each.links if link not in gone]
