"""What the kernel reads of the host: kinds of addresses, routes, interfaces' groups, sockets, sets, the CPU, IPsec policies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench import CPUS, judged
from packet_bytes import Described
from packet_site import CLIENT, INSIDE, SITE, TOPOLOGY, arriving, leaving, ports, states, tcp
from polarity import expect_both

from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace

SOURCES = {
    "UNREACHABLE": {4: "10.66.0.1", 6: "2001:db8:66::1"},
    "PROHIBIT": {4: "10.67.0.1"},
    "BLACKHOLE": {4: "10.68.0.1"},
    "THROW": {4: "10.69.0.1"},
    "UNICAST": {4: "10.70.0.1"},
    "UNSPEC": {4: "0.0.0.0"},
    "MULTICAST": {4: "224.1.2.3"},
    "BROADCAST": {4: "203.0.113.255"},
}
# IPv4 asks table local alone for kinds of addresses, and takes an error for an answer there: UNICAST.
ROUTES = [
    {"dst": "10.66.0.0/16", "type": "unreachable", "table": "local"}, {"dst": "10.67.0.0/16", "type": "prohibit", "table": "local"},
    {"dst": "10.68.0.0/16", "type": "blackhole", "table": "local"}, {"dst": "10.69.0.0/16", "type": "throw", "table": "local"},
    {"dst": "10.70.0.0/16", "type": "unreachable"}, {"dst": "2001:db8:66::/48", "type": "unreachable"},
    {"dst": "2001:db8:10::/48", "via": "2001:db8:1::1", "dev": "eth0"},
]  # fmt: skip
SETS = {
    4: """create hosts hash:ip family inet
add hosts 198.51.100.7
create nets hash:net family inet
add nets 198.51.0.0/16
add nets 198.51.100.0/24 nomatch
add nets 198.51.100.7
create ends hash:ip,port family inet
add ends 192.168.1.9,tcp:80
add ends 192.168.1.9,icmp:echo-request
create numbers bitmap:port range 0-6000
add numbers 80
create routes hash:net,iface family inet
add routes 198.51.100.0/24,eth0
create all list:set
add all hosts
add all ends
""",
    6: """create hosts hash:ip family inet6
