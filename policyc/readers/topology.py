"""The host of a recorded case, `topology` and `ipsets` of its JSON, becomes a Host; all that is wrong is reported at once.

A reader beside `save`: the case's rules are read there, its packets by whoever replays them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from policyc.diagnostics import Diagnostic, InputError, diagnose
from policyc.host.derived import derived_routes
from policyc.host.host import LOCAL, LOOPBACK, MAIN, Host, Interface, InterfaceAddress, Route, RouteKind, Scope
from policyc.host.ipv4_kinds import is_loopback
from policyc.host.ipv6_kinds import is_link_local
from policyc.host.own_addresses import link_local, with_loopback
from policyc.host.routing_rule import RoutingRule, default_rules
from policyc.host.sysctls import Sysctls
from policyc.net.addresses import Network, parse_address, parse_network
from policyc.readers.ip_rule import parse_rule, parse_table
from policyc.readers.ipset import read_ipsets
from policyc.readers.ipset_members import parse_mac, parse_prefixed
from policyc.source import Source

_Value = TypeVar("_Value")
METRIC_OF_IPV6 = 1024  # of routes that a user adds (IP6_RT_PRIO_USER)
# A recorded host sends no redirects unless its sysctls say so; the kernel's own default is 1.
_QUIET = {"net.ipv4.conf.all.send_redirects": "0", "net.ipv4.conf.default.send_redirects": "0"}
_KEYS = {
    "topology": ("interfaces", "routes", "ip_rules", "sysctls"),
    "interface": ("name", "addrs", "mac", "peer_mac", "up", "mtu", "group"),
    "route": ("dst", "via", "dev", "type", "table", "src", "metric", "tos", "realm"),
}
_NOWHERE = frozenset((RouteKind.UNREACHABLE, RouteKind.PROHIBIT, RouteKind.BLACKHOLE, RouteKind.THROW))


def host_of_topology(topology: dict[str, Any], ipsets: str | None = None, family: int | None = None) -> Host:
    """Return the host that a case describes, with what the kernel derives from its addresses.

    `ipsets` is `ipset save` text. `family` is that of the `ip_rules` that name no address, None for both. Raises InputError
    with every fault, none of which has a place in a file.
    """
    return _Topology(topology, family).host(ipsets)


class _Topology:
    def __init__(self, topology: dict[str, Any], family: int | None) -> None:
        self.topology = topology
        self.families = (4, 6) if family is None else (family,)
        self.errors: list[Diagnostic] = []

    def host(self, ipsets: str | None) -> Host:
        """Read everything, then report."""
        whole = self.object(self.topology, "topology", "the topology")
        sysctls = self.sysctls(whole.get("sysctls", {}))
        listed = self.list(whole.get("interfaces"), "interfaces")
        found = [one for item in listed if (one := self.interface(item, sysctls)) is not None]
        self.repeated(found)
        interfaces = with_loopback(tuple(found))
        routes = [*derived_routes(interfaces, sysctls)]
        for item in self.list(whole.get("routes"), "routes"):
            if (route := self.route(item, interfaces, routes)) is not None:
                routes.append(route)
        rules = self.rules(whole.get("ip_rules"))
        try:
            sets = read_ipsets(Source("ipsets", ipsets)) if ipsets else {}
        except InputError as error:
            self.errors += error.diagnostics
        if self.errors:
            raise InputError(self.errors)
        return Host(interfaces, tuple(routes), rules, sysctls, sets)

    # ------------------------------------------------------------------ parts
    def interface(self, item: Any, sysctls: Sysctls) -> Interface | None:
        given = self.object(item, "interface", "an interface")
        name = given.get("name")
        if not isinstance(name, str) or not name or len(name) > 15:
            self.error(f"an interface has the name `{name}`; it needs one of at most 15 characters")
            return None
        where = f"interface `{name}`"
        texts = self.list(given.get("addrs"), f"addresses of {where}")
        addresses = [one for text in texts if (one := self.address(text, where)) is not None]
        mac = self.value(parse_mac, given.get("mac"), where)
        peer = self.value(parse_mac, given.get("peer_mac"), where)
        disabled = sysctls.of_all(6, "disable_ipv6") or sysctls.of_interface(6, name, "disable_ipv6")
        forms_own = mac and name != LOOPBACK and not disabled and sysctls.of_interface(6, name, "addr_gen_mode") == 0
        if mac and forms_own and not any(is_link_local(one.address) and one.family == 6 for one in addresses):
            addresses.insert(0, link_local(mac))
        up = given.get("up", True)
        mtu = self.number(given.get("mtu", 65536 if name == LOOPBACK else 1500), f"mtu of {where}")
        return Interface(name, tuple(addresses), mac, peer, bool(up), self.number(given.get("group", 0), where), mtu)

    def address(self, text: Any, where: str) -> InterfaceAddress | None:
        family = 6 if ":" in str(text) else 4
        found = self.value(lambda word: parse_prefixed(word, family), text, where)
        if found is None:
            return None
        number, prefix = found
        scope = Scope.UNIVERSE
        if family == 4 and is_loopback(number):
            scope = Scope.HOST
        elif family == 6 and (number == 1 or is_link_local(number)):
            scope = Scope.HOST if number == 1 else Scope.LINK
        return InterfaceAddress(family, number, prefix, scope)

    def route(self, item: Any, interfaces: Iterable[Interface], known: list[Route]) -> Route | None:
        given = self.object(item, "route", "a route")
        before = len(self.errors)
        destination, via, device = str(given.get("dst", "")), given.get("via"), given.get("dev", "")
        where = f"route to `{destination}`"
        kinds = {kind.value: kind for kind in RouteKind}
        kind = kinds.get(str(given.get("type", "unicast")))
        if kind is None:
            self.error(f"the {where} is of type `{given['type']}`; there are {', '.join(kinds)}")
            return None
        family = 6 if ":" in f"{destination}{via or ''}{given.get('src') or ''}" else 4
        if destination in {"default", "all", "any"} and ":" not in f"{via or ''}{given.get('src') or ''}":
            family = self.families[0]
        network = self.network(destination, family, where)
        gateway = None if via is None else self.value(lambda word: parse_address(word, family), via, where)
        source = given.get("src")
        chosen = None if source is None else self.value(lambda word: parse_address(word, family), source, where)
        table = LOCAL if kind in {RouteKind.LOCAL, RouteKind.BROADCAST, RouteKind.ANYCAST} else MAIN
        if "table" in given:
            table = self.value(parse_table, str(given["table"]), where) or MAIN
        if device and device not in {one.name for one in interfaces}:
            self.error(f"the {where} leaves by `{device}`, which is no interface of the topology")
        if kind is not RouteKind.UNICAST and via is not None:
            self.error(f"the {where} is of type `{kind.value}` and has a `via`")
        if kind not in _NOWHERE and not device:
            device = self.device_of(gateway, family, known, where)
        metric = self.number(given.get("metric", METRIC_OF_IPV6 if family == 6 else 0), where)
        tos, realm = self.number(given.get("tos", 0), where), self.number(given.get("realm", 0), where)
        if network is None or len(self.errors) > before:
            return None
        return Route(
            network, "" if kind in _NOWHERE else device, gateway, kind, table, chosen, metric, tos, realm, derived=False
        )

    def network(self, text: str, family: int, where: str) -> Network | None:
        if text in {"default", "all", "any"}:
            return Network(family, 0, 0)
        network = self.value(lambda word: parse_network(word, family), text, where)
        if (
            network is None
            or network.prefix is None
            or parse_address(text.partition("/")[0], family) != network.address
        ):
            if network is not None:
                self.error(f"the {where} has address bits behind its prefix, which `ip route` refuses")
            return None
        return network

    def device_of(self, gateway: int | None, family: int, known: list[Route], where: str) -> str:
        """Return the interface by which a next hop is on the link, as the kernel finds it."""
        if gateway is None:
            self.error(f"the {where} has neither `via` nor `dev`")
            return ""
        near = [
            route for route in known
            if route.family == family and route.kind is RouteKind.UNICAST and not route.gateway and gateway in route.destination
        ]  # fmt: skip
        if not near:
            self.error(f"the {where} has a next hop that no interface's subnet holds")
            return ""
        return max(near, key=lambda route: route.prefix).device

    def rules(self, texts: Any) -> tuple[RoutingRule, ...]:
        rules = sorted(default_rules(), key=lambda rule: rule.preference)
        for text in self.list(texts, "ip_rules"):
            words = str(text).split()
            families = (6,) if any(":" in word for word in words) else self.families
            if any(word.count(".") == 3 for word in words):
                families = (4,)
            for family in families:
                before = tuple(rules)
                rule = self.value(partial(parse_rule, family=family, before=before), text, "ip_rules")
                if rule is None:
                    break  # what is wrong is so in both families
                rules.append(rule)
                rules.sort(key=lambda each: each.preference)
        return tuple(rules)

    def sysctls(self, given: Any) -> Sysctls:
        if not isinstance(given, dict):
            self.error("`sysctls` is not an object of names and values")
            return Sysctls()
        texts = {
            str(name).replace("/", ".") if "." not in str(name) else str(name): str(value)
            for name, value in given.items()
        }
        return Sysctls({**_QUIET, **texts})

    def repeated(self, interfaces: Iterable[Interface]) -> None:
        seen: set[str] = set()
        for one in interfaces:
            if one.name in seen:
                self.error(f"the interface `{one.name}` is there twice")
            seen.add(one.name)

    # ------------------------------------------------------------------ shapes
    def error(self, message: str) -> None:
        self.errors.append(diagnose("bad-host", message))

    def object(self, item: Any, kind: str, what: str) -> dict[str, Any]:
        if not isinstance(item, dict):
            self.error(f"{what} is not a JSON object")
            return {}
        for key in item:
            if key not in _KEYS[kind]:
                self.error(f"{what} has the unknown key `{key}`; known are {', '.join(_KEYS[kind])}")
        return item

    def list(self, item: Any, what: str) -> list[Any]:
        if item is None:
            return []
        if not isinstance(item, list):
            self.error(f"{what}: a list is expected")
            return []
        return item

    def number(self, item: Any, what: str) -> int:
        if isinstance(item, bool) or not isinstance(item, int) or not 0 <= item <= 0xFFFFFFFF:
            self.error(f"{what}: `{item}` is not a number from 0 to 4294967295")
            return 0
        return item

    def value(self, read: Callable[[str], _Value], text: Any, where: str) -> _Value | None:
        if text is None:
            return None
        try:
            return read(str(text))
        except ValueError as error:
            self.error(f"{where}: {error}")
            return None
