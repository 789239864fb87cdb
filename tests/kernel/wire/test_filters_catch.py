"""The filters of a flow catch its packets and no others, on both sides of the NAT; the captures are read as what was sent.

outside 192.0.2.10 --- eth0 router eth1 --- server 10.0.0.5, published as 192.0.2.1:8080
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from probes import outcomes, ping, tcp
from responder import Responder
from topology import Host, Wire, network

from policyc.diagnostics import InputError
from policyc.explanation.filters import FlowFilter, flow_filters
from policyc.net.addresses import parse_address
from policyc.net.headers import Headers
from policyc.readers.pcap import Captured, read_capture
from policyc.readers.save import read_save
from policyc.readers.topology import host_of_topology
from policyc.simulation.headers import packet_of
from policyc.simulation.packet import Packet
from policyc.simulation.state import State
from policyc.simulation.view import PacketView
from policyc.simulation.walk import Simulation
from policyc.source import Source

TCPDUMP = shutil.which("tcpdump", path="/usr/sbin:/usr/bin:/sbin:/bin")
pytestmark = pytest.mark.skipif(TCPDUMP is None, reason="tcpdump is not installed")
RULES = """*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.5:80
-A POSTROUTING -o eth1 -j MASQUERADE
COMMIT
"""
TOPOLOGY = {
    "interfaces": [{"name": "eth0", "addrs": ["192.0.2.1/24"]}, {"name": "eth1", "addrs": ["10.0.0.1/24"]}],
    "sysctls": {"net.ipv4.ip_forward": "1"},
}
SYN, SYN_ACK, ACK = 2, 18, 16


@pytest.fixture
def hosts(machine: None) -> Iterator[dict[str, Host]]:
    wires = (
        Wire("eth0", ["192.0.2.1/24"], {"outside": ["192.0.2.10/24"]}),
        Wire("eth1", ["10.0.0.1/24"], {"server": ["10.0.0.5/24"]}),
    )
    with network(*wires) as found, closing(Responder(found["server"], (80, 8081))):
        done = found["router"].namespace.run(["iptables-nft-restore"], RULES)
        assert done.code == 0, done.err
        yield found


class Captures:
    """tcpdump on the router, once for each filter, until `stop`."""

    def __init__(self, router: Host, filters: list[tuple[str, str]], folder: Path) -> None:
        self.files = [folder / f"{number}.pcap" for number in range(len(filters))]
        self.running = [
            router.call(
                lambda words=[str(TCPDUMP), "-U", "--immediate-mode", "-w", str(file), "-ni", interface, text]: (
                    subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
                )
            )
            for file, (interface, text) in zip(self.files, filters, strict=True)
        ]
        for one in self.running:
            while "listening on" not in (line := one.stderr.readline()):
                assert line, "tcpdump ended"

    def stop(self) -> list[list[Captured]]:
        time.sleep(0.3)
        for one in self.running:
            one.terminate()
            one.communicate()
        return [packets(file.read_bytes()) for file in self.files]


def packets(data: bytes) -> list[Captured]:
    found = []
    while True:
        try:
            found.append(read_capture(data, "capture", len(found) + 1))
        except InputError as error:
            assert "is asked for; the file holds" in str(error)
            return found


def filters_of(sent: Packet) -> list[FlowFilter]:
    ended = sent.copy()
    trace = Simulation(read_save(Source("rules", RULES), 4), State.of(host_of_topology(TOPOLOGY))).walk(ended)
    return list(flow_filters(trace.verdict, PacketView.of(sent), PacketView.of(ended)))


def a_packet(target: str, proto: int, **more: int) -> Packet:
    packet = packet_of(Headers(4, parse_address("192.0.2.10", 4), parse_address(target, 4), proto, **more))
    packet.iif = "eth0"
    return packet


def test_a_published_connection(hosts: dict[str, Host], tmp_path: Path) -> None:
    outside, inside = filters_of(a_packet("192.0.2.1", 6, sport=40001, dport=8080))
    captures = Captures(
        hosts["router"],
        [(one.interface, one.tcpdump) for one in (outside, inside)] + [("any", outside.tcpdump)],
        tmp_path,
    )
    client = hosts["outside"]
    others = [tcp(client, "192.0.2.1", 8080, sport=40002), tcp(client, "10.0.0.5", 8081, sport=40001)]
    answers = outcomes([tcp(client, "192.0.2.1", 8080, sport=40001), *others])
    assert set(answers.values()) == {"10.0.0.5:80 from 10.0.0.1", "10.0.0.5:8081 from 10.0.0.1"}
    first, second, anywhere = captures.stop()
    addresses = [{(one.headers.src, one.headers.dst) for one in side} for side in (first, second)]
    far, front, near, server = (parse_address(text, 4) for text in ("192.0.2.10", "192.0.2.1", "10.0.0.1", "10.0.0.5"))
    assert addresses == [{(far, front), (front, far)}, {(near, server), (server, near)}]
    for side in (first, second):
        assert [one.headers.flags for one in side][:3] == [SYN, SYN_ACK, ACK]
        assert all(40001 in {one.headers.sport, one.headers.dport} for one in side)
        assert side[0].headers.mss == 1460
    assert [one.direction for one in anywhere][:3] == ["in", "out", "in"]
    assert len({one.ifindex for one in anywhere}) == 1


def test_a_ping(hosts: dict[str, Host], tmp_path: Path) -> None:
    (one,) = filters_of(a_packet("192.0.2.1", 1, icmp=0x800))
    captures = Captures(hosts["router"], [(one.interface, one.tcpdump)], tmp_path)
    assert list(outcomes([ping(hosts["outside"], "192.0.2.1")]).values()) == ["pong"]
    (found,) = captures.stop()
    assert [each.headers.icmp for each in found] == [0x800, 0]
