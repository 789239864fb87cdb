"""Filters of a flow: one for each interface, each direction, each side of the NAT; tcpdump itself compiles them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import pytest

from policyc.explanation.filters import flow_filters
from policyc.net.addresses import parse_address
from policyc.net.headers import Headers
from policyc.simulation.headers import packet_of
from policyc.simulation.trace import DROPPED, FORWARDED, LOCAL, SENT
from policyc.simulation.view import PacketView

TCPDUMP = shutil.which("tcpdump", path="/usr/sbin:/usr/bin:/sbin:/bin")


def view(family: int = 4, proto: int = 6, iif: str = "eth0", oif: str = "", **more: int) -> PacketView:
    source, target = ("203.0.113.9", "198.51.100.1") if family == 4 else ("2001:db8::9", "2001:db8::1")
    ports = {} if proto in {1, 58, 47, 50} else {"sport": 51000, "dport": 443}
    made = packet_of(
        Headers(family, parse_address(source, family), parse_address(target, family), proto, **{**ports, **more})
    )
    return replace(PacketView.of(made), iif=iif, oif=oif)


def test_both_sides_of_a_translation() -> None:
    sent = view()
    final = replace(sent, dst=parse_address("10.0.0.5", 4), dport=8443, oif="eth1")
    outside, inside = flow_filters(FORWARDED, sent, final)
    assert (outside.interface, outside.translated, inside.interface, inside.translated) == ("eth0", False, "eth1", True)
    assert outside.tcpdump == (
        "tcp and ((src 203.0.113.9 and src port 51000 and dst 198.51.100.1 and dst port 443)"
        " or (src 198.51.100.1 and src port 443 and dst 203.0.113.9 and dst port 51000))"
    )
    assert inside.tcpdump == (
        "tcp and ((src 203.0.113.9 and src port 51000 and dst 10.0.0.5 and dst port 8443)"
        " or (src 10.0.0.5 and src port 8443 and dst 203.0.113.9 and dst port 51000))"
    )
    assert outside.wireshark == (
        "(ip.src == 203.0.113.9 && ip.dst == 198.51.100.1 && tcp.srcport == 51000 && tcp.dstport == 443)"
        " || (ip.src == 198.51.100.1 && ip.dst == 203.0.113.9 && tcp.srcport == 443 && tcp.dstport == 51000)"
    )
    assert outside.command == f"tcpdump -ni eth0 '{outside.tcpdump}'"


def test_where_it_is_seen() -> None:
    sent, out = view(), view(iif="", oif="eth1")
    assert [one.interface for one in flow_filters(DROPPED, sent, sent)] == ["eth0"]
    assert [one.interface for one in flow_filters(LOCAL, sent, sent)] == ["eth0"]
    assert [one.interface for one in flow_filters(SENT, out, out)] == ["eth1"]
    assert [one.interface for one in flow_filters(LOCAL, replace(out, oif="lo"), replace(out, iif="lo"))] == ["lo"]
    assert flow_filters(DROPPED, out, out) == ()


def test_a_port_that_nobody_said() -> None:
    (one,) = flow_filters(DROPPED, view(), view(), any_port=True)
    assert one.tcpdump == (
        "tcp and ((src 203.0.113.9 and dst 198.51.100.1 and dst port 443) or (src 198.51.100.1 and src port 443 and dst 203.0.113.9))"
    )
    reply = replace(view(), reply=True)
    (one,) = flow_filters(DROPPED, reply, reply, any_port=True)
    assert one.tcpdump.startswith("tcp and ((src 203.0.113.9 and src port 51000 and dst 198.51.100.1) or")


def test_pings_and_other_messages() -> None:
    ping = view(proto=1, icmp=0x800, icmp_id=77)
    (one,) = flow_filters(DROPPED, ping, ping)
    assert one.tcpdump == (
        "icmp and ((src 203.0.113.9 and dst 198.51.100.1 and icmp[0] == 8)"
        " or (src 198.51.100.1 and dst 203.0.113.9 and icmp[0] == 0)) and icmp[4:2] == 77"
    )
    assert one.wireshark.endswith(") && icmp.ident == 77")
    error = view(proto=1, icmp=0x303)
    (one,) = flow_filters(DROPPED, error, error)
    assert one.tcpdump == "icmp and (src 203.0.113.9 and dst 198.51.100.1 and icmp[0] == 3)"
    assert one.wireshark == "ip.src == 203.0.113.9 && ip.dst == 198.51.100.1 && icmp.type == 3"


def test_many_receivers_do_not_answer_from_that_address() -> None:
    group = replace(view(proto=17), dst=parse_address("224.0.0.251", 4))
    (one,) = flow_filters(DROPPED, group, group)
    assert " or " not in one.tcpdump


def test_protocols_without_ports_that_filters_know() -> None:
    gre = view(proto=47)
    (one,) = flow_filters(DROPPED, gre, gre)
    assert one.tcpdump.startswith("ip proto 47 and ((src")
    assert one.wireshark.startswith("ip.proto == 47 && ((ip.src")
    lite = view(6, 136)
    (one,) = flow_filters(DROPPED, lite, lite)
    assert (one.tcpdump[:13], "udp.srcport == 51000" in one.wireshark) == ("ip6 proto 136", True)


@pytest.mark.skipif(TCPDUMP is None, reason="tcpdump is not installed")
@pytest.mark.parametrize("any_port", [False, True])
@pytest.mark.parametrize(
    "packet",
    [
        view(), view(proto=17), view(proto=132), view(proto=136), view(proto=33), view(proto=47), view(proto=50),
        view(proto=1, icmp=0x800, icmp_id=1), view(proto=1, icmp=0x303), view(6), view(6, 17), view(6, 132), view(6, 136), view(6, 50),
        view(6, 58, icmp=0x8000, icmp_id=1), view(6, 58, icmp=0x104),
    ],
    ids=lambda one: f"{one.family}-{one.proto}-{one.icmp}",
)  # fmt: skip
def test_tcpdump_compiles_it(packet: PacketView, any_port: bool) -> None:
    for one in flow_filters(DROPPED, packet, packet, any_port=any_port):
        done = subprocess.run(
            [str(TCPDUMP), "-y", "EN10MB", "-d", one.tcpdump], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{one.tcpdump}: {done.stderr}"
