"""Blocks of nat, and netmap: what each end of a translated connection sees."""

from __future__ import annotations

import pytest
from probes import SILENCE, expect, hold, outcome, ping, tcp, udp

ZONES = """
policy edge { ownership shared }
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/24, fd00:10::/64
zone stores = interface eth2 network 10.20.0.0/24, fd00:20::/64
"""


def test_dnat_and_its_accept(site):
    site.policy.load(
        ZONES
        + """
        nat wan -> self {
          dnat tcp/8081 becomes 10.0.0.5:22
          dnat tcp/8081 becomes [fd00:10::5]:22
          dnat tcp/443, udp/53 becomes 10.0.0.6
          dnat tcp/25 from 203.0.113.9 becomes 10.0.0.7:25
        }
        filter wan -> lan {
          use baseline
          accept published tcp/8081
          accept tcp/443, udp/53 to 10.0.0.6
          otherwise drop
        }
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 8081): "10.0.0.5:22 from 192.0.2.10",
            tcp(site.outside, "2001:db8:2::1", 8081): "[fd00:10::5]:22 from 2001:db8:2::10",
            tcp(site.outside, "192.0.2.1", 443): "10.0.0.6:443 from 192.0.2.10",
            udp(site.outside, "192.0.2.1", 53): "10.0.0.6:53 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 25): "192.0.2.1:25 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 25, source="203.0.113.9"): SILENCE,  # translated, and accepted nowhere
            tcp(site.outside, "10.0.0.5", 8081): SILENCE,  # nobody translated that
            tcp(site.outside, "10.0.0.5", 22): SILENCE,
            tcp(site.desk, "192.0.2.1", 8081): "192.0.2.1:8081 from 10.0.0.7",
            tcp(site.router, "192.0.2.1", 8081): "192.0.2.1:8081 from 192.0.2.1",
        }
    )


def test_dnat_of_a_port_and_of_forwarded_packets(site):
    site.policy.load(
        ZONES
        + """
        nat wan -> self { dnat tcp/80 becomes :8080; dnat tcp/443 becomes 10.0.0.5-10.0.0.6:8080-8081 }
        nat wan -> stores { dnat tcp/22 to not 10.20.0.5, fd00:20::5 becomes web:80 }
        address web = 10.0.0.5, fd00:10::5
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 80): "192.0.2.1:8080 from 192.0.2.10",
            tcp(site.outside, "2001:db8:2::1", 80): "[2001:db8:2::1]:8080 from 2001:db8:2::10",
            tcp(site.outside, "10.20.0.99", 22): "10.0.0.5:80 from 192.0.2.10",
            tcp(site.outside, "fd00:20::99", 22): "[fd00:10::5]:80 from 2001:db8:2::10",
            tcp(site.outside, "10.20.0.5", 22): "10.20.0.5:22 from 192.0.2.10",
            tcp(site.outside, "10.0.0.7", 22): "10.0.0.7:22 from 192.0.2.10",
        }
    )
    found = outcome(tcp(site.outside, "192.0.2.1", 443))
    assert found in {f"10.0.0.{host}:{port} from 192.0.2.10" for host in (5, 6) for port in (8080, 8081)}


def test_nat_accept_keeps_packets_as_they_are(site):
    site.policy.load(
        ZONES
        + """
        nat lan -> any {
          accept from 10.0.0.5
          redirect tcp/80, udp/53 becomes :3128
        }
        nat lan -> stores { accept tcp/22; masquerade }
        """
    )
    expect(
        {
            tcp(site.desk, "192.0.2.10", 80): "10.0.0.1:3128 from 10.0.0.7",
            tcp(site.desk, "2001:db8:2::10", 80): "[fd00:10::1]:3128 from fd00:10::7",
            udp(site.desk, "192.0.2.10", 53): "10.0.0.1:3128 from 10.0.0.7",
            tcp(site.server, "192.0.2.10", 80, source="10.0.0.5"): "192.0.2.10:80 from 10.0.0.5",
            tcp(site.desk, "10.0.0.1", 80): "10.0.0.1:80 from 10.0.0.7",  # `any` is not `self`
            tcp(site.desk, "10.20.0.5", 443): "10.20.0.5:443 from 10.20.0.1",
            tcp(site.desk, "10.20.0.5", 22): "10.20.0.5:22 from 10.0.0.7",
            tcp(site.desk, "fd00:20::5", 443): "[fd00:20::5]:443 from fd00:20::1",
        }
    )


def test_masquerade_of_one_family(site):
    site.policy.load(ZONES + "nat lan -> wan { masquerade family ip }")
    expect(
        {
            tcp(site.desk, "192.0.2.10", 22): "192.0.2.10:22 from 192.0.2.1",
            udp(site.desk, "192.0.2.10", 53): "192.0.2.10:53 from 192.0.2.1",
            ping(site.desk, "192.0.2.10"): "pong",
            tcp(site.desk, "2001:db8:2::10", 22): "[2001:db8:2::10]:22 from fd00:10::7",
            tcp(site.store, "192.0.2.10", 22): "192.0.2.10:22 from 10.20.0.5",
            tcp(site.outside, "10.0.0.7", 22): "10.0.0.7:22 from 192.0.2.10",
        }
    )


