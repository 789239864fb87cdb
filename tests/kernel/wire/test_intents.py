"""Intents of one line and several tables: notrack, synproxy, tproxy, clamp; and the verbs of mangle and raw."""

from __future__ import annotations

import socket
import struct
from contextlib import closing

import pytest
from probes import SILENCE, expect, hold, outcome, ping, tcp, udp
from responder import EVERYWHERE, Responder

ZONES = """
policy edge { ownership shared }
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/24, fd00:10::/64
zone stores = interface eth2 network 10.20.0.0/24, fd00:20::/64
"""


def test_notrack_is_for_both_directions(site):
    site.policy.load(
        ZONES
        + """
        notrack wan -> self udp/53, icmp/echo-request
        notrack stores -> lan tcp/80
        notrack self -> wan udp/80
        filter wan -> self { use baseline; accept udp/53 state untracked; accept udp/22 state untracked; otherwise drop }
        filter self -> wan { use baseline; accept udp state untracked; accept icmp state untracked; otherwise drop }
        filter any -> any { accept state untracked; otherwise drop }
        """
    )
    expect(
        {
            udp(site.outside, "192.0.2.1", 53): "192.0.2.1:53 from 192.0.2.10",
            udp(site.outside, "2001:db8:2::1", 53): "[2001:db8:2::1]:53 from 2001:db8:2::10",
            udp(site.outside, "192.0.2.1", 22): SILENCE,
            ping(site.outside, "192.0.2.1"): "pong",  # both its packets are untracked, or the answer would be dropped
            tcp(site.store, "10.0.0.5", 80): "10.0.0.5:80 from 10.20.0.5",
            tcp(site.store, "fd00:10::5", 80): "[fd00:10::5]:80 from fd00:20::5",
            tcp(site.store, "10.0.0.5", 22): SILENCE,
            tcp(site.outside, "10.0.0.5", 80): SILENCE,
            udp(site.router, "192.0.2.10", 80): SILENCE,  # an untracked answer, accepted nowhere
            udp(site.router, "192.0.2.10", 443): "not permitted",
        }
    )


def test_notrack_of_some_addresses_is_for_their_answers_too(site):
    site.policy.load(
        ZONES
        + """
        notrack wan -> self udp/53 from 203.0.113.9, 198.51.100.9 to 192.0.2.1
        filter wan -> self { accept udp/53 }
        filter self -> wan { accept udp state untracked from 192.0.2.1 to 203.0.113.9; drop udp }
        """
    )
    expect(
        {
            udp(site.outside, "192.0.2.1", 53, source="203.0.113.9"): "192.0.2.1:53 from 203.0.113.9",
            udp(site.outside, "192.0.2.1", 53, source="198.51.100.9"): SILENCE,
            udp(site.outside, "192.0.2.1", 53): SILENCE,
        }
    )


def test_logs_stand_in_every_table(site):
    site.policy.load(
        ZONES
        + """
        log seen = "seen"
        log kept = "kept" nflog 5
        raw wan -> self { log seen udp/53; drop udp/80 log kept }
        mangle wan -> self { log seen udp/53; mark 0x1 udp/53 log kept }
        nat wan -> self { redirect udp/53 becomes :3128 log seen }
        filter wan -> self { reject udp/3128 log kept }
        """
    )
    expect({udp(site.outside, "192.0.2.1", 53): "icmp 3/3", udp(site.outside, "192.0.2.1", 80): SILENCE})
    assert (site.policy.packets("seen "), site.policy.packets("NFLOG")) == (3, 3)


def test_notrack_accepts_nothing(site):
    site.policy.load(ZONES + "notrack wan -> self udp/53; filter wan -> self { use baseline; otherwise drop }")
    expect({udp(site.outside, "192.0.2.1", 53): SILENCE})


