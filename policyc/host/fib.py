"""The forwarding information base: which route a flow takes, over routing rules and tables. Part of `policyc.host`.

Sources: include/net/ip_fib.h (fib_lookup), net/ipv4/fib_trie.c, fib_rules.c, net/ipv6/route.c (rt6_score_route), fib6_rules.c.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from enum import Enum

from policyc.frozen import frozen
from policyc.host.host import DEFAULT, LOCAL, MAIN, Host, Route, RouteKind
from policyc.host.ipv6_kinds import needs_interface
from policyc.host.routing_rule import RoutingRule, RuleAction, default_rules


class Failure(Enum):
    """Why there is no route: the errno that a local sender gets."""

    NO_ROUTE = "ENETUNREACH"
    UNREACHABLE = "EHOSTUNREACH"
    PROHIBIT = "EACCES"
    BLACKHOLE = "EINVAL"


@frozen
class Flow:
    """What a route is looked up for. `source` None: not chosen yet. `iif` is "lo" for what this host sends.

    `oif` asks for one interface. Without a socket the kernel routes as user 0.
    """

    family: int
    destination: int
    source: int | None = None
    iif: str = "lo"
    oif: str = ""
    mark: int = 0
    tos: int = 0
    protocol: int = 0
    sport: int = 0
    dport: int = 0
    uid: int = 0


@frozen
class Settings:
    """What an interface's IPv4 settings and those of `all` come to."""

    rp_filter: int
    accept_local: bool
    route_localnet: bool
    forwarding: bool
    valid_mark: bool
    redirects: bool
    drops_unicast_frames: bool
    broadcast_forwarding: bool


# A table: (mask, network address to routes) for each prefix length, the longest first.
_Table = list[tuple[int, dict[int, list[Route]]]]

_ERRORS = {
    RouteKind.UNREACHABLE: Failure.UNREACHABLE,
    RouteKind.PROHIBIT: Failure.PROHIBIT,
    RouteKind.BLACKHOLE: Failure.BLACKHOLE,
}
_ACTIONS = {
    RuleAction.UNREACHABLE: Failure.NO_ROUTE,
    RuleAction.PROHIBIT: Failure.PROHIBIT,
    RuleAction.BLACKHOLE: Failure.BLACKHOLE,
}


