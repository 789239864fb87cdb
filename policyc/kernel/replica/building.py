"""A Host as the commands of ip(8) and the settings that make a namespace like it. Second step of a replica.

Every neighbour is there: interfaces do without ARP and neighbour discovery, so that a next hop always resolves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field, replace

from policyc.frozen import frozen
from policyc.host.groups import solicited_nodes
from policyc.host.host import Host, Interface, InterfaceAddress, Route, RouteKind, Scope
from policyc.host.ipv6_kinds import is_link_local
from policyc.host.routing_rule import RoutingRule, RuleAction, default_rules
from policyc.net.addresses import format_address

Setting = tuple[str, str]

_NAME = re.compile(r"[A-Za-z0-9_.:@-]{1,15}")
_OWN_MAC = 0x020000FF0000
_PEER_MAC = 0x02FE00000000  # of an interface's far end where the host does not say
# What a fresh namespace has may come from the machine's own; a replica begins with the kernel's defaults.
_OF_IPV4 = {
    "forwarding": "0", "rp_filter": "0", "accept_local": "0", "route_localnet": "0", "src_valid_mark": "0",
    "send_redirects": "1", "accept_source_route": "0",
}  # fmt: skip
_BEGIN: tuple[Setting, ...] = (
    *((f"net.ipv4.conf.{which}.{name}", value) for which in ("all", "default") for name, value in _OF_IPV4.items()),
    ("net.ipv4.icmp_ratelimit", "0"), ("net.ipv4.icmp_ratemask", "0"), ("net.ipv6.icmp.ratelimit", "0"),
    ("net.ipv6.icmp.ratemask", "129"), ("net.ipv6.conf.all.accept_dad", "0"), ("net.ipv6.conf.default.accept_dad", "0"),
    ("net.ipv6.conf.default.accept_ra", "0"), ("net.ipv6.conf.default.router_solicitations", "0"),
)  # fmt: skip
_OUTSIDE: tuple[Setting, ...] = (("net.ipv6.conf.default.disable_ipv6", "1"), ("net.ipv6.conf.all.disable_ipv6", "1"))
# Settings of the machine and not of a namespace, of what a replica does not have, and of how often the kernel answers.
_NOT_BUILT = (
    "net.core.", "net.bridge.", "net.netfilter.nf_log", "net.netfilter.nf_conntrack_max",
    "net.netfilter.nf_conntrack_buckets", "net.ipv4.icmp_ratelimit", "net.ipv4.icmp_ratemask", "net.ipv4.icmp_msgs_",
    "net.ipv6.icmp.",
)  # fmt: skip
_FORMING = frozenset(("addr_gen_mode", "accept_dad", "accept_ra", "autoconf"))  # addresses are those that the host has
_SCOPES = {Scope.UNIVERSE: "global", Scope.SITE: "site", Scope.LINK: "link", Scope.HOST: "host"}


class CannotBuild(ValueError):  # noqa: N818 - it says what is so
    """The host has something that no replica has; the message is the reason."""


@frozen
class Building:
    """The steps in which a host is made: lines of ip(8), settings to write, groups to join (device, family, address).

    `addresses`, with routes and rules, by family.
    """

    links: list[str]
    outside_links: list[str]
    addresses: dict[int, list[str]]
    settings: list[Setting]
    interfaces: list[str]
    groups: list[tuple[str, int, str]] = field(default_factory=list)
    first_settings: tuple[Setting, ...] = _BEGIN
    outside_settings: tuple[Setting, ...] = _OUTSIDE


def building_of(host: Host) -> Building:
    """Return how a host is made; raises CannotBuild."""
    wired = [one for one in host.interfaces if not one.is_loopback]
    links, outside = (
        ["link set lo up"],
        ["link add bell0 type veth peer name bell1", "link set bell0 up", "link set bell1 up"],
    )
    for number, one in enumerate(wired):
        if not _NAME.fullmatch(one.name) or one.name.startswith("bell"):
            raise CannotBuild(f"no interface of a replica can have the name `{one.name}`")
        peer = one.peer_mac or _PEER_MAC | number
        links.append(
            f"link add {one.name} {_mac(one.mac)}mtu {one.mtu} type veth "
            f"peer name {one.name} {_mac(peer)}mtu {one.mtu} netns OUTSIDE"
        )
        links.append(f"link set {one.name} arp off group {one.group} addrgenmode none{' up' if one.up else ''}")
        outside.append(f"link set {one.name} arp off up")
    given = host.sysctls.given
    settings = [(name, value) for name, value in given.items() if _is_built(name)]
    settings.sort(key=lambda each: _breadth(each[0]))
    default = [each for each in settings if ".conf.default." in each[0]]
    addresses = {family: list(_of_family(host, family)) for family in (4, 6)}
    # Without ARP an interface does not join the groups of neighbour discovery by itself.
    solicited = {(one.name, 6, group) for one in wired if one.up for group in solicited_nodes(host, one)}
    groups = [(name, family, format_address(group, family)) for name, family, group in sorted(host.groups | solicited)]
    return Building(links, outside, addresses, settings, [one.name for one in wired], groups, (*_BEGIN, *default))


def _is_built(name: str) -> bool:
    return not name.startswith(_NOT_BUILT) and name.rpartition(".")[2] not in _FORMING


def with_macs(host: Host) -> Host:
    """Return the host with a link-layer address on every interface whose own nobody knows: a replica's are all Ethernet."""
    interfaces = tuple(
        one if one.is_loopback or one.mac is not None else replace(one, mac=_OWN_MAC | number)
        for number, one in enumerate(host.interfaces)
    )
    return replace(host, interfaces=interfaces)


