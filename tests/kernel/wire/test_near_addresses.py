"""Between this host and a zone with an interface, addresses of the link count as inside: DHCP and neighbour discovery work."""

from __future__ import annotations

import socket
import struct

import pytest
from probes import SILENCE, expect, tcp

ZONES = """
policy edge { ownership shared }
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/24, fd00:10::/64
"""
SILENT_OTHERWISE = """
filter any -> self { otherwise drop }
filter self -> any { otherwise drop }
"""


def frame(source: str, destination: str, sport: int, dport: int, data: bytes) -> bytes:
    """A broadcast Ethernet frame with a datagram in it (no UDP checksum, RFC 768)."""
    udp = struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, socket.IPPROTO_UDP, 0)
    head += socket.inet_aton(source) + socket.inet_aton(destination)
    total = sum(struct.unpack("!10H", head))
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return b"\xff" * 6 + b"\x02\0\0\0\0\7" + b"\x08\0" + head[:10] + struct.pack("!H", checksum) + head[12:] + udp


def send_frame(host, data):
    def send():
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
            link.bind(("eth0", 0))
            link.send(data)

    host.call(send)


class Ear:
    """A udp socket at every address of a host, that hears a broadcast or a multicast group."""

    def __init__(self, host, port, group=""):
        self.socket = host.call(self._open, port, group)

    @staticmethod
    def _open(port, group):
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.settimeout(0.3)
        ear.bind(("", port))
        if group:
            index = socket.if_nametoindex("eth0" if "eth1" not in dict(socket.if_nameindex()).values() else "eth1")
            ear.setsockopt(
                socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("=4s4xi", socket.inet_aton(group), index)
            )
        return ear

    def heard(self):
        try:
            return self.socket.recv(2048).decode()
        except TimeoutError:
            return SILENCE

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def send_from_router(site, address, port):
    def send():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth1")
            sender.sendto(b"offer", (address, port))

    site.router.call(send)


@pytest.mark.parametrize(
    ("source", "wanted"), [("0.0.0.0", "discover"), ("169.254.3.4", "discover"), ("10.9.9.9", SILENCE)]
)
def test_a_client_without_an_address_is_in_its_zone(site, source, wanted):
    site.policy.load(ZONES + "filter lan -> self { accept dhcp }" + SILENT_OTHERWISE)
    with Ear(site.router, 67) as ear:
        send_frame(site.desk, frame(source, "255.255.255.255", 68, 67, b"discover"))
        assert ear.heard() == wanted


def test_a_client_without_an_address_is_in_no_zone_of_another_interface(site):
    site.policy.load(ZONES + "filter lan -> self { accept dhcp }" + SILENT_OTHERWISE)
    with Ear(site.router, 67) as ear:
        send_frame(site.outside, frame("0.0.0.0", "255.255.255.255", 68, 67, b"discover"))
        assert ear.heard() == SILENCE


@pytest.mark.parametrize(
    ("address", "port"), [("255.255.255.255", 68), ("10.0.0.255", 68), ("224.0.0.251", 5353)], ids=str
)
def test_what_this_host_sends_to_all_of_a_link_goes_to_its_zone(site, address, port):
    site.policy.load(ZONES + "filter self -> lan { accept dhcp, mdns }" + SILENT_OTHERWISE)
    with Ear(site.desk, port, address if address.startswith("224") else "") as ear:
        send_from_router(site, address, port)
        assert ear.heard() == "offer"


def test_multicast_from_a_zone_reaches_this_host(site):
    site.policy.load(ZONES + "filter lan -> self { accept mdns }" + SILENT_OTHERWISE)
    with Ear(site.router, 5353, "224.0.0.251") as ear:
        send_frame(site.desk, frame("10.0.0.7", "224.0.0.251", 5353, 5353, b"who has"))
        assert ear.heard() == "who has"


def test_neighbours_find_each_other_where_nd_is_accepted(site):
    site.policy.load(
        ZONES
        + "filter lan -> self { accept nd, ssh }; filter self -> lan { accept nd; accept state established }"
        + SILENT_OTHERWISE
    )
    expect(
        {
            tcp(site.desk, "fd00:10::1", 22): "[fd00:10::1]:22 from fd00:10::7",
            tcp(site.outside, "2001:db8:2::1", 22): SILENCE,
            tcp(site.desk, "10.0.0.1", 22): "10.0.0.1:22 from 10.0.0.7",
        }
    )


def test_without_nd_they_do_not(site):
    site.policy.load(ZONES + "filter lan -> self { accept ssh }" + SILENT_OTHERWISE)
    assert "fd00:10::1 " not in site.desk.run("ip", "-6", "neighbour")
    expect({tcp(site.desk, "fd00:10::1", 22): SILENCE})


def test_link_local_addresses_are_not_inside_when_packets_are_forwarded(site):
    site.policy.load(ZONES + "filter lan -> wan { accept tcp/22 }; filter any -> any { drop tcp/22 }")
    site.desk.ip("address add 169.254.3.4/32 dev lo")
    expect(
        {
            tcp(site.desk, "192.0.2.10", 22): "192.0.2.10:22 from 10.0.0.7",
            tcp(site.desk, "192.0.2.10", 22, source="169.254.3.4"): SILENCE,
        }
    )
