"""What the kernel reads of the IP header and the frame: addresses, interfaces, protocol, TTL, TOS, length, MAC, packet type."""

from __future__ import annotations

import pytest
from bench import judged
from packet_site import CLIENT, HOST, SERVER, SITE, arriving, leaving, ports, states, tcp
from polarity import expect_both

from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace

ROWS = [
    "-i eth0", "! -i eth0", "-i eth+", "! -i eth+", "-i +",
    "-o eth1", "! -o eth1", "-o eth+", "! -o eth+",
    "-p tcp", "! -p tcp", "-p gre", "! -p 17",
    "-m comment --comment remark",
    "-m tos --tos 0x10/0xff", "-m tos ! --tos 0x10/0xff", "-m tos --tos 0x00/0x03", "-m tos ! --tos 0x10/0x3f",
    "-m dscp --dscp 4", "-m dscp ! --dscp 4", "-m dscp --dscp-class AF11", "-m dscp ! --dscp-class AF11",
    "-m ecn --ecn-ip-ect 1", "-m ecn ! --ecn-ip-ect 1", "-m ecn --ecn-ip-ect 0",
    "-m length --length 60:100", "-m length ! --length 60:100", "-m length --length 61:", "-m length ! --length :60",
    "-m pkttype --pkt-type unicast", "-m pkttype ! --pkt-type unicast", "-m pkttype --pkt-type broadcast",
    "-m pkttype ! --pkt-type broadcast", "-m pkttype --pkt-type multicast", "-m pkttype ! --pkt-type multicast",
    "-m mac --mac-source 02:00:00:00:00:99", "-m mac ! --mac-source 02:00:00:00:00:99", "-m mac --mac-source 02:00:00:00:00:42",
    "-m mark --mark 5", "-m mark ! --mark 5", "-m mark --mark 4/6", "-m mark ! --mark 4/6", "-m mark --mark 0",
]  # fmt: skip
IPV4 = [
    "-s 198.51.100.7", "! -s 198.51.100.7", "-s 198.51.0.0/16", "! -s 198.51.0.0/16", "-s 198.0.100.0/255.0.255.0",
    "! -s 198.0.100.0/255.0.255.0", "-d 192.168.1.9", "! -d 192.168.1.9", "-d 192.168.0.0/16", "! -d 192.168.0.0/16",
    "-m iprange --src-range 198.51.100.5-198.51.100.7", "-m iprange ! --src-range 198.51.100.5-198.51.100.7",
    "-m iprange --dst-range 192.168.1.9-192.168.1.200", "-m iprange ! --dst-range 192.168.1.9-192.168.1.200",
    "-m iprange --src-range 198.51.100.0-198.51.100.99 ! --dst-range 192.168.1.1-192.168.1.9",
    "-m ttl --ttl-eq 64", "-m ttl ! --ttl-eq 64", "-m ttl --ttl-lt 64", "-m ttl --ttl-gt 63",
]  # fmt: skip
IPV6 = [
    "-s 2001:db8:9::7", "! -s 2001:db8:9::7", "-s 2001:db8:9::/48", "! -s 2001:db8:9::/48", "-d fd00:1::9", "! -d fd00:1::9",
    "-s 2001::7/ffff::ffff", "! -s 2001::7/ffff::ffff",
    "-m iprange --src-range 2001:db8:9::-2001:db8:9::7", "-m iprange ! --src-range 2001:db8:9::-2001:db8:9::7",
    "-m iprange --dst-range fd00:1::9-fd00:2::", "-m iprange ! --dst-range fd00:1::9-fd00:2::",
    "-m hl --hl-eq 64", "-m hl ! --hl-eq 64", "-m hl --hl-lt 64", "-m hl --hl-gt 63",
]  # fmt: skip
NEITHER = "no match with entry, no match without entry"
LACKS = {
    "-i +": f"{NEITHER}: it is left out of the rule, in OUTPUT too",
    "-m comment --comment remark": f"{NEITHER}: a remark tests nothing",
}


def rows_of(family: int) -> list[str]:
    return [*ROWS, *(IPV4 if family == 4 else IPV6)]


def packets(family: int) -> list:
    group = "224.0.0.1" if family == 4 else "ff02::1"
    found = [
        *states(family),
        arriving(family, "tcp", **tcp(1100, 80), ttl=63, tos=0x10),
        arriving(family, "tcp", **tcp(1101, 80, "SYN,FIN"), ttl=63, tos=0x10, payload=30, src_mac="02:00:00:00:00:42"),
        arriving(family, "tcp", **tcp(1102, 80), tos=0x29, payload=20, src_mac="02:00:00:00:00:42"),
        arriving(family, "tcp", **tcp(1103, 80), tos=0x28, payload=500),
        arriving(family, "tcp", **tcp(1104, 80), tos=0x11),
        leaving(family, "tcp", **tcp(3100, 80), tos=0x29, mark=4, ttl=40),
        leaving(family, "tcp", **tcp(3101, 80), tos=0x10, mark=5, ttl=70),
        leaving(family, "tcp", **tcp(3102, 80, "SYN,FIN"), tos=0x10, mark=0xD),
        arriving(family, "udp", **ports(2100, 53), dst=HOST[family], dst_mac="broadcast"),
        arriving(family, "udp", **ports(2101, 53), dst=group, dst_mac="multicast"),
        leaving(family, "udp", **ports(3103, 53), dst=SERVER[family]),
        arriving(family, "udp", **ports(2102, 53), src=CLIENT[family][:-1] + "9"),
    ]  # fmt: skip
    if family == 4:
        found += [
            arriving(4, "udp", **ports(2110, 53), dst="203.0.113.255", dst_mac="broadcast"),
            leaving(4, "udp", **ports(3110, 53), dst="203.0.113.255"),
        ]
    return found


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("family", [4, 6])
def test_headers(namespace: Namespace, family: int, backend: Backend) -> None:
    answers = judged(namespace, backend, family, SITE, rows_of(family), packets(family))
    expect_both(answers, LACKS)
