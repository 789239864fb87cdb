"""The rules of the iptables driver: those of a network's subnet, and those of a container's ports, in the order of programming.

Each says how long it stays: for ever, as long as its network has containers, or as long as its container.
Source: src/firewall/varktables/types.rs.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from hashlib import sha512

from policyc.engines.fields import Address, Subnet
from policyc.engines.netavark.scenario import DNS_PORT, Container, Isolation, Network, PortMapping
from policyc.engines.netavark.versions import Behaviour
from policyc.frozen import frozen
from policyc.netfilter.quoting import quote_word

MARK = "0x2000"
MULTICAST = {4: "224.0.0.0/4", 6: "ff00::/8"}
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
HOSTPORT_DNAT = "NETAVARK-HOSTPORT-DNAT"
HOSTPORT_SETMARK = "NETAVARK-HOSTPORT-SETMARK"
HOSTPORT_MASQ = "NETAVARK-HOSTPORT-MASQ"
FORWARD = "NETAVARK_FORWARD"
INPUT = "NETAVARK_INPUT"
ISOLATION = ("NETAVARK_ISOLATION_1", "NETAVARK_ISOLATION_2", "NETAVARK_ISOLATION_3")
_HASH = 13


class Stays(Enum):
    """How long a rule stays."""

    FOR_EVER = auto()
    AS_LONG_AS_THE_NETWORK = auto()
    AS_LONG_AS_THE_CONTAINER = auto()


@frozen
class Placed:
    """A rule with its chain: at the end, or before the rule with a number."""

    table: str
    chain: str
    rule: str
    stays: Stays = Stays.AS_LONG_AS_THE_NETWORK
    number: int | None = None


def hashed(name: str) -> str:
    """Return the part of chain names that stands for a network."""
    return sha512(name.encode()).hexdigest()[:_HASH].upper()


def masquerade_chain(network: Network) -> str:
    """Return the chain that masquerades what a network's containers send out."""
    return f"NETAVARK-{hashed(network.name)}"


def translation_chain(network: Network) -> str:
    """Return the chain that leads host ports to a network's containers."""
    return f"NETAVARK-DN-{hashed(network.name)}"


def network_chains(network: Network, how: Behaviour) -> Iterator[tuple[str, str]]:
    """Yield the chains that a network needs, with their tables."""
    yield "nat", masquerade_chain(network)
    first, second, third = ISOLATION
    if network.isolation is not Isolation.NEVER:
        yield "filter", first
    if how.strict_isolation:
        yield from (("filter", second), ("filter", third))
    elif network.isolation is not Isolation.NEVER:
        yield "filter", second
    if how.lets_dns_in:
        yield "filter", INPUT
    yield "filter", FORWARD


