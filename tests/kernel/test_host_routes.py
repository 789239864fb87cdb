"""The routes of a host as `ip route get` says them: what is sent, what comes in, over tables, rules and settings."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from host_in_namespace import make, route_get

from policyc.host.arrival import arrive
from policyc.host.arriving import Arriving
from policyc.host.decision import Drop
from policyc.host.departure import depart
from policyc.host.fib import Failure, Fib, Flow
from policyc.host.host import LOCAL, MAIN
from policyc.host.own_addresses import kept
from policyc.kernel.namespace import Namespace
from policyc.net.addresses import WIDTH, format_address, parse_address
from policyc.readers.topology import host_of_topology

QUESTIONS = 300  # of each test, chosen by a seed

INTERFACES = [
    {"name": "eth0", "addrs": ["203.0.113.2/24", "203.0.113.10/24"], "mac": "02:00:00:00:00:01"},
    {"name": "eth1", "addrs": ["192.168.1.1/24", "10.1.0.1/31"], "mac": "02:00:00:00:01:01"},
    {"name": "tun0", "addrs": ["10.255.0.1/30"], "mac": "02:00:00:00:02:01"},
    {"name": "bare", "mac": "02:00:00:00:03:01"},
]
ROUTES = [
    {"dst": "default", "via": "203.0.113.1", "dev": "eth0"},
    {"dst": "10.20.0.0/16", "via": "192.168.1.254", "dev": "eth1"},
    {"dst": "10.30.0.0/16", "dev": "tun0", "src": "192.168.1.1"},
    {"dst": "172.16.0.0/12", "via": "10.255.0.2"},
    {"dst": "239.1.0.0/16", "dev": "eth1"},
    {"type": "unreachable", "dst": "100.64.0.0/10"},
    {"type": "blackhole", "dst": "100.128.0.0/16"},
    {"type": "prohibit", "dst": "100.129.0.0/16"},
    {"type": "throw", "dst": "100.130.0.0/16"},
    {"dst": "127.5.0.0/16", "via": "192.168.1.254", "dev": "eth1"},
    {"type": "local", "dst": "198.51.100.0/24", "dev": "lo"},
]
RULES = [
    "fwmark 0x2 lookup 102 pref 100",
    "fwmark 0x10/0xf0 prohibit pref 110",
    "from 192.168.1.0/24 lookup 103 pref 120",
    "not to 10.0.0.0/8 iif tun0 lookup 104 pref 130",
    "to 8.8.4.0/24 unreachable pref 140",
    "to 8.8.5.0/24 blackhole pref 141",
    "fwmark 0x3 goto 32766 pref 50",
    "lookup main suppress_prefixlength 0 pref 60",
    "fwmark 0x4 lookup 103",
]
TABLES = [
    {"dst": "default", "via": "192.168.1.254", "dev": "eth1", "table": 102},
    {"dst": "8.8.8.0/24", "dev": "tun0", "table": 103},
    {"type": "throw", "dst": "8.8.9.0/24", "table": 103},
    {"dst": "8.8.0.0/16", "via": "203.0.113.7", "dev": "eth0", "table": 103, "metric": 20},
    {"dst": "8.8.0.0/16", "via": "203.0.113.8", "dev": "eth0", "table": 103, "metric": 10},
    {"type": "unreachable", "dst": "default", "table": 104},
]
ADDRESSES = [
    "203.0.113.2",
    "203.0.113.10",
    "203.0.113.50",
    "203.0.113.255",
    "203.0.113.0",
    "192.168.1.1",
    "192.168.1.77",
    "192.168.1.255",
    "10.1.0.0",
    "10.1.0.1",
    "10.255.0.1",
    "10.255.0.2",
    "10.255.0.3",
    "10.20.3.4",
    "10.30.1.1",
    "100.64.1.1",
    "100.128.0.1",
    "100.129.0.1",
    "100.130.0.1",
    "127.0.0.1",
    "127.0.0.5",
    "127.5.0.1",
    "127.255.255.255",
    "0.0.0.0",
    "0.1.2.3",
    "255.255.255.255",
    "224.0.0.1",
    "224.0.0.5",
    "239.1.2.3",
    "239.5.5.5",
    "240.0.0.1",
    "8.8.8.8",
    "8.8.9.9",
    "8.8.4.4",
    "8.8.5.5",
    "172.16.5.5",
    "198.51.100.7",
]
ON = {"net.ipv4.ip_forward": 1}
OTHERS = [
    {
        "name": "a",
        "addrs": ["10.0.0.1/24", "10.0.1.1/24", "10.0.0.2/24", "10.0.0.3/25", "fd00::1/64", "fd00::2/64"],
        "mac": "02:00:00:00:09:01",
    },
    {
        "name": "b",
        "addrs": ["127.9.0.1/32", "10.5.0.1/32", "10.6.0.0/31", "10.7.0.0/24", "fd01::1/128", "fd01:1::1/127"],
        "mac": "02:00:00:00:09:02",
    },
]
SETTINGS: dict[str, dict[str, int]] = {
    "a router": ON,
    "no router": {},
    "strict": {**ON, "net.ipv4.conf.all.rp_filter": 1},
    "loose": {**ON, "net.ipv4.conf.all.rp_filter": 2},
    "localnet": {**ON, "net.ipv4.conf.all.route_localnet": 1},
    "mixed": {
        **ON,
        "net.ipv4.conf.all.accept_local": 1,
        "net.ipv4.conf.eth1.rp_filter": 1,
        "net.ipv4.conf.eth0.forwarding": 0,
    },
    "marks count": {**ON, "net.ipv4.conf.all.src_valid_mark": 1, "net.ipv4.conf.all.rp_filter": 1},
    "redirects": {**ON, "net.ipv4.conf.all.send_redirects": 1},
}
# The errors of `ip route get` for a packet that came in.
INVALID, NO_HOST, NO_NET = "Invalid argument", "No route to host", "Network is unreachable"
ERRORS = {
    Drop.MARTIAN_SOURCE: (INVALID, "Invalid cross-device link"),
    Drop.MARTIAN_DESTINATION: (INVALID,),
    Drop.OWN_SOURCE: (INVALID,),
    Drop.REVERSE_PATH: (INVALID, "Invalid cross-device link"),
    Drop.NOT_JOINED: (INVALID,),
    Drop.NO_FORWARDING: (NO_HOST,),
    Drop.NO_ROUTE: (NO_NET,),
    Drop.UNREACHABLE: (NO_HOST,),
    Drop.PROHIBIT: ("Permission denied",),
    Drop.BLACKHOLE: (INVALID,),
}
FAILURES = {
    INVALID: Failure.BLACKHOLE,
    NO_NET: Failure.NO_ROUTE,
    NO_HOST: Failure.UNREACHABLE,
    "Permission denied": Failure.PROHIBIT,
}


def ipv4(sysctls: dict[str, int], *, rules: bool = False) -> dict[str, Any]:
    return {
        "interfaces": INTERFACES,
        "routes": ROUTES + (TABLES if rules else []),
        "ip_rules": RULES if rules else [],
        "sysctls": sysctls,
    }


@pytest.mark.parametrize("rules", [False, True], ids=["no rules", "rules"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_packets_that_come_in(namespace: Namespace, setting: str, rules: bool) -> None:
    topology = ipv4(SETTINGS[setting], rules=rules)
    make(namespace, topology)
    fib = Fib(host_of_topology(topology, family=4))
    draw = random.Random(f"{setting}{rules}")
    names = [one["name"] for one in INTERFACES]
    packets = [
        (
            draw.choice(names),
            draw.choice(ADDRESSES),
            draw.choice(ADDRESSES),
            draw.choice((0, 2, 3, 4, 0x11)) if rules else 0,
        )
        for _ in range(QUESTIONS)
    ]
    answers = route_get(namespace, ([to, "from", of, "iif", iif, "mark", str(mark)] for iif, of, to, mark in packets))
    differing = []
    for (iif, of, to, mark), answer in zip(packets, answers, strict=True):
        found = arrive(fib, Arriving(4, iif, parse_address(of, 4), parse_address(to, 4), 17, mark))
        if found.drop is not None:
            agrees = isinstance(answer, str) and answer in ERRORS[found.drop]
        elif isinstance(answer, str):
            agrees = False
        elif found.is_local:
            agrees = answer.get("type") == found.kind.value
        else:
            way = (format_address(found.next_hop, 4), found.device)
            agrees = "type" not in answer and way == (answer.get("gateway", to), answer["dev"])
        if not agrees:
            differing.append((iif, of, to, mark, found, answer))
    assert not differing, "\n".join(map(str, differing[:8]))


@pytest.mark.parametrize("rules", [False, True], ids=["no rules", "rules"])
def test_packets_that_are_sent(namespace: Namespace, rules: bool) -> None:
    topology = ipv4(ON, rules=rules)
    make(namespace, topology)
    fib = Fib(host_of_topology(topology, family=4))
    draw = random.Random(rules)
    names = ["", *(one["name"] for one in INTERFACES)]
    flows = [
        (draw.choice((None, *ADDRESSES)), to, draw.choice(names), draw.choice((0, 2, 3, 4, 0x11)) if rules else 0)
        for to in draw.choices(ADDRESSES, k=QUESTIONS)
    ]
    flows += [(None, to, "", 0) for to in ADDRESSES]
    answers = route_get(
        namespace,
        (
            [to, *(["from", of] if of else []), *(["oif", oif] if oif else []), "mark", str(mark)]
            for of, to, oif, mark in flows
        ),
    )
    differing = []
    for (of, to, oif, mark), answer in zip(flows, answers, strict=True):
        source = parse_address(of, 4) if of and of != "0.0.0.0" else None
        found = depart(fib, Flow(4, parse_address(to, 4), source, oif=oif, mark=mark, protocol=17))
        if isinstance(answer, str):
            agrees = found is FAILURES[answer]
        elif isinstance(found, Failure) or found.source is None:
            agrees = False
        else:
            said = (answer.get("type", "unicast"), answer["dev"], answer.get("prefsrc", of))
            agrees = said == (found.kind.value, found.device, format_address(found.source, 4))
            agrees = agrees and (to == "0.0.0.0" or answer.get("gateway", to) == format_address(found.next_hop, 4))
        if not agrees:
            differing.append((of, to, oif, mark, found, answer))
    assert not differing, "\n".join(map(str, differing[:8]))


INTERFACES_V6 = [
    {
        "name": "eth0",
        "addrs": ["2001:db8:0:1::2/64", "2001:db8:0:1::10/64", "fd00:9::1/64"],
        "mac": "02:00:00:00:00:01",
    },
    {"name": "eth1", "addrs": ["2001:db8:1::1/64"], "mac": "02:00:00:00:01:01"},
    {"name": "tun0", "addrs": ["fd00:8::1/64", "2002:cb00:7102::1/128"], "mac": "02:00:00:00:02:01"},
]
ROUTES_V6 = [
    {"dst": "default", "via": "2001:db8:0:1::1", "dev": "eth0"},
    {"dst": "2001:db8:20::/48", "via": "2001:db8:1::fe", "dev": "eth1"},
    {"dst": "fd00:30::/32", "dev": "tun0", "src": "2001:db8:1::1"},
    {"dst": "2001:db8:40::/48", "via": "fe80::9", "dev": "eth1"},
    {"type": "blackhole", "dst": "2001:db8:dead::/48"},
    {"type": "unreachable", "dst": "2001:db8:beef::/48"},
    {"type": "prohibit", "dst": "2001:db8:cafe::/48"},
    {"dst": "2001:db8:50::/48", "via": "2001:db8:1::5", "dev": "eth1", "metric": 300},
    {"dst": "2001:db8:50::/48", "via": "2001:db8:0:1::5", "dev": "eth0", "metric": 200},
]
RULES_V6 = [
    "from 2001:db8:1::/64 lookup 103 pref 120",
    "to 2001:db8:60::/48 prohibit pref 130",
    "to ::/0 fwmark 0x2 lookup 104",
]
TABLES_V6 = [
    {"dst": "2001:db8:70::/48", "via": "2001:db8:1::77", "dev": "eth1", "table": 103},
    {"dst": "default", "via": "fd00:8::9", "dev": "tun0", "table": 104},
]
ADDRESSES_V6 = [
    "2001:db8:0:1::2",
    "2001:db8:0:1::10",
    "2001:db8:0:1::99",
    "2001:db8:0:1::",
    "2001:db8:1::1",
    "2001:db8:1::77",
    "fd00:8::1",
    "fd00:8::5",
    "fd00:9::1",
    "2001:db8:20::1",
    "fd00:30::1",
    "2001:db8:40::1",
    "2001:db8:dead::1",
    "2001:db8:beef::1",
    "2001:db8:cafe::1",
    "2001:db8:50::1",
    "2001:db8:60::1",
    "2001:db8:70::1",
    "2606:4700::1",
    "::1",
    "fe80::ff:fe00:1",
    "fe80::ff:fe00:101",
    "fe80::77",
    "2002:cb00:7102::1",
    "2002:1::1",
    "64:ff9b::1",
    "fec0::1",
]
FAILURES_V6 = {
    "type": {"blackhole": Failure.BLACKHOLE, "unreachable": Failure.UNREACHABLE, "prohibit": Failure.PROHIBIT}
}


def ipv6(*, rules: bool = False, forwarding: int = 1) -> dict[str, Any]:
    return {
        "interfaces": INTERFACES_V6,
        "routes": ROUTES_V6 + (TABLES_V6 if rules else []),
        "ip_rules": RULES_V6 if rules else [],
        "sysctls": {"net.ipv6.conf.all.forwarding": forwarding},
    }


@pytest.mark.parametrize("rules", [False, True], ids=["no rules", "rules"])
def test_ipv6_packets_that_are_sent(namespace: Namespace, rules: bool) -> None:
    topology = ipv6(rules=rules)
    make(namespace, topology)
    fib = Fib(host_of_topology(topology, family=6))
    groups = ["ff02::1", "ff02::5", "ff05::2", "ff0e::1"]
    names = ["", *(one["name"] for one in INTERFACES_V6)]
    flows = [
        (of, to, oif, mark)
        for to in (*ADDRESSES_V6, *groups)
        for oif in names
        for of in (None, "2001:db8:1::1")
        for mark in ((0, 2) if rules else (0,))
        if oif or not to.startswith(("ff", "fe80"))
    ]
    answers = route_get(
        namespace,
        (
            [to, *(["from", of] if of else []), *(["oif", oif] if oif else []), "mark", str(mark)]
            for of, to, oif, mark in flows
        ),
    )
    differing = []
    for (of, to, oif, mark), answer in zip(flows, answers, strict=True):
        source = parse_address(of, 6) if of else None
        found = depart(fib, Flow(6, parse_address(to, 6), source, oif=oif, mark=mark, protocol=17))
        if isinstance(found, Failure):
            agrees = isinstance(answer, str) and FAILURES[answer] is found
        elif isinstance(answer, str):
            agrees = False
        else:
            said = (answer["dev"], answer.get("gateway", to), answer.get("prefsrc"))
            chosen = format_address(found.source or 0, 6) if of is None else said[2]  # a given source is not looked at
            agrees = said == (found.device, format_address(found.next_hop, 6), chosen)
        if not agrees:
            differing.append((of, to, oif, mark, found, answer))
    assert not differing, "\n".join(map(str, differing[:8]))


@pytest.mark.parametrize("forwarding", [0, 1])
def test_ipv6_packets_that_come_in(namespace: Namespace, forwarding: int) -> None:
    topology = ipv6(forwarding=forwarding)
    make(namespace, topology)
    fib = Fib(host_of_topology(topology, family=6))
    packets = [(one["name"], to) for one in INTERFACES_V6 for to in ADDRESSES_V6]
    answers = route_get(namespace, ([to, "from", "2606:4700::77", "iif", iif] for iif, to in packets))
    differing = []
    for (iif, to), answer in zip(packets, answers, strict=True):
        found = arrive(fib, Arriving(6, iif, parse_address("2606:4700::77", 6), parse_address(to, 6), 17))
        if found.is_local:
            agrees = isinstance(answer, dict) and answer.get("type") == found.kind.value
        elif found.drop in {Drop.NO_ROUTE, Drop.UNREACHABLE, Drop.PROHIBIT, Drop.BLACKHOLE}:
            agrees = isinstance(answer, str)
        else:
            # `ip route get` shows the route; that forwarding is off, the kernel only sees later.
            agrees = isinstance(answer, dict) and answer.get("type", "unicast") == "unicast"
            if found.drop is None and isinstance(answer, dict):
                way = (found.device, format_address(found.next_hop, 6))
                agrees = agrees and way == (answer["dev"], answer.get("gateway", to))
            else:
                agrees = agrees and not forwarding
        if not agrees:
            differing.append((iif, to, found, answer))
    assert not differing, "\n".join(map(str, differing[:8]))


def test_what_the_kernel_derives_from_addresses(namespace: Namespace) -> None:
    topology = {
        **ipv4({}),
        "routes": [],
        "interfaces": INTERFACES + [{**one, "name": f"x{one['name']}"} for one in OTHERS],
    }
    topology["sysctls"] = {"net.ipv6.conf.all.forwarding": 1}
    make(namespace, topology)
    host = host_of_topology(topology)
    shown = [
        (route.get("type", "unicast"), route["dst"], route["dev"], route.get("table", "main"), route.get("prefsrc"))
        for family in ("-4", "-6")
        for route in json.loads(namespace.run(["ip", "-j", family, "route", "show", "table", "all"]).out)
        if not route["dev"].startswith("far")
    ]
    tables = {LOCAL: "local", MAIN: "main"}
    ours = []
    for route in host.routes:
        family = route.family
        address = format_address(route.destination.address, family)
        text = address if route.prefix == WIDTH[family] else f"{address}/{route.prefix}"
        source = None if route.source is None else format_address(route.source, family)
        ours.append((route.kind.value, text, route.device, tables[route.table], source))
    assert sorted(ours, key=str) == sorted(shown, key=str)


def test_addresses_stand_in_the_order_of_the_kernel(namespace: Namespace) -> None:
    topology = {"interfaces": [{**one, "name": f"x{one['name']}"} for one in OTHERS]}
    make(namespace, topology)
    host = host_of_topology(topology)
    for interface in json.loads(namespace.run(["ip", "-j", "addr"]).out):
        if interface["ifname"].startswith("far"):
            continue
        listed = [(one["family"], one["local"]) for one in interface["addr_info"]]
        ours = host.interface(interface["ifname"])
        assert ours is not None
        for family, name in ((4, "inet"), (6, "inet6")):
            mine = [format_address(one.address, family) for one in kept(ours, family)]
            assert mine == [local for kind, local in listed if kind == name]
