"""`publish`: the translation, its accept, nothing for others, no way around it, and the way back for hairpins."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest
from probes import SILENCE, expect, hold, outcome, tcp, udp

IPPROTO_GRE = 47
ZONES = """
policy edge {
  ownership exclusive
  default input drop, forward drop, output accept
}
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/24, fd00:10::/64
zone stores = interface eth2 network 10.20.0.0/24, fd00:20::/64
address web = 10.0.0.5, fd00:10::5
filter any -> self, any { use baseline }
filter self -> any { use baseline }
"""
OPEN = "\nfilter any -> self, any { otherwise accept }"


def test_a_published_service(site):
    site.policy.load(ZONES + "publish wan -> self tcp/8080, udp/53 becomes web:80")
    expect(
        {
            tcp(site.outside, "192.0.2.1", 8080): "10.0.0.5:80 from 192.0.2.10",
            tcp(site.outside, "2001:db8:2::1", 8080): "[fd00:10::5]:80 from 2001:db8:2::10",
            udp(site.outside, "192.0.2.1", 53): "10.0.0.5:80 from 192.0.2.10",
            tcp(site.outside, "10.0.0.1", 8080): "10.0.0.5:80 from 192.0.2.10",  # any address of this host
            tcp(site.outside, "192.0.2.1", 80): SILENCE,
            tcp(site.outside, "10.0.0.5", 80): SILENCE,
            tcp(site.desk, "192.0.2.1", 8080): SILENCE,
        }
    )


def test_there_is_no_way_around_it_where_all_else_is_open(site):
    site.policy.load(
        ZONES + "publish wan -> self tcp/8080, tcp/8081 becomes web:80 from 203.0.113.9, 2001:db8:aa::9" + OPEN
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 8080, source="203.0.113.9"): "10.0.0.5:80 from 203.0.113.9",
            tcp(site.outside, "2001:db8:2::1", 8081, source="2001:db8:aa::9"): "[fd00:10::5]:80 from 2001:db8:aa::9",
            tcp(site.outside, "192.0.2.1", 8080): SILENCE,
            tcp(site.outside, "192.0.2.1", 8081, source="198.51.100.9"): SILENCE,
            tcp(site.outside, "2001:db8:2::1", 8080): SILENCE,
            tcp(site.outside, "10.0.0.5", 80): SILENCE,
            tcp(site.outside, "10.0.0.5", 80, source="203.0.113.9"): SILENCE,
            tcp(site.outside, "fd00:10::5", 80): SILENCE,
            tcp(site.outside, "10.0.0.5", 22): "10.0.0.5:22 from 192.0.2.10",
            tcp(site.outside, "10.0.0.6", 80): "10.0.0.6:80 from 192.0.2.10",
            tcp(site.store, "10.0.0.5", 80): "10.0.0.5:80 from 10.20.0.5",  # not from `wan`
        }
    )


def test_from_a_set_or_not_from_a_list(site):
    site.policy.load(
        ZONES
        + "set friends = address; publish wan -> self tcp/8080 becomes web:80 from friends\n"
        + "publish wan -> self tcp/8081 becomes 10.0.0.5:443 from not 203.0.113.9, 198.51.100.9"
        + OPEN
    )
    site.router.run("ipset", "add", "friends.4", "203.0.113.9")
    expect(
        {
            tcp(site.outside, "192.0.2.1", 8080, source="203.0.113.9"): "10.0.0.5:80 from 203.0.113.9",
            tcp(site.outside, "192.0.2.1", 8080): SILENCE,
            tcp(site.outside, "192.0.2.1", 8081, source="203.0.113.9"): SILENCE,
            tcp(site.outside, "192.0.2.1", 8081, source="198.51.100.9"): SILENCE,
            tcp(site.outside, "192.0.2.1", 8081): "10.0.0.5:443 from 192.0.2.10",
        }
    )


def test_hairpin_from_zones_and_from_this_host(site):
    site.policy.load(ZONES + "publish wan -> self tcp/8080, udp/53 becomes web:80 hairpin lan, stores, self")
    expect(
        {
            tcp(site.outside, "192.0.2.1", 8080): "10.0.0.5:80 from 192.0.2.10",
            tcp(site.desk, "192.0.2.1", 8080): "10.0.0.5:80 from 10.0.0.1",
            tcp(site.desk, "10.0.0.1", 8080): "10.0.0.5:80 from 10.0.0.1",
            tcp(site.desk, "2001:db8:2::1", 8080): "[fd00:10::5]:80 from fd00:10::1",
            tcp(site.server, "192.0.2.1", 8080, source="10.0.0.5"): "10.0.0.5:80 from 10.0.0.1",  # the endpoint itself
            udp(site.desk, "192.0.2.1", 53): "10.0.0.5:80 from 10.0.0.1",
            tcp(site.store, "192.0.2.1", 8080): "10.0.0.5:80 from 10.0.0.1",
            tcp(site.router, "192.0.2.1", 8080): "10.0.0.5:80 from 192.0.2.1",
            tcp(site.router, "2001:db8:2::1", 8080): "[fd00:10::5]:80 from 2001:db8:2::1",
            udp(site.router, "10.0.0.1", 53): "10.0.0.5:80 from 10.0.0.1",
            tcp(site.router, "127.0.0.1", 8080): "127.0.0.1:8080 from 127.0.0.1",
            tcp(site.desk, "10.0.0.5", 80): "10.0.0.5:80 from 10.0.0.7",  # the same link: the router is not asked
            tcp(site.store, "10.0.0.5", 80): SILENCE,
        }
    )


def test_from_is_for_hairpins_too(site):
    site.policy.load(
        ZONES + "publish wan -> self tcp/8080 becomes 10.0.0.5:80 hairpin lan from 203.0.113.9, 10.0.0.7" + OPEN
    )
    expect(
        {
            tcp(site.desk, "192.0.2.1", 8080): "10.0.0.5:80 from 10.0.0.1",
            tcp(site.server, "192.0.2.1", 8080, source="10.0.0.6"): SILENCE,
            tcp(site.outside, "192.0.2.1", 8080): SILENCE,
            tcp(site.outside, "192.0.2.1", 8080, source="203.0.113.9"): "10.0.0.5:80 from 203.0.113.9",
        }
    )


def test_an_original_address(site):
    site.policy.load(
        ZONES
        + """
        publish wan -> self tcp/80 becomes 10.0.0.5 to 192.0.2.71 as first
        publish wan -> self tcp/80 becomes 10.0.0.6 to 192.0.2.72, 192.0.2.73 as second
        publish wan -> self tcp/443 becomes 10.0.0.6 to 192.0.2.64/28 as routed
        filter wan -> self { accept tcp/80 }
        """
    )
    site.router.ip("address add 192.0.2.71/32 dev eth0", "address add 192.0.2.72/32 dev eth0")
    site.outside.ip("route add 192.0.2.64/28 via 192.0.2.1")
    expect(
        {
            tcp(site.outside, "192.0.2.71", 80): "10.0.0.5:80 from 192.0.2.10",
            tcp(site.outside, "192.0.2.72", 80): "10.0.0.6:80 from 192.0.2.10",
            tcp(site.outside, "192.0.2.73", 80): "10.0.0.6:80 from 192.0.2.10",
            tcp(site.outside, "192.0.2.70", 443): "10.0.0.6:443 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 443): SILENCE,
        }
    )


@pytest.mark.parametrize("how", ["random", "nth"])
def test_several_endpoints(site, how):
    site.policy.load(
        ZONES
        + f"""
        publish wan -> self tcp/80 becomes 10.0.0.5:80, 10.0.0.6:8080 balance {how} from 192.0.2.0/24 as pool
        {OPEN}
        """
    )
    found = [outcome(tcp(site.outside, "192.0.2.1", 80)) for _ in range(4 if how == "nth" else 40)]
    ends = {f"{end} from 192.0.2.10" for end in ("10.0.0.5:80", "10.0.0.6:8080")}
    assert set(found) == ends
    if how == "nth":
        assert all(found.count(end) == 2 for end in ends)
    expect(
        {
            tcp(site.outside, "192.0.2.1", 80, source="203.0.113.9"): SILENCE,
            tcp(site.outside, "10.0.0.5", 80): SILENCE,
            tcp(site.outside, "10.0.0.6", 8080): SILENCE,
            tcp(site.outside, "10.0.0.6", 80): "10.0.0.6:80 from 192.0.2.10",
        }
    )


def test_ranges_of_ports_keep_their_port(site):
    site.policy.load(ZONES + "publish wan -> self tcp/8080-8090, udp/50-60 becomes 10.0.0.5")
    expect(
        {
            tcp(site.outside, "192.0.2.1", 8080): "10.0.0.5:8080 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 8081): "10.0.0.5:8081 from 192.0.2.10",
            udp(site.outside, "192.0.2.1", 53): "10.0.0.5:53 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 53): SILENCE,
            tcp(site.outside, "10.0.0.5", 8081): SILENCE,
        }
    )


def test_a_protocol_without_ports(site):
    site.policy.load(ZONES + "publish wan -> self gre becomes 10.0.0.5")
    ear = site.server.call(socket.socket, socket.AF_INET, socket.SOCK_RAW, IPPROTO_GRE)
    with closing(ear):
        ear.settimeout(2)
        site.outside.call(send_gre, "10.0.0.5", b"around")
        site.outside.call(send_gre, "192.0.2.1", b"published")
        assert ear.recv(100)[24:] == b"published"


def send_gre(address, data):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, IPPROTO_GRE) as raw:
        raw.sendto(b"\0\0\x08\0" + data, (address, 0))


def test_published_at_once_from_everywhere(site):
    site.policy.load(ZONES + "publish any -> self tcp/8080 becomes 10.20.0.5:80" + OPEN)
    expect(
        {
            tcp(site.outside, "192.0.2.1", 8080): "10.20.0.5:80 from 192.0.2.10",
            tcp(site.desk, "10.0.0.1", 8080): "10.20.0.5:80 from 10.0.0.7",
            tcp(site.desk, "10.20.0.5", 80): SILENCE,
            tcp(site.router, "192.0.2.1", 8080): "192.0.2.1:8080 from 192.0.2.1",
        }
    )


def test_a_connection_outlives_the_services_that_follow_it(site):
    site.policy.load(ZONES + "publish wan -> self tcp/8080 becomes 10.0.0.5:80; filter wan -> lan { otherwise drop }")
    talk = hold(tcp(site.outside, "192.0.2.1", 8080))
    assert talk.outcome == "10.0.0.5:80 from 192.0.2.10"
    assert talk.say("and on") == "and on"
    talk.socket.close()
