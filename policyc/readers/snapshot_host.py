"""The host in a snapshot becomes a `Host`; every wrong value is an error at its place in the JSON, all reported at once.

Used by `snapshot`. What a host can have and `Host` cannot hold is said (simplified-host), once for each kind of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TypeVar

from policyc.diagnostics import Diagnostic, Severity, diagnose
from policyc.host.host import Host, Interface, InterfaceAddress, Route, RouteKind, Scope
from policyc.host.known_connection import Ends, KnownConnection
from policyc.host.routing_rule import RoutingRule
from policyc.host.set_values import MemberSet
from policyc.host.sysctls import Sysctls
from policyc.net.addresses import ALL_ONES, Network, parse_address, parse_network
from policyc.readers import snapshot_model as model
from policyc.readers.ip_rule import parse_rule
from policyc.readers.ipset_members import parse_mac, parse_prefixed
from policyc.readers.json_places import Path, place_of, spelled
from policyc.source import Source

_Value = TypeVar("_Value")
_SCOPES = {"global": Scope.UNIVERSE, "site": Scope.SITE, "link": Scope.LINK, "host": Scope.HOST}
_KINDS = {kind.value: kind for kind in RouteKind}
_NOWHERE = frozenset((RouteKind.UNREACHABLE, RouteKind.PROHIBIT, RouteKind.BLACKHOLE, RouteKind.THROW))
_UNHELD_WORDS = frozenset(("l3mdev", "realms", "tun_id", "suppress_ifgroup", "action"))


def host_of_snapshot(
    snapshot: model.Snapshot, sets: Mapping[str, MemberSet], source: Source
) -> tuple[Host, list[Diagnostic], list[Diagnostic]]:
    """Return the host, what is wrong with its values, and what it has that a `Host` does not hold."""
    return _HostReader(snapshot, source).host(sets)


class _HostReader:
    def __init__(self, snapshot: model.Snapshot, source: Source) -> None:
        self.snapshot = snapshot
        self.source = source
        self.errors: list[Diagnostic] = []
        self.unheld: dict[str, list[Path]] = defaultdict(list)
        self.names = {link.name for link in snapshot.links}

    def host(self, sets: Mapping[str, MemberSet]) -> tuple[Host, list[Diagnostic], list[Diagnostic]]:
        given = self.snapshot
        sysctls = Sysctls(given.sysctls)
        interfaces = tuple(self.interfaces())
        routes = tuple(self.routes(sysctls))
        rules = tuple(sorted((*self.rules(4), *self.rules(6)), key=lambda rule: rule.preference))
        groups, connections = frozenset(self.groups()), tuple(self.connections())
        host = Host(interfaces, routes, rules, sysctls, sets, groups, connections)
        return host, self.errors, [self.note(what, paths) for what, paths in self.unheld.items()]

    # ------------------------------------------------------------------ parts
    def interfaces(self) -> Iterator[Interface]:
        addresses, neighbours = self.addresses(), self.neighbours()
        seen: set[str] = set()
        kinds = {link.name: link.kind for link in self.snapshot.links}
        for number, link in enumerate(self.snapshot.links):
            path: Path = ("links", number)
            if link.name in seen:
                self.error((*path, "name"), f"the link `{link.name}` is there twice")
            seen.add(link.name)
            if link.master is not None and kinds.get(link.master) != "bond":
                what = {"bridge": _BRIDGE, "vrf": _VRF}.get(kinds.get(link.master, ""), _MASTER)
                self.unheld[what].append((*path, "master"))
            mac = self.value(parse_mac, link.mac, (*path, "mac"))
            known = neighbours[link.name]
            peer = known.pop() if len(known) == 1 else None
            own = addresses[link.name]
            # A `Host` has addresses in the order in which they came; the kernel lists IPv6's newest first.
            ordered = [one for one in own if one.family == 4] + [one for one in reversed(own) if one.family == 6]
            yield Interface(link.name, tuple(ordered), mac, peer, link.up, link.group, link.mtu)

    def addresses(self) -> Mapping[str, list[InterfaceAddress]]:
        found: dict[str, list[InterfaceAddress]] = defaultdict(list)
        for number, one in enumerate(self.snapshot.addresses):
            path: Path = ("addresses", number)
            self.link(one.link, (*path, "link"))
            if "tentative" in one.flags or "dadfailed" in one.flags:
                self.unheld[_TENTATIVE].append(path)
                continue
            if one.scope not in _SCOPES:
                self.unheld[_SCOPE].append((*path, "scope"))
            family = _family(one.address)
            text = self.value(partial(parse_prefixed, family=family), one.address, (*path, "address"))
            peer = self.address(one.peer, family, (*path, "peer"))
            broadcast = self.address(one.broadcast, family, (*path, "broadcast"))
            if text is not None:
                scope = _SCOPES.get(one.scope, Scope.UNIVERSE)
                deprecated, prefix_route = "deprecated" in one.flags, "noprefixroute" not in one.flags
                made = InterfaceAddress(family, *text, scope, peer, broadcast, deprecated, prefix_route)
                found[one.link].append(made)
        return found

    def neighbours(self) -> Mapping[str, set[int]]:
        found: dict[str, set[int]] = defaultdict(set)
        for number, one in enumerate(self.snapshot.neighbours):
            path: Path = ("neighbours", number)
            self.link(one.link, (*path, "link"))
            self.address(one.address, _family(one.address), (*path, "address"))
            mac = self.value(parse_mac, one.mac, (*path, "mac"))
            if mac is not None:
                found[one.link].add(mac)
        return found

    def groups(self) -> Iterator[tuple[str, int, int]]:
        for number, one in enumerate(self.snapshot.groups):
            path: Path = ("groups", number)
            self.link(one.link, (*path, "link"))
            family = _family(one.group)
            group = self.address(one.group, family, (*path, "group"))
            if group is not None:
                yield one.link, family, group

    def routes(self, sysctls: Sysctls) -> Iterator[Route]:
        for number, one in enumerate(self.snapshot.routes):
            route = self.route(one, ("routes", number))
            waits = "linkdown" in one.flags and sysctls.either(
                _family(one.to), one.dev or "default", "ignore_routes_with_linkdown"
            )
            if route is not None and "dead" not in one.flags and not waits:
                yield route

    def route(self, one: model.Route, path: Path) -> Route | None:
        family = _family(one.to)
        network = self.value(partial(_network, family=family), one.to, (*path, "to"))
        kind = _KINDS.get(one.type)
        if kind is None:
            self.unheld[f"{_LEFT_OUT} of the type `{one.type}`"].append((*path, "type"))
            return None
        via, device = one.via, one.dev
        for place, hop in enumerate(one.hops):
            self.next_hop(hop.via, (*path, "hops", place, "via"))
            self.link(hop.dev, (*path, "hops", place, "dev"))
        if one.hops:
            self.unheld[_MULTIPATH].append((*path, "hops"))
            via, device = one.hops[0].via, one.hops[0].dev
        self.link(one.dev, (*path, "dev"))
        if kind not in _NOWHERE and device is None:
            self.unheld[_NO_DEVICE].append(path)
            return None
        if one.only_from is not None:
            self.value(partial(_network, family=6), one.only_from, (*path, "only_from"))
            self.unheld[_ONLY_FROM].append((*path, "only_from"))
            return None
        self.details(one, path)
        gateway = self.next_hop(via, (*path, "via"))
        if gateway is not None and via is not None and _family(via) != family:
            self.unheld[_OTHER_FAMILY].append((*path, "via"))
            gateway = None
        source = self.address(one.source, family, (*path, "source"))
        if network is None:
            return None
        leaves = "" if kind in _NOWHERE else device or ""
        return Route(
            network, leaves, gateway, kind, one.table, source, one.metric, one.tos, one.realm, derived=one.kernel
        )

    def details(self, one: model.Route, path: Path) -> None:
        """Note what a route has beside its way."""
        if one.mtu is not None:
            self.unheld[_ROUTE_MTU].append((*path, "mtu"))
        if one.encap:
            self.unheld[_ENCAP].append((*path, "encap"))
        if one.preference != "medium":
            self.unheld[_PREFERENCE].append((*path, "preference"))

    def rules(self, family: int) -> Iterator[RoutingRule]:
        key = f"ipv{family}"
        texts = self.snapshot.routing_rules.ipv4 if family == 4 else self.snapshot.routing_rules.ipv6
        for number, text in enumerate(texts):
            path: Path = ("routing_rules", key, number)
            if unheld := _UNHELD_WORDS.intersection(text.split()):
                self.unheld[f"a routing rule with `{min(unheld)}` is left out"].append(path)
                continue
            if not {"pref", "priority", "preference", "order"}.intersection(text.split()):
                self.error(path, f"the routing rule `{text}` has no `pref`")
                continue
            rule = self.value(partial(parse_rule, family=family, before=()), text, path)
            if rule is not None:
                yield rule

    def connections(self) -> Iterator[KnownConnection]:
        for number, one in enumerate(self.snapshot.connections or ()):
            path: Path = ("connections", number)
            if one.zone:
                self.unheld[_ZONE].append((*path, "zone"))
                continue
            original, reply = self.ends(one.original, (*path, "original")), self.ends(one.reply, (*path, "reply"))
            if original is not None and reply is not None:
                family = _family(one.original.src)
                yield KnownConnection(family, one.proto, original, reply, one.status, one.mark, one.tcp_state)

    def ends(self, one: model.End, path: Path) -> Ends | None:
        family = _family(one.src)
        source = self.address(one.src, family, (*path, "src"))
        destination = self.address(one.dst, family, (*path, "dst"))
        if source is None or destination is None:
            return None
        if one.type is not None:
            return Ends(source, destination, one.id or 0, one.type << 8 | (one.code or 0))
        return Ends(source, destination, one.sport or 0, one.dport or 0)

    # ------------------------------------------------------------------ values
    def next_hop(self, text: str | None, path: Path) -> int | None:
        return None if text is None else self.address(text, _family(text), path)

    def address(self, text: str | None, family: int, path: Path) -> int | None:
        return self.value(lambda word: parse_address(word, family), text, path)

    def link(self, name: str | None, path: Path) -> None:
        if name is not None and name not in self.names:
            self.error(path, f"`{name}` is none of the snapshot's links")

    def value(self, read: Callable[[str], _Value], text: str | None, path: Path) -> _Value | None:
        if text is None:
            return None
        try:
            return read(text)
        except ValueError as error:
            self.error(path, str(error))
            return None

    def error(self, path: Path, message: str) -> None:
        self.errors.append(diagnose("bad-host", f"`{spelled(path)}`: {message}", place_of(self.source, path)))

    def note(self, what: str, paths: list[Path]) -> Diagnostic:
        more = f" ({len(paths)} times; this is the first)" if len(paths) > 1 else ""
        mild = Severity.INFO if what in _MILD else None
        return diagnose("simplified-host", f"{what}{more}", place_of(self.source, paths[0]), severity_override=mild)


_BRIDGE = "a port of a bridge is read as an interface of its own; what the bridge does with its frames is not followed"
_VRF = "an interface of a VRF is read as one outside; the VRF's own table is not asked for its packets"
_MASTER = "an interface that belongs to another is read as one of its own"
_TENTATIVE = "an address that is still tentative, or a duplicate, is left out, as the kernel does not use it yet"
_SCOPE = "an address has a scope without a name; it is read as `global`"
_LEFT_OUT = "a route is left out that is"
_MULTIPATH = "a route has several next hops, between which the kernel chooses for each flow; only the first is followed"
_NO_DEVICE = "a route that names no interface is left out"
_ONLY_FROM = "a route for one source network is left out"
_OTHER_FAMILY = "a next hop of the other family is not followed; the interface is"
_ROUTE_MTU = "a route's own MTU is not followed; that of the interface is"
_ENCAP = "a route puts packets into a tunnel by itself; they are followed to its interface only"
_ZONE = "a connection of a conntrack zone is left out"
_PREFERENCE = "a route's router preference is not followed"
# What decides no packet's way.
_MILD = frozenset((_BRIDGE, _MASTER, _TENTATIVE, _SCOPE, _OTHER_FAMILY, _ROUTE_MTU))


def _family(text: str) -> int:
    return 6 if ":" in text else 4


def _network(text: str, family: int) -> Network:
    network = parse_network(text, family)
    if network.prefix is None:
        raise ValueError(f"`{text}` has a mask with holes")
    if parse_address(text.partition("/")[0], family) & (ALL_ONES[family] ^ network.mask):
        raise ValueError(f"`{text}` has address bits behind its prefix")
    return network
