"""Who is in an ipset: every kind of set that the kernel has, asked of rules that count real frames."""

from __future__ import annotations

import random
from itertools import product

import pytest
from frames import Frame, matched_rules
from host_in_namespace import make

from policyc.host.membership import is_member
from policyc.host.probe import Probe
from policyc.host.set_values import MemberSet
from policyc.kernel.namespace import Namespace
from policyc.net.addresses import parse_address
from policyc.readers.ipset import read_ipsets
from policyc.readers.ipset_members import parse_mac
from policyc.source import Source

TOPOLOGY = {"interfaces": [{"name": "eth0", "addrs": ["203.0.113.2/24"], "mac": "02:00:00:00:00:01"}]}
PACKETS = 60

SETS_V4 = """
create ip hash:ip
add ip 10.0.0.1
add ip 10.0.0.8/30
add ip 10.0.1.3-10.0.1.5
create masked hash:ip netmask 24
add masked 10.0.0.77
create bits hash:ip bitmask 255.0.255.0
add bits 10.9.1.7
create net hash:net
add net 10.0.0.0/16
add net 10.0.0.0/24 nomatch
add net 10.0.0.8/30
add net 10.0.2.1-10.0.2.6
create half hash:net
add half 0.0.0.0/1
add half 128.0.0.0/1
create ipport hash:ip,port
add ipport 10.0.0.1,80
add ipport 10.0.0.1,udp:53-55
add ipport 10.0.0.9,icmp:echo-request
add ipport 10.0.0.9,icmp:3/1
add ipport 10.0.0.9,gre:0
add ipport 10.0.0.8/30,sctp:80
create netport hash:net,port
add netport 10.0.0.0/16,tcp:80
add netport 10.0.0.0/24,tcp:80 nomatch
add netport 10.0.0.8/29,udp:53
create iface hash:net,iface
add iface 10.0.0.0/16,eth0
add iface 10.0.0.8/29,eth0 nomatch
add iface 10.0.1.0/24,eth wildcard
add iface 10.0.2.0/24,eth1
add iface 0.0.0.0/0,eth0
create everywhere hash:net,iface
add everywhere 0.0.0.0/0,eth0
create pairs hash:net,net
add pairs 10.0.0.0/16,10.0.1.0/24
add pairs 10.0.0.0/24,10.0.1.0/28 nomatch
add pairs 10.0.0.0/24,0.0.0.0/0
create three hash:ip,port,ip
add three 10.0.0.1,tcp:80,10.0.1.3
add three 10.0.0.8/29,udp:53,10.0.1.3
create mixed hash:ip,port,net
add mixed 10.0.0.1,tcp:80,10.0.1.0/24
add mixed 10.0.0.1,tcp:80,10.0.1.0/30 nomatch
create nets hash:net,port,net
add nets 10.0.0.0/24,tcp:80,10.0.1.0/24
add nets 10.0.0.0/28,tcp:80,10.0.0.0/15 nomatch
create mac hash:mac
add mac 02:00:00:00:00:0a
create ipmac hash:ip,mac
add ipmac 10.0.0.1,02:00:00:00:00:0a
create marks hash:ip,mark
add marks 10.0.0.1,0x0
create bip bitmap:ip range 10.0.0.0/24
add bip 10.0.0.1
add bip 10.0.0.8/30
create bnet bitmap:ip range 10.0.0.0/16 netmask 24
add bnet 10.0.1.0
create bmac bitmap:ip,mac range 10.0.0.0/24
add bmac 10.0.0.1,02:00:00:00:00:0a
add bmac 10.0.0.9,02:00:00:00:00:0b
create ports bitmap:port range 50-90
add ports 53-55
add ports 80
create list list:set
add list ports
add list net
add list iface
"""
SETS_V6 = """
create ip hash:ip family inet6
add ip 2001:db8::1
create masked hash:ip family inet6 netmask 64
add masked 2001:db8:1::77
create net hash:net family inet6
add net 2001:db8::/32
add net 2001:db8::/64 nomatch
add net 2001:db8::8/125
create ipport hash:ip,port family inet6
add ipport 2001:db8::1,tcp:80
add ipport 2001:db8::9,icmpv6:128/0
add ipport 2001:db8::9,gre:0
create netport hash:net,port family inet6
add netport 2001:db8::/48,udp:53-54
create iface hash:net,iface family inet6
add iface 2001:db8::/32,eth0
add iface 2001:db8::/64,eth0 nomatch
create pairs hash:net,net family inet6
add pairs 2001:db8::/64,2001:db8:1::/64
create four hash:ip
add four 10.0.0.1
create ports bitmap:port range 50-90
add ports 80
create list list:set
add list ports
add list four
add list net
"""
ADDRESSES = {
    4: [
        "0.0.0.0",
        "10.0.0.1",
        "10.0.0.8",
        "10.0.0.9",
        "10.0.0.12",
        "10.0.0.77",
        "10.0.1.3",
        "10.0.1.17",
        "10.0.2.5",
        "10.0.2.7",
        "10.7.1.1",
        "192.0.2.1",
    ],
    6: ["2001:db8::1", "2001:db8::9", "2001:db8::77", "2001:db8:1::3", "2001:db8:1::77", "2001:db8:0:1::1", "fd00::1"],
}
MACS = ["02:00:00:00:00:0a", "02:00:00:00:00:0b"]
# As the end of a `Frame`.
HEADERS = [
    (6, 80, 53),
    (6, 1024, 80),
    (17, 53, 80),
    (17, 54, 9),
    (132, 1, 80),
    (1, 8, 0),
    (1, 3, 1),
    (47, 0, 0),
    (58, 128, 0),
]


