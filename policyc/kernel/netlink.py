"""Links, addresses, routes, routing rules and neighbours of this namespace as a snapshot has them, through rtnetlink.

Only dumps are asked for, which change nothing. Sources: rtnetlink(7), include/uapi/linux/rtnetlink.h, fib_rules.h.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from socket import AF_INET, AF_INET6, AF_UNSPEC
from typing import TYPE_CHECKING, Any

from policyc.host.host import RouteKind, Scope
from policyc.readers.snapshot_model import Address, Hop, Link, Neighbour, Route, RoutingRules

if TYPE_CHECKING:
    from pyroute2 import IPRoute

Names = Mapping[int, str]
FAMILIES = (AF_INET, AF_INET6)
_ANY: dict[int, str] = {AF_INET: "0.0.0.0/0", AF_INET6: "::/0"}
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_UP = 1  # IFF_UP
_SCOPES = {Scope.UNIVERSE.value: "global", Scope.SITE.value: "site", Scope.LINK.value: "link", Scope.HOST.value: "host"}
_TEMPORARY: dict[int, str] = {
    AF_INET: "secondary",
    AF_INET6: "temporary",
}  # one bit, IFA_F_SECONDARY and IFA_F_TEMPORARY
_ADDRESS_FLAGS = ((0x08, "dadfailed"), (0x20, "deprecated"), (0x40, "tentative"), (0x200, "noprefixroute"))
_ROUTE_FLAGS = ((1, "dead"), (4, "onlink"), (16, "linkdown"))
_KINDS = {
    1: RouteKind.UNICAST, 2: RouteKind.LOCAL, 3: RouteKind.BROADCAST, 4: RouteKind.ANYCAST, 5: RouteKind.MULTICAST,
    6: RouteKind.BLACKHOLE, 7: RouteKind.UNREACHABLE, 8: RouteKind.PROHIBIT, 9: RouteKind.THROW,
}  # fmt: skip
_NOWHERE = frozenset((6, 7, 8, 9))
_BY_KERNEL = 2  # RTPROT_KERNEL
_CLONED = 0x200  # RTM_F_CLONED: a cached route, which its parent says already
_ENCAPS = {
    1: "mpls",
    2: "ip",
    3: "ila",
    4: "ip6",
    5: "seg6",
    6: "bpf",
    7: "seg6local",
    8: "rpl",
    9: "ioam6",
    10: "xfrm",
}
_PREFERENCES = {1: "high", 3: "low"}
_TO_TABLE, _GOTO, _NOP = 1, 2, 3
_ENDS = {6: "blackhole", 7: "unreachable", 8: "prohibit"}
_INVERTED, _UNRESOLVED = 2, 4  # FIB_RULE_INVERT, FIB_RULE_UNRESOLVED
_PERMANENT = 0x80  # NUD_PERMANENT
_UNSET = 0xFFFFFFFF


class ChangedMeanwhile(Exception):  # noqa: N818
    """A link is spoken of that was not there a moment ago."""


def _name(names: Names, index: int) -> str:
    if index not in names:
        raise ChangedMeanwhile
    return names[index]


def links(ip: IPRoute) -> dict[int, Link]:
    """Return the links by their index, in the order of the indexes."""
    found = sorted(ip.get_links(), key=lambda message: int(message["index"]))
    names = {message["index"]: message.get_attr("IFLA_IFNAME") for message in found}
    return {message["index"]: _link(message, names) for message in found}


def _link(message: Any, names: Names) -> Link:
    info, master = message.get_attr("IFLA_LINKINFO"), message.get_attr("IFLA_MASTER")
    mac = str(message.get_attr("IFLA_ADDRESS") or "")
    return Link(
        name=names[message["index"]],
        kind=str(info.get_attr("IFLA_INFO_KIND") or "") if info else "",
        mac=mac if _MAC.fullmatch(mac) and mac != "00:00:00:00:00:00" else None,
        up=bool(message["flags"] & _UP),
        mtu=message.get_attr("IFLA_MTU"),
        group=message.get_attr("IFLA_GROUP") or 0,
        master=_name(names, master) if master else None,
    )


def addresses(ip: IPRoute, names: Names) -> list[Address]:
    """Return the addresses of both families: link by link, each family in the kernel's order."""
    found = [message for family in FAMILIES for message in ip.get_addr(family=family)]
    found.sort(key=lambda message: int(message["index"]))  # a stable sort
    return [_address(message, names) for message in found]


def _address(message: Any, names: Names) -> Address:
    family, prefix = message["family"], message["prefixlen"]
    far, own = message.get_attr("IFA_ADDRESS"), message.get_attr("IFA_LOCAL")
    flags = message.get_attr("IFA_FLAGS") or message["flags"]
    told: list[Any] = [_TEMPORARY[family]] if flags & 1 else []
    told += [word for bit, word in _ADDRESS_FLAGS if flags & bit]
    return Address(
        link=_name(names, message["index"]),
        address=f"{own or far}/{prefix}",
        scope=_SCOPES.get(message["scope"], str(message["scope"])),
        peer=far if own and far != own else None,
        broadcast=message.get_attr("IFA_BROADCAST"),
        flags=told,
    )


def routes(ip: IPRoute, names: Names) -> Iterator[Route]:
    """Yield the routes of all tables and both families, in the kernel's order."""
    for family in FAMILIES:
        for message in ip.get_routes(family=family):
            if not message["flags"] & _CLONED:
                yield _route(message, family, names)