def test_synproxy_answers_before_the_server(site):
    site.policy.load(
        ZONES
        + """
        synproxy wan -> self tcp/80
        synproxy wan -> lan tcp/443
        filter any -> self, any { use baseline }
        filter wan -> self, lan { accept tcp/80, tcp/443; otherwise drop }
        filter self -> any { use baseline; otherwise accept }
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.10",
            tcp(site.outside, "2001:db8:2::1", 80): "[2001:db8:2::1]:80 from 2001:db8:2::10",
            tcp(site.outside, "10.0.0.5", 443): "10.0.0.5:443 from 192.0.2.10",
            tcp(site.outside, "fd00:10::5", 443): "[fd00:10::5]:443 from 2001:db8:2::10",
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
        }
    )
    assert site.policy.packets("SYNPROXY") >= 4
    assert site.policy.packets("SYNPROXY", 6) >= 4


def test_tproxy_hands_packets_to_a_local_socket(site):
    site.policy.load(
        ZONES
        + """
        mark divert = 0x1/0xff
        tproxy lan -> any tcp/80 becomes :3129 mark divert
        filter any -> self { use baseline; otherwise drop }
        """
    )
    site.router.ip(
        "rule add fwmark 1/0xff lookup 100",
        "route add local 0.0.0.0/0 dev lo table 100",
    )
    site.router.run("ip", "-6", "rule", "add", "fwmark", "1/0xff", "lookup", "100")
    site.router.run("ip", "-6", "route", "add", "local", "::/0", "dev", "lo", "table", "100")
    with closing(Responder(site.router, [3129], EVERYWHERE, transparent=True)):
        talk = hold(tcp(site.desk, "192.0.2.10", 80))
        assert talk.outcome == "192.0.2.10:80 from 10.0.0.7"
        assert talk.say("who is it") == "who is it"
        talk.socket.close()
        expect(
            {
                tcp(site.desk, "192.0.2.99", 80): "192.0.2.99:80 from 10.0.0.7",  # nobody is there but the proxy
                tcp(site.desk, "2001:db8:2::99", 80): "[2001:db8:2::99]:80 from fd00:10::7",
                tcp(site.desk, "192.0.2.10", 22): "192.0.2.10:22 from 10.0.0.7",
                tcp(site.desk, "10.0.0.1", 80): SILENCE,  # this host itself
                tcp(site.desk, "10.0.0.1", 3129): SILENCE,  # nor its port
                tcp(site.store, "192.0.2.10", 80): "192.0.2.10:80 from 10.20.0.5",
            }
        )


def test_tproxy_takes_what_its_words_say(site):
    site.policy.load(
        ZONES
        + """
        tproxy lan, stores -> any tcp/80, tcp/8080-8090 from not 10.0.0.6 to not 192.0.2.10 becomes 127.0.0.1:3129 mark 0x1
        filter any -> self { use baseline; otherwise drop }
        """
    )
    site.router.ip("rule add fwmark 1 lookup 100", "route add local 0.0.0.0/0 dev lo table 100")
    with closing(Responder(site.router, [3129], ["127.0.0.1"], transparent=True)):
        expect(
            {
                tcp(site.desk, "192.0.2.99", 80): "192.0.2.99:80 from 10.0.0.7",
                tcp(site.store, "192.0.2.99", 8081): "192.0.2.99:8081 from 10.20.0.5",
                tcp(site.server, "192.0.2.99", 80, source="10.0.0.6"): SILENCE,
                tcp(site.desk, "192.0.2.10", 80): "192.0.2.10:80 from 10.0.0.7",
                tcp(site.desk, "192.0.2.99", 443): SILENCE,
            }
        )


def mss_of(packet):
    """The MSS that a TCP header announces, None where it is no SYN."""
    offset, flags = packet[12] >> 4, packet[13]
    options = packet[20 : offset * 4]
    while options and flags & 2:
        if options[0] < 2:
            options = options[(options[0] == 1 and 1) or len(options) :]
        elif options[0] == 2:
            return struct.unpack_from("!H", options, 2)[0]
        else:
            options = options[options[1] :]
    return None


class SynEar:
    """Hears the SYN and SYN,ACK that reach a host, of one family."""

    def __init__(self, host, family):
        self.family = family
        self.socket = host.call(socket.socket, family, socket.SOCK_RAW, socket.IPPROTO_TCP)
        self.socket.settimeout(2)

    def mss(self):
        while True:
            packet = self.socket.recv(2048)
            found = mss_of(packet[20:] if self.family == socket.AF_INET else packet)
            if found:
                return found

    def close(self):
        self.socket.close()


@pytest.mark.parametrize(
    ("family", "address", "headers"),
    [(socket.AF_INET, "10.0.0.5", 40), (socket.AF_INET6, "fd00:10::5", 60)],
    ids=["ip", "ip6"],
)
def test_clamp_makes_both_ends_fit(site, family, address, headers):
    site.router.ip("link set eth0 mtu 1300")
    with closing(SynEar(site.server, family)) as opened, closing(SynEar(site.outside, family)) as answered:
        expect(
            {
                tcp(site.outside, address, 80): f"{f'[{address}]' if headers == 60 else address}:80 from "
                + ("192.0.2.10" if headers == 40 else "2001:db8:2::10")
            }
        )
        assert (opened.mss(), answered.mss()) == (1500 - headers, 1500 - headers)
    site.policy.load(ZONES + "clamp mss on wan")
    with closing(SynEar(site.server, family)) as opened, closing(SynEar(site.outside, family)) as answered:
        outcome(tcp(site.outside, address, 80))
        assert (opened.mss(), answered.mss()) == (1300 - headers, 1300 - headers)


def test_marks_are_set_kept_and_tested_bit_by_bit(site):
    site.policy.load(
        ZONES
        + """
        mark one = 0x100/0xf00
        mark two = 0x200/0xf00
        mark low = 0x1/0xf
        mangle wan -> self {
          mark one tcp/22, tcp/80, tcp/443, udp/53
          mark low tcp/80
          mark two tcp/443
          save-mark udp/53
        }
        mangle self -> wan { restore-mark }
        filter wan -> self {
          drop tcp/22 marked one
          drop tcp/80 marked two
          drop tcp/8080 marked one, two
          reject tcp/80 marked low with tcp-reset
          drop tcp/443 marked not two
          drop tcp/25 marked not one, two
        }
        filter self -> wan { drop marked one; otherwise accept }
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            tcp(site.outside, "192.0.2.1", 80): "reset",
            tcp(site.outside, "192.0.2.1", 8080): "192.0.2.1:8080 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 443): "192.0.2.1:443 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 25): SILENCE,
            udp(site.outside, "192.0.2.1", 53): SILENCE,  # its answer has the connection's mark
            udp(site.outside, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.10",
        }
    )