def loaded(namespace: Namespace, text: str) -> str:
    """Create the sets that this kernel has and leave out the others."""
    kept: list[str] = []
    refused: set[str] = set()
    for line in text.split("\n"):
        words = line.split()
        if not words or words[1] in refused:
            continue
        done = namespace.run(["ipset", *words])
        if done.code:
            assert "not supported" in done.err or "Unknown argument" in done.err, done.err
            refused.add(words[1])
        else:
            kept.append(line)
    return "\n".join(kept)


@pytest.mark.parametrize("family", [4, 6])
def test_members(namespace: Namespace, family: int) -> None:
    make(namespace, TOPOLOGY)
    text = loaded(namespace, SETS_V4 if family == 4 else SETS_V6)
    sets = read_ipsets(Source("sets", text))
    assert read_ipsets(Source("saved", namespace.run(["ipset", "save"]).out)).keys() == sets.keys()
    questions = [
        (name, directions, word)
        for name, one in sets.items()
        if one.family in {0, family}
        for directions in (",".join(each) for each in product(("src", "dst"), repeat=max(1, dimension(one))))
        for word in ("", "--return-nomatch")
    ]
    questions += [(name, "src,dst,src", "") for name, one in sets.items() if one.family in {0, family}] + [
        ("ipport", "src", "")
    ]
    draw = random.Random(family)
    packets = [
        (draw.choice(MACS), draw.choice(ADDRESSES[family]), draw.choice(ADDRESSES[family]), *draw.choice(HEADERS))
        for _ in range(PACKETS)
    ]
    tests = [f"-m set --match-set {name} {directions} {word}" for name, directions, word in questions]
    answers = matched_rules(namespace, family, tests, packets)
    matched = [did for row in answers for did in row]
    differing = []
    for (packet, (name, directions, word)), did in zip(product(packets, questions), matched, strict=True):
        expected = is_member(sets, name, directions.split(","), probe(family, packet), return_nomatch=bool(word))
        if expected is not did:
            differing.append((packet, name, directions, word, "kernel", did))
    assert not differing, "\n".join(map(str, differing[:12]))
    assert len([one for one in matched if one]) > len(matched) // 20  # the questions are not all answered alike


def dimension(one: MemberSet) -> int:
    return 2 if one.kind == "list:set" else one.shape.dimension


def probe(family: int, packet: Frame) -> Probe:
    mac, of, to, protocol, one, two = packet
    has_ports = protocol in {6, 17, 132}
    return Probe(
        family, parse_address(of, family), parse_address(to, family), protocol,
        one if has_ports else None, two if has_ports else None, None if has_ports or protocol == 47 else one * 256 + two,
        "eth0", "", parse_mac(mac), 0x020000000001,
    )  # fmt: skip