class Fib:
    """The routes of a host, indexed. Made once for a host; lookups change nothing."""

    __slots__ = ("_owners", "_rules", "_settings", "_tables", "has_local_routes", "has_realms", "has_rules", "host")

    def __init__(self, host: Host) -> None:
        self.host = host
        standard = {rule for rule in default_rules() if rule.family == 4}
        self._rules = {family: [rule for rule in host.rules if rule.family == family] for family in (4, 6)}
        self.has_rules = set(self._rules[4]) != standard
        self.has_realms = any(route.realm for route in host.routes if route.family == 4)
        self.has_local_routes = any(
            route.kind is RouteKind.LOCAL and not route.derived for route in host.routes if route.family == 4
        )
        self._tables = self._index(host)
        self._settings: dict[str, Settings] = {}
        self._owners: dict[tuple[int, int], str] = {}
        for interface in host.interfaces:
            for one in interface.addresses:
                self._owners.setdefault((one.family, one.address), interface.name)

    def _index(self, host: Host) -> dict[tuple[int, int], _Table]:
        down = {one.name for one in host.interfaces if not one.up}
        grouped: dict[tuple[int, int], dict[int, dict[int, list[Route]]]] = defaultdict(lambda: defaultdict(dict))
        # Without rules of its own a host keeps IPv4's local and main table as one, so that the longer prefix wins.
        merged = not self.has_rules
        for route in host.routes:
            if route.device in down and not (route.family == 4 and route.kind is RouteKind.LOCAL):
                continue
            table = MAIN if merged and route.family == 4 and route.table == LOCAL else route.table
            by_network = grouped[route.family, table][route.destination.mask]
            by_network.setdefault(route.destination.address, []).append(route)
        tables: dict[tuple[int, int], _Table] = {}
        for key, by_mask in grouped.items():
            for by_network in by_mask.values():
                for routes in by_network.values():
                    routes.sort(key=lambda route: (-route.table, -route.tos, route.metric))
            tables[key] = sorted(by_mask.items(), reverse=True)
        return tables

    def settings(self, interface: str) -> Settings:
        """Return the IPv4 settings that hold for an interface."""
        found = self._settings.get(interface)
        if found is None:
            sysctls = self.host.sysctls
            found = self._settings[interface] = Settings(
                sysctls.rp_filter(interface),
                sysctls.either(4, interface, "accept_local"),
                sysctls.either(4, interface, "route_localnet"),
                sysctls.forwards(4, interface),
                sysctls.either(4, interface, "src_valid_mark"),
                sysctls.either(4, interface, "send_redirects"),
                sysctls.either(4, interface, "drop_unicast_in_l2_multicast"),
                bool(sysctls.of_all(4, "bc_forwarding") and sysctls.of_interface(4, interface, "bc_forwarding")),
            )
        return found

    def owner(self, address: int, family: int) -> str:
        """Return the first interface that has exactly this address, "" for none."""
        return self._owners.get((family, address), "")

    def lookup(self, flow: Flow, *, strict: bool = False) -> Route | Failure:
        """Return the route of a flow, or why there is none; `strict`: of IPv6, by no other interface than `flow.oif`."""
        if flow.family == 6:
            return self._by_rules(flow, self._in_ipv6_table_strictly if strict else self._in_ipv6_table)
        if self.has_rules:
            return self._by_rules(flow, self._in_ipv4_table)
        found = self._in_ipv4_table(flow, MAIN)
        if not isinstance(found, Route) and (4, DEFAULT) in self._tables:
            found = self._in_ipv4_table(flow, DEFAULT)
        return Failure.NO_ROUTE if found is None else found

    def lookup_by_device(self, flow: Flow) -> Route | Failure:
        """Return IPv6's route with a device in mind: its route wins, whatever the metric (ip6_route_lookup)."""
        return self._by_rules(flow, self._by_device)

    def local_route(self, address: int) -> Route | None:
        """Return what IPv4's local table says about an address; None where it says nothing (inet_dev_addr_type)."""
        found = self._in_ipv4_table(Flow(4, address), LOCAL if self.has_rules else MAIN)
        return found if isinstance(found, Route) else None

    def _by_rules(self, flow: Flow, look: Callable[[Flow, int], Route | Failure | None]) -> Route | Failure:
        below = 0
        for rule in self._rules[flow.family]:
            if rule.preference < below or not matches(rule, flow):
                continue
            if rule.action is RuleAction.GOTO:
                below = rule.target
            elif rule.action is RuleAction.LOOKUP:
                found = look(flow, rule.table)
                if isinstance(found, Failure):
                    return found
                if found is not None and not _is_suppressed(found, rule):
                    return found
            elif rule.action is not RuleAction.NOP:
                return _ACTIONS[rule.action]
        return Failure.NO_ROUTE

    def _candidates(self, flow: Flow, table: int) -> Iterator[list[Route]]:
        for mask, by_network in self._tables.get((flow.family, table), ()):
            routes = by_network.get(flow.destination & mask)
            if routes is not None:
                yield routes

    def _in_ipv4_table(self, flow: Flow, table: int) -> Route | Failure | None:
        """Return the first route of the longest prefix that fits; None where the search goes on elsewhere."""
        for routes in self._candidates(flow, table):
            for route in routes:
                if route.tos and route.tos != flow.tos & 0xFC:
                    continue
                if route.kind is RouteKind.THROW:
                    return None
                if (error := _ERRORS.get(route.kind)) is not None:
                    return error
                if not flow.oif or route.device == flow.oif:
                    return route
        return None

    def _in_ipv6_table(self, flow: Flow, table: int, *, strict: bool = False) -> Route | Failure | None:
        """As for IPv4, but of equal metrics the interface that is asked for wins, or the one that the packet came in by."""
        wanted = flow.oif or ("" if flow.iif == "lo" else flow.iif)
        strict = strict or (flow.iif == "lo" and flow.source is None) or needs_interface(flow.destination)
        for routes in self._candidates(flow, table):
            fitting = [route for route in routes if not wanted or not strict or route.device == wanted]
            if not fitting:
                continue
            best = [route for route in fitting if route.metric == fitting[0].metric]
            route = next((each for each in best if each.device == wanted), best[0])
            return None if route.kind is RouteKind.THROW else _ERRORS.get(route.kind, route)
        return None

    def _in_ipv6_table_strictly(self, flow: Flow, table: int) -> Route | Failure | None:
        return self._in_ipv6_table(flow, table, strict=True)

    def _by_device(self, flow: Flow, table: int) -> Route | Failure | None:
        strict = needs_interface(flow.destination)
        for routes in self._candidates(flow, table):
            route = next((each for each in routes if each.device == flow.oif), None)
            if route is None and flow.oif and strict:
                continue
            route = route or routes[0]
            return None if route.kind is RouteKind.THROW else _ERRORS.get(route.kind, route)
        return None


def _is_suppressed(route: Route, rule: RoutingRule) -> bool:
    return rule.suppress_prefix is not None and route.prefix <= rule.suppress_prefix


def matches(rule: RoutingRule, flow: Flow) -> bool:
    """Whether a routing rule applies to a flow (fib_rule_match, fib4_rule_match, fib6_rule_match)."""
    holds = (
        (not rule.iif or rule.iif == flow.iif)
        and (not rule.oif or rule.oif == flow.oif)
        and (rule.mark ^ flow.mark) & rule.mark_mask == 0
        and (rule.uids is None or rule.uids[0] <= flow.uid <= rule.uids[1])
        and (rule.destination is None or flow.destination in rule.destination)
        and (rule.source is None or _comes_from(flow, rule))
        and (not rule.tos or rule.tos == flow.tos & 0xFC)
        and (not rule.protocol or rule.protocol == flow.protocol)
        and (rule.sport is None or rule.sport[0] <= flow.sport <= rule.sport[1])
        and (rule.dport is None or rule.dport[0] <= flow.dport <= rule.dport[1])
    )
    return holds is not rule.inverted


def _comes_from(flow: Flow, rule: RoutingRule) -> bool:
    assert rule.source is not None
    if flow.source is None:  # IPv6 waits for a source, IPv4 compares the unset one, 0.0.0.0
        return rule.source.mask == 0 or (flow.family == 4 and rule.source.address == 0)
    return flow.source in rule.source