def _route(message: Any, family: int, names: Names) -> Route:
    to, only = message.get_attr("RTA_DST"), message.get_attr("RTA_SRC")
    kind, leads_away = message["type"], message["type"] not in _NOWHERE
    metrics, encap = message.get_attr("RTA_METRICS"), message.get_attr("RTA_ENCAP_TYPE")
    told: list[Any] = [word for bit, word in _ROUTE_FLAGS if message["flags"] & bit]
    preference: Any = _PREFERENCES.get(message.get_attr("RTA_PREF"), "medium")
    return Route(
        to=_ANY[family] if to is None else f"{to}/{message['dst_len']}",
        type=_KINDS[kind].value if kind in _KINDS else f"type {kind}",
        table=message.get_attr("RTA_TABLE") or message["table"],
        via=_next_hop(message),
        dev=_name(names, message.get_attr("RTA_OIF")) if leads_away and message.get_attr("RTA_OIF") else None,
        source=message.get_attr("RTA_PREFSRC"),
        metric=message.get_attr("RTA_PRIORITY") or 0,
        tos=message["tos"],
        realm=message.get_attr("RTA_FLOW") or 0,
        kernel=message["proto"] == _BY_KERNEL,
        hops=[
            Hop(via=_next_hop(hop), dev=_name(names, hop["oif"]) if hop["oif"] else None, weight=hop["hops"] + 1)
            for hop in message.get_attr("RTA_MULTIPATH") or ()
        ],
        only_from=None if only is None else f"{only}/{message['src_len']}",
        mtu=metrics.get_attr("RTAX_MTU") if metrics else None,
        encap=_ENCAPS.get(encap, f"type {encap}") if encap else "",
        preference=preference,
        flags=told,
    )


def _next_hop(message: Any) -> str | None:
    via, gateway = message.get_attr("RTA_VIA"), message.get_attr("RTA_GATEWAY")
    found = via["addr"] if via else gateway
    return None if found is None else str(found)


def routing_rules(ip: IPRoute) -> RoutingRules:
    """Return the words of the routing rules of both families, in the order of their preference."""
    ipv4, ipv6 = ([" ".join(_rule(one, family)) for one in ip.get_rules(family=family)] for family in FAMILIES)
    return RoutingRules(ipv4=ipv4, ipv6=ipv6)


def _rule(message: Any, family: int) -> Iterator[str]:
    """Yield the words of a rule as `ip rule` has them."""
    get = message.get_attr
    yield f"pref {get('FRA_PRIORITY') or 0}"
    if message["flags"] & _INVERTED:
        yield "not"
    source, destination = get("FRA_SRC"), get("FRA_DST")
    yield f"from {source}/{message['src_len']}" if source else "from all"
    if destination:
        yield f"to {destination}/{message['dst_len']}"
    if message["tos"]:
        yield f"tos {message['tos']:#x}"
    mark, mask = get("FRA_FWMARK") or 0, get("FRA_FWMASK")
    if mark or mask:
        yield f"fwmark {mark:#x}/{_UNSET if mask is None else mask:#x}"
    for word, name in (("iif", "FRA_IIFNAME"), ("oif", "FRA_OIFNAME")):
        if get(name):
            yield f"{word} {get(name)}"
    if get("FRA_IP_PROTO"):
        yield f"ipproto {get('FRA_IP_PROTO')}"
    for word, name in (("uidrange", "FRA_UID_RANGE"), ("sport", "FRA_SPORT_RANGE"), ("dport", "FRA_DPORT_RANGE")):
        if get(name):
            yield f"{word} {str(get(name)).replace(':', '-')}"
    for word, name in (("tun_id", "FRA_TUN_ID"), ("realms", "FRA_FLOW")):
        if get(name):
            yield f"{word} {get(name)}"
    for word, name in (
        ("suppress_prefixlength", "FRA_SUPPRESS_PREFIXLEN"),
        ("suppress_ifgroup", "FRA_SUPPRESS_IFGROUP"),
    ):
        if get(name) not in {None, _UNSET}:
            yield f"{word} {get(name)}"
    yield _action(message, family)


def _action(message: Any, family: int) -> str:
    action = message["action"]
    if message.get_attr("FRA_L3MDEV"):
        return "l3mdev"
    if action == _GOTO:
        # A rule whose goal is not there does nothing (fib_rules_lookup).
        return "nop" if message["flags"] & _UNRESOLVED else f"goto {message.get_attr('FRA_GOTO')}"
    if action == _TO_TABLE:
        return f"lookup {message.get_attr('FRA_TABLE') or message['table']}"
    return "nop" if action == _NOP else _ENDS.get(action, f"action {action} of family {family}")


def neighbours(ip: IPRoute, names: Names) -> Iterator[Neighbour]:
    """Yield the permanent entries of the neighbour tables, which somebody has written there."""
    for message in ip.get_neighbours(family=AF_UNSPEC):
        mac, address = str(message.get_attr("NDA_LLADDR") or ""), message.get_attr("NDA_DST")
        if message["state"] & _PERMANENT and message["family"] in FAMILIES and _MAC.fullmatch(mac):
            yield Neighbour(link=_name(names, message["ifindex"]), address=address, mac=mac)