def network_rules(network: Network, subnet: Subnet, dns_port: int, how: Behaviour) -> Iterator[Placed]:
    """Yield the rules of one subnet of a network."""
    chain = masquerade_chain(network)
    yield Placed("nat", chain, f"-d {subnet} -j ACCEPT")
    yield Placed("nat", chain, f"! -d {MULTICAST[subnet.version]} -j MASQUERADE")
    yield Placed("nat", "POSTROUTING", f"-s {subnet} -j {chain}")
    apart = network.isolation is not Isolation.NEVER
    if apart or how.strict_isolation:
        yield from _isolation(network, how)
    enters = f"-m comment --comment {quote_word(how.title)} -j"
    if apart:
        yield Placed("filter", "FORWARD", f"-j {ISOLATION[0]}", number=1)
    yield Placed("filter", "FORWARD", f"{enters} {FORWARD}", Stays.FOR_EVER, 2 if apart else 1)
    if how.lets_dns_in:
        yield Placed("filter", "INPUT", f"{enters} {INPUT}", Stays.FOR_EVER, 1)
        for protocol in ("udp", "tcp"):
            yield Placed("filter", INPUT, f"-p {protocol} -s {subnet} --dport {dns_port} -j ACCEPT")
        yield Placed("filter", FORWARD, "-m conntrack --ctstate INVALID -j DROP", Stays.FOR_EVER)
    yield Placed("filter", FORWARD, f"-d {subnet} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
    yield Placed("filter", FORWARD, f"-s {subnet} -j ACCEPT")


def _isolation(network: Network, how: Behaviour) -> Iterator[Placed]:
    """Yield the rules that keep a network apart; one that is not is closed to networks with strict isolation."""
    name = network.interface
    first, second, third = ISOLATION
    if network.isolation is Isolation.NEVER:
        yield Placed("filter", third, f"-o {name} -j DROP", number=1)
        yield Placed("filter", third, f"-j {second}", Stays.FOR_EVER, 2)
        return
    target = third if network.isolation is Isolation.STRICT else second
    yield Placed("filter", first, f"-i {name} ! -o {name} -j {target}", number=1)
    yield Placed("filter", second, f"-o {name} -j DROP", number=1)
    if how.strict_isolation:
        yield Placed("filter", third, f"-j {second}", Stays.FOR_EVER, 1)


def port_chains(network: Network, container: Container) -> Iterator[str]:
    """Yield the chains of the table nat that a container's ports need."""
    yield from (HOSTPORT_SETMARK, HOSTPORT_MASQ)
    if container.ports is not None:
        yield translation_chain(network)
    yield HOSTPORT_DNAT


def port_rules(
    network: Network, container: Container, at: tuple[Address, Subnet], dns_port: int, how: Behaviour
) -> Iterator[Placed]:
    """Yield the rules that lead host ports to a container, whose address and subnet are `at`."""
    address, subnet = at
    family = address.version
    for_ever = Stays.FOR_EVER
    yield Placed("nat", HOSTPORT_SETMARK, f"-j MARK --set-xmark {MARK}/{MARK}", for_ever)
    marked = f"-m comment --comment {quote_word('netavark portfw masq mark')} -m mark --mark {MARK}/{MARK}"
    yield Placed("nat", HOSTPORT_MASQ, f"{marked} -j MASQUERADE", for_ever)
    yield Placed("nat", "POSTROUTING", f"-j {HOSTPORT_MASQ}", for_ever, 1)
    mappings = [mapping for mapping in container.ports or () if mapping.concerns(family)]
    for mapping in mappings:
        yield from _translation(translation_chain(network), mapping, address, subnet, how)
    if dns_port != DNS_PORT:
        yield from _dns(network, family, dns_port, how)
    comment = quote_word(f"dnat name: {network.name} id: {container.id}")
    for mapping in mappings:
        way = f"-p {mapping.protocol} --dport {_ports(mapping)} -m comment --comment {comment}"
        rule = f"{way} -j {translation_chain(network)}"
        yield Placed("nat", HOSTPORT_DNAT, rule, Stays.AS_LONG_AS_THE_CONTAINER)
    for chain in ("PREROUTING", "OUTPUT"):
        yield Placed("nat", chain, f"-m addrtype --dst-type LOCAL -j {HOSTPORT_DNAT}", for_ever)


def _translation(
    chain: str, mapping: PortMapping, address: Address, subnet: Subnet, how: Behaviour
) -> Iterator[Placed]:
    at = f"-p {mapping.protocol} --dport {_ports(mapping)}"
    if mapping.host is not None and not (mapping.host.is_unspecified and how.every_address):
        at += f" -d {mapping.host}"
    for source in (subnet, LOOPBACK[address.version]):
        yield Placed("nat", chain, f"{at} -s {source} -j {HOSTPORT_SETMARK}", Stays.AS_LONG_AS_THE_CONTAINER)
    ports = str(mapping.container_port)
    if mapping.count > 1:
        ports += f"-{mapping.container_port + mapping.count - 1}/{mapping.host_port}"
    rule = f"{at} -j DNAT --to-destination {_bracketed(address)}:{ports}"
    yield Placed("nat", chain, rule, Stays.AS_LONG_AS_THE_CONTAINER)


def _dns(network: Network, family: int, dns_port: int, how: Behaviour) -> Iterator[Placed]:
    """Yield the rules that lead DNS to a name server on another port."""
    for gateway in network.gateways:
        for protocol in ("udp", "tcp") if how.dns_first else ("udp",):
            if gateway.version == family:
                to = f"-j DNAT --to-destination {_bracketed(gateway)}:{dns_port}"
                rule = f"-d {gateway} -p {protocol} --dport {DNS_PORT} {to}"
                yield Placed("nat", HOSTPORT_DNAT, rule, number=1 if how.dns_first else None)


def _ports(mapping: PortMapping) -> str:
    first, last = mapping.host_ports
    return f"{first}:{last}" if mapping.count > 1 else str(first)


def _bracketed(address: Address) -> str:
    return f"[{address}]" if address.version == 6 else str(address)