def test_a_mask_keeps_the_other_bits_of_a_connection(site):
    site.policy.load(
        ZONES
        + """
        mangle wan -> self { mark 0x12 udp/53, udp/80; save-mark 0xf udp/53; save-mark udp/80 }
        mangle self -> wan { restore-mark }
        filter self -> wan { drop marked 0x12; otherwise accept }
        """
    )
    expect(
        {
            udp(site.outside, "192.0.2.1", 53): "192.0.2.1:53 from 192.0.2.10",
            udp(site.outside, "192.0.2.1", 80): SILENCE,
        }
    )


def test_a_helper_sees_what_belongs_to_its_connection(site):
    site.policy.load(
        ZONES
        + """
        raw wan -> self { helper ftp tcp/21 from not 203.0.113.9, 198.51.100.9 }
        filter wan -> self { accept state established, related; accept tcp/21; otherwise drop }
        """
    )
    expect({tcp(site.outside, "192.0.2.1", 8080): SILENCE})
    talk = hold(tcp(site.outside, "192.0.2.1", 21))
    for line in ("hello\r\n", "227 Entering Passive Mode (192,0,2,1,31,144)\r\n"):
        assert talk.say(line) == line
    expect({tcp(site.outside, "192.0.2.1", 31 * 256 + 144): "192.0.2.1:8080 from 192.0.2.10"})
    talk.socket.close()
