"""`use baseline`: what a firewall needs so that the network works at all, by hook, and not more."""

from __future__ import annotations

import socket
import struct
from contextlib import closing

from probes import SILENCE, expect, hold, ping, tcp, udp

CLOSED = """
policy edge {
  ownership exclusive
  default input drop, forward drop, output drop
}
filter any -> self, any { use baseline }
filter self -> any { use baseline; accept tcp/22, udp/1, ping }
filter any -> any { accept tcp/22, udp/1 in eth1 }
"""


def test_replies_ping_and_discovery(site):
    site.policy.load(CLOSED)
    expect(
        {
            ping(site.outside, "192.0.2.1"): "pong",
            ping(site.outside, "2001:db8:2::1"): "pong",
            ping(site.outside, "10.0.0.5"): SILENCE,  # FORWARD has no ping
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            tcp(site.router, "192.0.2.10", 22): "192.0.2.10:22 from 192.0.2.1",
            tcp(site.router, "fd00:10::7", 22): "[fd00:10::7]:22 from fd00:10::1",
            tcp(site.router, "192.0.2.10", 80): SILENCE,
            ping(site.router, "192.0.2.10"): "pong",
            tcp(site.router, "127.0.0.1", 80): "127.0.0.1:80 from 127.0.0.1",
            tcp(site.router, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.1",
            tcp(site.router, "::1", 80): "[::1]:80 from ::1",
            tcp(site.desk, "192.0.2.10", 22): "192.0.2.10:22 from 10.0.0.7",
            tcp(site.desk, "2001:db8:2::10", 22): "[2001:db8:2::10]:22 from fd00:10::7",
            udp(site.desk, "192.0.2.10", 1): "icmp 3/3",  # an error comes back through FORWARD
            udp(site.router, "2001:db8:2::10", 1): "icmp 1/4",
            tcp(site.desk, "192.0.2.10", 80): SILENCE,
        }
    )


def test_errors_pass_whatever_they_are_about(site):
    site.policy.load(CLOSED)
    error = struct.pack("!BBHI", 3, 4, 0, 1300) + b"\x45" + bytes(27)  # about a packet that was never sent
    total = sum(struct.unpack(f"!{len(error) // 2}H", error))
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    send(site.outside, socket.IPPROTO_ICMP, "192.0.2.1", error[:2] + struct.pack("!H", checksum) + error[4:])
    assert site.policy.packets("--icmp-type 3 ") == 1


def test_listeners_of_multicast_groups_pass(site):
    site.policy.load(CLOSED)
    before = site.policy.packets("baseline.mld", 6)
    query = struct.pack("!BBHHH16s", 130, 0, 0, 1, 0, bytes(16))
    send(site.desk, socket.IPPROTO_ICMPV6, "fd00:10::1", query, hops=1)
    assert site.policy.packets("baseline.mld", 6) > before


def test_what_is_not_of_a_connection_is_dropped(site):
    answer = tcp_header(40000, 22, flags=0x12)  # SYN,ACK, and nobody has asked
    with closing(resets(site.outside)) as ear:
        send(site.outside, socket.IPPROTO_TCP, "192.0.2.1", answer)
        assert ear.recv(100)[33] & 4  # without a firewall the host resets it
    site.policy.load(CLOSED.replace("{ use baseline }", "{ use baseline; accept tcp/22 }"))
    with closing(resets(site.outside)) as ear:
        for address in ("192.0.2.1", "10.0.0.5"):
            send(site.outside, socket.IPPROTO_TCP, address, answer)
        ear.settimeout(0.3)
        try:
            assert not ear.recv(100)
        except TimeoutError:
            pass
    assert site.policy.packets("baseline.invalid") == 2


def test_live_connections_go_on_when_their_accept_is_gone(site):
    site.policy.load(CLOSED + "filter any -> self { accept ssh }")
    talk = hold(tcp(site.outside, "192.0.2.1", 22))
    site.policy.load(CLOSED)
    assert talk.say("still here") == "still here"
    talk.socket.close()
    expect({tcp(site.outside, "192.0.2.1", 22): SILENCE})


def send(host, protocol, address, data, hops=64):
    """Send a packet with a header of our own."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    def put():
        with socket.socket(family, socket.SOCK_RAW, protocol) as raw:
            if family == socket.AF_INET6:
                raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
            raw.sendto(data, (address, 0))

    host.call(put)


def resets(host):
    ear = host.call(socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    ear.settimeout(2)
    return ear


def tcp_header(sport, dport, flags, source="192.0.2.10", destination="192.0.2.1"):
    def pack(checksum):
        return struct.pack("!HHIIBBHHH", sport, dport, 1, 1, 0x50, flags, 8192, checksum, 0)

    words = socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack("!HH", 6, 20) + pack(0)
    total = sum(struct.unpack("!16H", words))
    return pack(~((total & 0xFFFF) + (total >> 16)) & 0xFFFF)
