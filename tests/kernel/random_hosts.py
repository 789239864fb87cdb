"""Random hosts: interfaces, addresses, routes, policy routing, settings, sets; and the values that packets and rules share."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

NAMES = ("eth0", "eth1", "eth10", "wlan0", "lan", "tun0", "br-lan", "eth0.5", "docker0", "ppp0")
NETS = {
    4: (
        "203.0.113.0/24", "192.168.1.0/24", "10.10.0.0/16", "172.18.0.0/16", "10.8.0.0/24", "192.0.2.16/28", "198.18.5.4/30",
        "100.64.0.0/10", "10.10.7.0/25",
    ),
    6: ("2001:db8:1::/64", "2001:db8:2::/64", "fd00:10::/64", "2001:db8:3::/48", "fd00:20:0:8::/61", "2001:db8:4::40/122"),
}  # fmt: skip
FAR = {
    4: ("198.51.100.7", "8.8.8.8", "1.1.1.1", "192.0.2.200", "10.99.1.2", "100.100.3.4"),
    6: ("2001:db8:ffff::7", "2606:4700::1111", "fd99::2", "2001:4860::8888"),
}
STRANGE = {
    4: (
        "127.0.0.1", "127.1.2.3", "0.0.0.0", "255.255.255.255", "224.0.0.1", "224.0.0.251", "239.1.2.3", "240.0.0.1",
        "169.254.3.4",
    ),
    6: ("::1", "::", "ff02::1", "ff02::fb", "ff05::2", "fe80::5", "::ffff:10.0.0.1", "fec0::1"),
}  # fmt: skip
PORTS = (22, 25, 53, 80, 443, 1023, 1024, 3306, 5353, 8080, 8081, 33333, 40000, 65535)
MARKS = (0, 1, 2, 3, 4, 0x10, 0xFF, 0x100, 0xDEAD)

Net = IPv4Network | IPv6Network


@dataclass
class Site:
    """A host as the topology of a case, its sets as `ipset save` text, and the addresses that matter to it."""

    family: int
    topology: dict[str, Any]
    nets: dict[str, list[Net]]
    own: dict[str, list[str]]
    sets: dict[str, str] = field(default_factory=dict)
    ipsets: str = ""

    @property
    def names(self) -> list[str]:
        return list(self.own)

    @property
    def all_own(self) -> list[str]:
        return [one for each in self.own.values() for one in each]

    @property
    def all_nets(self) -> list[Net]:
        return [one for each in self.nets.values() for one in each]

    def neighbour(self, draw: random.Random, name: str = "") -> str:
        """An address on a link of the host."""
        nets = (self.nets[name] if name else []) or self.all_nets
        return within(draw.choice(nets), draw) if nets else draw.choice(FAR[self.family])

    def somebody(self, draw: random.Random) -> str:
        """An address that a rule or a packet may name."""
        kind = draw.random()
        if kind < 0.3 and self.all_own:
            return draw.choice(self.all_own)
        return self.neighbour(draw) if kind < 0.75 else draw.choice(FAR[self.family])


def within(net: Net, draw: random.Random) -> str:
    """An address of a network, most often one of few."""
    size = net.num_addresses
    return str(
        net[draw.choice((3, 7, 9, 50, 51, 52)) % size if draw.random() < 0.8 else draw.randrange(min(size, 1 << 16))]
    )


def random_site(family: int, draw: random.Random) -> Site:
    count = draw.choice((1, 2, 2, 3, 3, 4))
    names = sorted(draw.sample(NAMES, count), key=lambda name: name != "eth0")
    texts = draw.sample(NETS[family], count)
    interfaces, nets, own = [], {}, {}
    for number, (name, text) in enumerate(zip(names, texts, strict=True)):
        net = ip_network(text)
        addrs = [] if number and draw.random() < 0.05 else _addresses(net, family, draw)
        interfaces.append(
            {
                "name": name,
                "addrs": addrs,
                "mac": f"02:00:00:00:{number:02x}:01",
                "peer_mac": f"02:00:00:00:{number:02x}:02",
            }
        )
        nets[name] = [net] if addrs else []
        own[name] = [one.partition("/")[0] for one in addrs]
    topology: dict[str, Any] = {"interfaces": interfaces, "sysctls": _sysctls(names, family, draw)}
    site = Site(family, topology, nets, own)
    topology["routes"] = _routes(site, draw)
    topology["ip_rules"] = _rules(site, draw)
    _add_sets(site, draw)
    return site


def _addresses(net: Net, family: int, draw: random.Random) -> list[str]:
    length, size = net.prefixlen, net.num_addresses
    found = [f"{net[1 % size]}/{length}"]
    if draw.random() < 0.3:
        found.append(f"{net[min(10, size - 2)]}/{length}")
    if draw.random() < 0.1:
        found.append(f"{net[2 % size]}/{32 if family == 4 else 128}")
    if draw.random() < 0.1:
        found.append("10.77.3.9/24" if family == 4 else "fd77::9/64")
    return list(dict.fromkeys(found))


def _sysctls(names: list[str], family: int, draw: random.Random) -> dict[str, int]:
    conf = f"net.ipv{family}.conf"
    found = {"net.ipv4.ip_forward" if family == 4 else f"{conf}.all.forwarding": 1} if draw.random() < 0.9 else {}
    if family == 4:
        for setting, chance, values in (
            ("rp_filter", 0.15, (1, 2)), ("accept_local", 0.1, (1,)), ("route_localnet", 0.15, (1,)),
            ("src_valid_mark", 0.1, (1,)), ("forwarding", 0.05, (0, 1)), ("bc_forwarding", 0.1, (1,)),
        ):  # fmt: skip
            for where in ("all", *names):
                if draw.random() < chance / 2 and (setting, where) != ("forwarding", "all"):
                    found[f"{conf}.{where.replace('.', '/')}.{setting}"] = draw.choice(values)
    if draw.random() < 0.1:
        found[f"net.ipv{family}.fwmark_reflect"] = 1
    if family == 4 and draw.random() < 0.1:
        found["net.ipv4.icmp_errors_use_inbound_ifaddr"] = 1
    for setting, value, chance in (
        ("nf_conntrack_tcp_loose", 0, 0.15), ("nf_conntrack_tcp_be_liberal", 1, 0.1), ("nf_conntrack_checksum", 0, 0.1),
    ):  # fmt: skip
        if draw.random() < chance:
            found[f"net.netfilter.{setting}"] = value
    return found


def _gateway(site: Site, draw: random.Random) -> dict[str, str]:
    name = draw.choice([each for each in site.names if site.nets[each]])
    net = site.nets[name][0]
    gateway = str(net[min(5, net.num_addresses - 2)])
    if gateway in site.all_own:
        return {"dev": name}
    return {"via": gateway, "dev": name}


def _routes(site: Site, draw: random.Random) -> list[dict[str, Any]]:
    everywhere = "0.0.0.0/0" if site.family == 4 else "::/0"
    routes: list[dict[str, Any]] = []
    if draw.random() < 0.85:
        routes.append({"dst": everywhere, **_gateway(site, draw)})
    for far in FAR[site.family]:
        if draw.random() < 0.15:
            length = draw.choice((24, 16, 32) if site.family == 4 else (64, 48, 128))
            dst = str(ip_network(f"{far}/{length}", strict=False))
            kind = draw.choice(("", "", "", "unreachable", "prohibit", "blackhole", "throw"))
            routes.append({"dst": dst, "type": kind} if kind else {"dst": dst, **_gateway(site, draw)})
    for table in (100, 101):
        if draw.random() < 0.5:
            routes.append({"dst": everywhere, **_gateway(site, draw), "table": table})
        elif draw.random() < 0.2:
            routes.append(
                {"dst": everywhere, "type": draw.choice(("unreachable", "blackhole", "prohibit")), "table": table}
            )
    if site.family == 4 and draw.random() < 0.1:
        routes.append({"dst": "198.51.100.0/24", "type": "local", "dev": "lo"})
    seen: dict[tuple[Any, ...], dict[str, Any]] = {}
    for route in routes:
        seen.setdefault((route["dst"], route.get("table")), route)
    return list(seen.values())


def _rules(site: Site, draw: random.Random) -> list[str]:
    found = []
    for preference in range(100, 100 + draw.choice((0, 0, 1, 2, 3))):
        net = ip_network(
            f"{site.somebody(draw)}/{draw.choice((24, 28) if site.family == 4 else (64, 120))}", strict=False
        )
        test = draw.choice((
            f"fwmark {draw.choice(MARKS[1:]):#x}", f"fwmark {draw.choice(MARKS[1:]):#x}/0xff", f"from {net}", f"to {net}",
            f"iif {draw.choice(site.names)}", f"from {net} iif {draw.choice(site.names)}", f"not from {net}",
            f"fwmark 0x1 to {net}", "uidrange 1000-1001", "iif lo",
        ))  # fmt: skip
        action = draw.choice(
            ("lookup 100", "lookup 100", "lookup 101", "lookup main", "unreachable", "blackhole", "prohibit")
        )
        found.append(f"{test} {action} pref {preference}")
    return found


def _add_sets(site: Site, draw: random.Random) -> None:
    """Fill some sets of various kinds."""
    family = "inet" if site.family == 4 else "inet6"
    lines: list[str] = []

    def net() -> str:
        return f"{site.somebody(draw)}/{draw.choice((24, 28, 30, 16) if site.family == 4 else (64, 48, 120))}"

    def port() -> str:
        return f"{draw.choice(('tcp', 'udp'))}:{draw.choice(PORTS)}"

    members = {
        "hash:ip": lambda: site.somebody(draw), "hash:net": net, "hash:ip,port": lambda: f"{site.somebody(draw)},{port()}",
        "hash:net,port": lambda: f"{net()},{port()}", "hash:net,iface": lambda: f"{net()},{draw.choice(site.names)}",
        "hash:ip,port,ip": lambda: f"{site.somebody(draw)},{port()},{site.somebody(draw)}",
        "hash:ip,port,net": lambda: f"{site.somebody(draw)},{port()},{net()}", "bitmap:port": lambda: str(draw.choice(PORTS)),
    }  # fmt: skip
    for number, kind in enumerate(draw.sample(sorted(members), draw.choice((0, 1, 2, 3)))):
        name = f"s{number}"
        lines.append(f"create {name} {kind} {'range 0-65535' if kind == 'bitmap:port' else f'family {family}'}")
        site.sets[name] = kind
        for member in dict.fromkeys(members[kind]() for _ in range(draw.randrange(1, 5))):
            nomatch = " nomatch" if kind in {"hash:net", "hash:net,port"} and draw.random() < 0.15 else ""
            lines.append(f"add {name} {member}{nomatch} -exist")
    if site.sets and draw.random() < 0.2:
        lines.append("create all list:set")
        lines += [f"add all {name}" for name in site.sets if site.sets[name] in {"hash:ip", "hash:net"}]
        if any(kind in {"hash:ip", "hash:net"} for kind in site.sets.values()):
            site.sets["all"] = "list:set"
    site.ipsets = "".join(f"{line}\n" for line in lines)