def _breadth(name: str) -> int:
    """Return when a setting is written: those of all interfaces before those of one."""
    return 0 if ".conf." not in name else 1 if ".conf.default." in name else 2 if ".conf.all." in name else 3


def _mac(number: int | None) -> str:
    return "" if number is None else f"address {number.to_bytes(6).hex(':')} "


def _of_family(host: Host, family: int) -> Iterator[str]:
    for interface in host.interfaces:
        yield from _addresses(interface, family)
    for route in host.routes:
        if route.family == family and not route.derived:
            yield _route(route)
    default = default_rules()
    yield from (f"rule del {_rule(each)}" for each in default if each.family == family and each not in host.rules)
    yield from (f"rule add {_rule(each)}" for each in host.rules if each.family == family and each not in default)


def _addresses(interface: Interface, family: int) -> Iterator[str]:
    for one in (each for each in interface.addresses if each.family == family):
        if interface.is_loopback and one.address in {0x7F000001, 1}:
            continue  # the kernel's own
        peer = "" if one.peer is None else f"peer {format_address(one.peer, one.family)}/{one.prefix} "
        length = "" if one.peer is not None else f"/{one.prefix}"
        yield f"addr add {format_address(one.address, one.family)}{length} {peer}{_details(one)}dev {interface.name}"


def _details(one: InterfaceAddress) -> str:
    words = ""
    if one.broadcast is not None:
        words += f"broadcast {format_address(one.broadcast, 4)} "
    if one.family == 4 and one.scope is not Scope.UNIVERSE:
        words += f"scope {_SCOPES[one.scope]} "
    if one.deprecated:
        words += "preferred_lft 0 "
    if not one.prefix_route:
        words += "noprefixroute "
    return words + ("nodad " if one.family == 6 and not is_link_local(one.address) else "")


def _route(route: Route) -> str:
    kind = "" if route.kind is RouteKind.UNICAST else f"{route.kind.value} "
    prefix = f"{format_address(route.destination.address, route.family)}/{route.prefix}"
    words = [f"route add {kind}{prefix}"]
    if route.gateway is not None:
        other = 6 if route.gateway >= 1 << 32 else 4
        via = "inet6 " if other != route.family and route.family == 4 else ""
        words.append(f"via {via}{format_address(route.gateway, other if via else route.family)}")
    words += [f"dev {route.device}"] if route.device else []
    words += [f"table {route.table}"]
    words += [f"src {format_address(route.source, route.family)}"] if route.source is not None else []
    words += [f"metric {route.metric}"] if route.metric else []
    words += [f"tos {route.tos:#x}"] if route.tos else []
    words += [f"realms {route.realm}"] if route.realm else []
    return " ".join(words)


def _rule(rule: RoutingRule) -> str:
    words = ["not"] if rule.inverted else []
    words += [f"from {rule.source}" if rule.source else "from all"]
    words += [f"to {rule.destination}"] if rule.destination else []
    words += [f"tos {rule.tos:#x}"] if rule.tos else []
    words += [f"fwmark {rule.mark:#x}/{rule.mark_mask:#x}"] if rule.mark_mask else []
    words += [f"iif {rule.iif}"] if rule.iif else []
    words += [f"oif {rule.oif}"] if rule.oif else []
    words += [f"ipproto {rule.protocol}"] if rule.protocol else []
    words += [f"{side} {span[0]}-{span[1]}" for side, span in (("sport", rule.sport), ("dport", rule.dport)) if span]
    words += [f"uidrange {rule.uids[0]}-{rule.uids[1]}"] if rule.uids else []
    words += [f"pref {rule.preference}"]
    if rule.action is RuleAction.LOOKUP:
        words.append(f"lookup {rule.table}")
        words += [f"suppress_prefixlength {rule.suppress_prefix}"] if rule.suppress_prefix is not None else []
    elif rule.action is RuleAction.GOTO:
        words.append(f"goto {rule.target}")
    else:
        words.append(rule.action.value)
    return " ".join(words)