add hosts 2001:db8:9::7
create nets hash:net family inet6
add nets 2001:db8::/32
add nets 2001:db8:9::/64 nomatch
add nets 2001:db8:9::7
create ends hash:ip,port family inet6
add ends fd00:1::9,tcp:80
add ends fd00:1::9,icmpv6:echo-request
create numbers bitmap:port range 0-6000
add numbers 80
create routes hash:net,iface family inet6
add routes 2001:db8:9::/64,eth0
create all list:set
add all hosts
add all ends
""",
}
PLACE = replace(SITE, topology={**TOPOLOGY, "routes": [*TOPOLOGY["routes"], *ROUTES]}, ipsets=SETS)

ADDRTYPE = [
    *(f"-m addrtype {mark}--{side}-type {kind}" for kind in ("LOCAL", "UNICAST") for side in ("src", "dst") for mark in ("", "! ")),
    "-m addrtype --src-type UNREACHABLE", "-m addrtype ! --src-type UNREACHABLE",
    "-m addrtype --dst-type MULTICAST", "-m addrtype ! --dst-type MULTICAST", "-m addrtype --src-type UNICAST --dst-type LOCAL",
    "-m addrtype --dst-type LOCAL --limit-iface-in", "-m addrtype ! --dst-type LOCAL --limit-iface-in",
    "-m addrtype --src-type UNICAST --limit-iface-in", "-m addrtype ! --src-type UNICAST --limit-iface-in",
    "-m addrtype --src-type LOCAL --limit-iface-out", "-m addrtype ! --src-type LOCAL --limit-iface-out",
    "-m addrtype --dst-type UNICAST --limit-iface-out", "-m addrtype ! --dst-type UNICAST --limit-iface-out",
]  # fmt: skip
ADDRTYPE_IPV4 = [
    "-m addrtype --src-type PROHIBIT", "-m addrtype ! --src-type PROHIBIT", "-m addrtype --src-type BLACKHOLE",
    "-m addrtype --src-type THROW", "-m addrtype --src-type UNSPEC", "-m addrtype ! --src-type UNSPEC,BLACKHOLE",
    "-m addrtype --src-type MULTICAST", "-m addrtype --src-type BROADCAST", "-m addrtype --dst-type BROADCAST",
    "-m addrtype ! --dst-type BROADCAST", "-m addrtype --dst-type BROADCAST,MULTICAST",
]  # fmt: skip
OF_HOST = [
    "-m devgroup --src-group 3", "-m devgroup ! --src-group 3", "-m devgroup --dst-group 6", "-m devgroup ! --dst-group 6",
    "-m devgroup --src-group 1/1", "-m devgroup ! --src-group 0x4/0x4", "-m devgroup --src-group 3 ! --dst-group 6",
    "-m owner --uid-owner 33", "-m owner ! --uid-owner 33", "-m owner --gid-owner 40-44", "-m owner ! --gid-owner 40-44",
    "-m owner --socket-exists", "-m owner ! --socket-exists", "-m owner ! --uid-owner 33 ! --gid-owner 0",
    "-m owner --uid-owner 0 ! --gid-owner 44", f"-m cpu --cpu {CPUS[0]}", f"-m cpu ! --cpu {CPUS[0]}",
    "-m policy --dir in --pol none", "-m policy --dir out --pol none", "-m policy --dir in --pol ipsec", "-m policy --dir out --pol ipsec",
    "-m rpfilter", "-m rpfilter --invert", "-m rpfilter --loose", "-m rpfilter --validmark --accept-local --invert",
]  # fmt: skip
REALM = ["-m realm --realm 5", "-m realm ! --realm 5", "-m realm --realm 0x70000/0xffff0000", "-m realm --realm 0"]
SET = [
    *(f"-m set {mark}--match-set {name}" for mark in ("", "! ") for name in (
        "hosts src", "nets src", "ends dst,dst", "numbers dst", "routes src,src", "all src,src")),
    "-m set --match-set hosts src --update-counters --update-subcounters",
    "-m set --match-set hosts src ! --update-counters ! --update-subcounters", "-m set --match-set nets src --return-nomatch", "-m set --match-set ends src,src",
]  # fmt: skip


def packets(family: int) -> list[Described]:
    inside = INSIDE[family]
    group = "224.0.0.1" if family == 4 else "ff02::1"
    stray = {4: "192.168.1.77", 6: "fd00:1::77"}[family]
    near = {4: "198.51.100.8", 6: "2001:db8:9::8"}[family]
    elsewhere = {"cpu": CPUS[-1]}
    none = {4: "198.51.101.8", 6: "2001:db8:10::8"}[family]
    found = [
        *states(family),
        arriving(family, "tcp", **tcp(1400, 22), dst=inside),
        arriving(family, "tcp", **tcp(1401, 22, "FIN"), dst=inside),
        arriving(family, "tcp", **tcp(1402, 80), src=stray),
        arriving(family, "tcp", **tcp(1403, 80, "FIN"), src=stray),
        arriving(family, "tcp", **tcp(1404, 80), src=near, src_mac="02:00:00:00:00:42"),
        arriving(family, "tcp", **tcp(1405, 80, "FIN"), src=near, src_mac="02:00:00:00:00:42"),
        arriving(family, "tcp", **tcp(1406, 80), src=none),
        arriving(family, "tcp", **tcp(1407, 80), dst=none, **elsewhere),
        arriving(family, "tcp", **tcp(1408, 80, "FIN"), dst=none, **elsewhere),
        arriving(family, "udp", **ports(2400, 53), dst=group, dst_mac="multicast"),
        leaving(family, "tcp", **tcp(3400, 80), uid=5, gid=41),
        leaving(family, "tcp", **tcp(3401, 80, "FIN"), uid=33, gid=0),
        leaving(family, "tcp", **tcp(3402, 80, "FIN"), uid=0, gid=0),
        leaving(family, "tcp", **tcp(3403, 80), dst=inside),
        leaving(family, "tcp", **tcp(3404, 80, "FIN"), src=CLIENT[family], mark=5),
        leaving(family, "tcp", **tcp(3405, 80), src=CLIENT[family], mark=5),
        *(
            arriving(family, "udp", **ports(2410 + n, 53), src=of[family])
            for n, of in enumerate(SOURCES.values())
            if family in of
        ),
        *(
            arriving(family, "tcp", **tcp(1410 + n, 53, "FIN"), src=of[family])
            for n, of in enumerate(SOURCES.values())
            if family in of
        ),
    ]
    if family == 4:
        found += [
            arriving(4, "udp", **ports(2420, 53), dst="203.0.113.255", dst_mac="broadcast"),
            arriving(4, "tcp", **tcp(1420, 53, "FIN"), dst="203.0.113.255", dst_mac="broadcast"),
            leaving(4, "udp", **ports(3420, 53), dst="203.0.113.255"),
            arriving(4, "tcp", **tcp(1421, 80), dst="192.168.2.7"),
            arriving(4, "tcp", **tcp(1422, 80, "FIN"), dst="192.168.2.7"),
            arriving(4, "tcp", **tcp(1423, 80), src="198.51.101.1"),
            leaving(4, "tcp", **tcp(3421, 80), dst="192.168.2.7"),
        ]
    else:
        found += [
            leaving(6, "udp", **ports(3430, 53), dst="ff0e::5"),
            leaving(6, "tcp", **tcp(3431, 80, "FIN"), dst="ff0e::5"),
        ]
    return found


NEVER, ALWAYS = "match with entry, match without entry", "no match with entry, no match without entry"
ERRORS = ("UNREACHABLE", "PROHIBIT", "BLACKHOLE", "THROW")
LACKS = {
    "-m addrtype --src-type UNSPEC": f"{NEVER}: to the kernel 0.0.0.0 is a broadcast address",
    **{f"-m addrtype --src-type {kind}": f"{NEVER}: such a route ends the search" for kind in ERRORS},
    **{f"-m addrtype ! --src-type {kind}": f"{ALWAYS}: such a route ends the search" for kind in ERRORS},
    "-m addrtype ! --src-type UNSPEC,BLACKHOLE": f"{ALWAYS}: neither exists",
    "-m policy --dir in --pol none": f"{ALWAYS}: the kernels at hand are built without ESP and AH",
    "-m policy --dir out --pol none": f"{ALWAYS}: the kernels at hand are built without ESP and AH",
    "-m policy --dir in --pol ipsec": f"{NEVER}: the kernels at hand are built without ESP and AH",
    "-m policy --dir out --pol ipsec": f"{NEVER}: the kernels at hand are built without ESP and AH",
    **({} if len(CPUS) > 1 else {
        f"-m cpu --cpu {CPUS[0]}": f"{ALWAYS}: this machine has one CPU", f"-m cpu ! --cpu {CPUS[0]}": f"{NEVER}: this machine has one CPU",
    }),
}  # fmt: skip
LACKS_OF_IPV6 = {
    **{row: why for row, why in LACKS.items() if "UNREACHABLE" not in row},
    **{
        f"-m addrtype {mark}--src-type UNICAST{limit}": f"{how}: every source that IPv6 lets in is unicast"
        for mark, how in (("", ALWAYS), ("! ", NEVER))
        for limit in ("", " --limit-iface-in")
    },
}


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("family", [4, 6])
def test_host(namespace: Namespace, family: int, backend: Backend) -> None:
    rows = [*ADDRTYPE, *OF_HOST, *SET, *(ADDRTYPE_IPV4 + REALM if family == 4 else ())]
    answers = judged(namespace, backend, family, PLACE, rows, packets(family))
    expect_both(answers, LACKS if family == 4 else LACKS_OF_IPV6)