def test_source_pools_and_ports(site):
    site.policy.load(
        ZONES
        + """
        nat lan -> wan {
          snat tcp/22 becomes 192.0.2.64-192.0.2.67
          snat tcp/80 becomes 192.0.2.70:5000-5009
          masquerade udp/53 becomes :6000
        }
        """
    )
    site.router.ip(*(f"address add 192.0.2.{last}/32 dev eth0" for last in (64, 65, 66, 67, 70)))
    pool = {f"192.0.2.10:22 from 192.0.2.{last}" for last in range(64, 68)}
    assert outcome(tcp(site.desk, "192.0.2.10", 22)) in pool
    for talk in (hold(tcp(site.desk, "192.0.2.10", 80)), hold(udp(site.desk, "192.0.2.10", 53))):
        assert talk.outcome in {"192.0.2.10:80 from 192.0.2.70", "192.0.2.10:53 from 192.0.2.1"}
        assert talk.sport in {*range(5000, 5010), 6000}
        talk.socket.close()


def test_what_this_host_sends_is_translated_in_output(site):
    site.policy.load(
        ZONES
        + """
        nat self -> lan { dnat tcp/8080 becomes 10.0.0.5:80; redirect tcp/443 becomes :3128 }
        nat self -> any { redirect udp/53 becomes :3128 }
        """
    )
    expect(
        {
            tcp(site.router, "10.0.0.99", 8080): "10.0.0.5:80 from 10.0.0.1",
            tcp(site.router, "10.0.0.7", 443): "127.0.0.1:3128 from 10.0.0.1",
            tcp(site.router, "fd00:10::7", 443): "[::1]:3128 from fd00:10::1",
            tcp(site.router, "192.0.2.10", 443): "192.0.2.10:443 from 192.0.2.1",
            udp(site.router, "192.0.2.10", 53): "127.0.0.1:3128 from 192.0.2.1",
            tcp(site.desk, "10.20.0.5", 443): "10.20.0.5:443 from 10.0.0.7",
        }
    )


@pytest.mark.parametrize("how", ["random", "nth"])
def test_several_targets_share_the_connections(site, how):
    site.policy.load(
        ZONES + f"nat wan -> self {{ dnat tcp/80 becomes 10.0.0.5:80, 10.0.0.6:80, 10.0.0.7:8080 balance {how} }}"
    )
    found = [outcome(tcp(site.outside, "192.0.2.1", 80)) for _ in range(6 if how == "nth" else 60)]
    ends = {f"{one} from 192.0.2.10" for one in ("10.0.0.5:80", "10.0.0.6:80", "10.0.0.7:8080")}
    assert set(found) == ends
    if how == "nth":
        assert all(found.count(one) == 2 for one in ends)


def test_netmap_is_one_to_one_both_ways(site):
    site.policy.load(
        ZONES
        + """
        netmap 192.0.2.64/28 <-> 10.0.0.0/28 on wan
        netmap 2001:db8:99::/64 <-> fd00:10::/64 on wan
        """
    )
    site.outside.ip("route add 192.0.2.64/28 via 192.0.2.1")
    expect(
        {
            tcp(site.outside, "192.0.2.69", 80): "10.0.0.5:80 from 192.0.2.10",
            tcp(site.outside, "192.0.2.71", 80): "10.0.0.7:80 from 192.0.2.10",
            tcp(site.outside, "2001:db8:99::5", 80): "[fd00:10::5]:80 from 2001:db8:2::10",
            tcp(site.desk, "192.0.2.10", 80): "192.0.2.10:80 from 192.0.2.71",
            tcp(site.server, "192.0.2.10", 80, source="10.0.0.6"): "192.0.2.10:80 from 192.0.2.70",
            tcp(site.desk, "2001:db8:2::10", 80): "[2001:db8:2::10]:80 from 2001:db8:99::7",
            tcp(site.desk, "10.20.0.5", 80): "10.20.0.5:80 from 10.0.0.7",
            tcp(site.outside, "10.0.0.5", 80): "10.0.0.5:80 from 192.0.2.10",
        }
    )


def test_published_is_the_port_before_dnat(site):
    site.policy.load(
        ZONES
        + """
        nat wan -> self { dnat tcp/8080, tcp/8081 becomes 10.0.0.5:80 }
        filter wan -> lan {
          use baseline
          accept published tcp/8080 to 10.0.0.5
          reject published tcp/8081
          otherwise drop
        }
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 8080): "10.0.0.5:80 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 8081): "icmp 3/3",
            tcp(site.outside, "10.0.0.5", 80): SILENCE,
            tcp(site.outside, "10.0.0.5", 8080): SILENCE,
        }
    )
