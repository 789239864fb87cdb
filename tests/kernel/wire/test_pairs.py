"""Pairs: which packets come to a block, by hook and by the zones of its two sides."""

from __future__ import annotations

from probes import SILENCE, expect, ping, tcp, udp

ZONES = """
policy edge { ownership shared }
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/25, fd00:10::/64
zone stores = network 10.20.0.0/24, fd00:20::/64
"""


def test_a_block_is_for_its_hook_and_sides_only(site):
    site.policy.load(
        ZONES
        + """
        filter wan -> self { drop tcp/22 }
        filter self -> wan { drop tcp/22 }
        filter wan -> lan { drop tcp/80 }
        filter lan -> wan { reject tcp/443 }
        filter stores -> lan { drop tcp/53 }
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            tcp(site.outside, "2001:db8:2::1", 22): SILENCE,
            tcp(site.desk, "10.0.0.1", 22): "10.0.0.1:22 from 10.0.0.7",
            tcp(site.desk, "192.0.2.1", 22): "192.0.2.1:22 from 10.0.0.7",
            tcp(site.store, "10.20.0.1", 22): "10.20.0.1:22 from 10.20.0.5",
            tcp(site.router, "192.0.2.10", 22): SILENCE,
            tcp(site.router, "10.0.0.7", 22): "10.0.0.7:22 from 10.0.0.1",
            tcp(site.outside, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.10",
            tcp(site.outside, "10.0.0.5", 80): SILENCE,
            tcp(site.outside, "fd00:10::5", 80): SILENCE,
            tcp(site.outside, "10.20.0.5", 80): "10.20.0.5:80 from 192.0.2.10",
            tcp(site.outside, "10.0.0.5", 22): "10.0.0.5:22 from 192.0.2.10",
            tcp(site.desk, "192.0.2.10", 80): "192.0.2.10:80 from 10.0.0.7",
            tcp(site.desk, "192.0.2.10", 443): "icmp 3/3",
            tcp(site.desk, "2001:db8:2::10", 443): "icmp 1/4",
            tcp(site.desk, "10.20.0.5", 443): "10.20.0.5:443 from 10.0.0.7",
            tcp(site.store, "10.0.0.5", 53): SILENCE,
            tcp(site.store, "fd00:10::5", 53): SILENCE,
            tcp(site.desk, "10.20.0.5", 53): "10.20.0.5:53 from 10.0.0.7",
        }
    )


def test_any_is_everything_else_in_a_zone_or_not(site):
    site.policy.load(ZONES + "filter any -> self { drop tcp/22 }; filter any -> any { drop tcp/80 }")
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            tcp(site.desk, "10.0.0.1", 22): SILENCE,
            tcp(site.store, "10.20.0.1", 22): SILENCE,
            tcp(site.router, "127.0.0.1", 22): SILENCE,
            tcp(site.outside, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.10",
            tcp(site.router, "192.0.2.10", 80): "192.0.2.10:80 from 192.0.2.1",
            tcp(site.outside, "10.0.0.5", 80): SILENCE,
            tcp(site.store, "192.0.2.10", 80): SILENCE,
            tcp(site.desk, "fd00:20::5", 80): SILENCE,
        }
    )


def test_a_zone_needs_interface_and_network(site):
    site.policy.load(
        ZONES + "zone friends = interface eth0 network 203.0.113.0/24, 2001:db8:aa::/48\n"
        "filter lan -> self { drop tcp/22 }; filter friends -> lan { drop tcp/22 }; filter stores -> self { drop tcp/22 }"
    )
    site.router.ip("route add 10.0.0.200 dev eth1", "address add 10.0.0.99/32 dev eth0")
    expect(
        {
            tcp(site.desk, "10.0.0.1", 22): SILENCE,
            tcp(site.desk, "10.0.0.1", 22, source="10.0.0.200"): "10.0.0.1:22 from 10.0.0.200",
            tcp(site.store, "10.20.0.1", 22): SILENCE,
            tcp(site.outside, "10.0.0.5", 22): "10.0.0.5:22 from 192.0.2.10",
            tcp(site.outside, "10.0.0.5", 22, source="203.0.113.9"): SILENCE,
            tcp(site.outside, "fd00:10::5", 22): "[fd00:10::5]:22 from 2001:db8:2::10",
            tcp(site.outside, "fd00:10::5", 22, source="2001:db8:aa::9"): SILENCE,
        }
    )


def test_a_list_is_every_combination(site):
    site.policy.load(ZONES + "filter wan, lan -> self, stores { drop tcp/80 }")
    expect(
        {
            tcp(site.outside, "192.0.2.1", 80): SILENCE,
            tcp(site.desk, "10.0.0.1", 80): SILENCE,
            tcp(site.outside, "10.20.0.5", 80): SILENCE,
            tcp(site.desk, "fd00:20::5", 80): SILENCE,
            tcp(site.store, "10.20.0.1", 80): "10.20.0.1:80 from 10.20.0.5",
            tcp(site.outside, "10.0.0.5", 80): "10.0.0.5:80 from 192.0.2.10",
            tcp(site.router, "10.20.0.5", 80): "10.20.0.5:80 from 10.20.0.1",
        }
    )


def test_zones_may_overlap_and_order_decides(site):
    site.policy.load(
        ZONES + "zone one = interface eth1 network 10.0.0.7/32\n"
        "filter one -> self { accept tcp/22 }; filter lan -> self { drop tcp/22, tcp/80 }; filter one -> self { accept tcp/80 }"
    )
    expect(
        {
            tcp(site.desk, "10.0.0.1", 22): "10.0.0.1:22 from 10.0.0.7",
            tcp(site.desk, "10.0.0.1", 80): SILENCE,
            tcp(site.server, "10.0.0.1", 22, source="10.0.0.5"): SILENCE,
        }
    )


def test_before_routing_self_is_a_local_destination(site):
    site.policy.load(
        ZONES
        + """
        mangle wan -> self { drop tcp/22 }
        mangle wan -> any { drop tcp/80 }
        raw lan -> stores { drop tcp/443 }
        raw any -> self { drop udp/53 }
        mangle self -> stores { drop tcp/8080 }
        raw self -> any { drop tcp/25 }
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            tcp(site.outside, "10.0.0.5", 22): "10.0.0.5:22 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.10",
            tcp(site.outside, "10.0.0.5", 80): SILENCE,
            tcp(site.outside, "fd00:20::5", 80): SILENCE,
            tcp(site.desk, "10.20.0.5", 443): SILENCE,
            tcp(
                site.desk, "10.20.0.1", 443
            ): "10.20.0.1:443 from 10.0.0.7",  # an address of `stores`, but of `self` first
            tcp(site.desk, "192.0.2.10", 443): "192.0.2.10:443 from 10.0.0.7",
            tcp(site.outside, "10.20.0.5", 443): "10.20.0.5:443 from 192.0.2.10",
            udp(site.store, "10.20.0.1", 53): SILENCE,
            udp(site.store, "10.0.0.5", 53): "10.0.0.5:53 from 10.20.0.5",
            tcp(site.router, "10.20.0.5", 8080): SILENCE,
            tcp(site.router, "10.0.0.5", 8080): "10.0.0.5:8080 from 10.0.0.1",
            tcp(site.router, "192.0.2.10", 25): SILENCE,
            tcp(site.desk, "192.0.2.10", 25): "192.0.2.10:25 from 10.0.0.7",
        }
    )


def test_after_routing_self_is_a_local_source(site):
    site.policy.load(
        ZONES
        + """
        nat lan -> wan { snat tcp/80 becomes 192.0.2.81; snat tcp/80 becomes 2001:db8:2::81 }
        nat self -> wan { snat tcp/80 becomes 192.0.2.82 }
        nat any -> wan { snat tcp/80, tcp/22 becomes 192.0.2.83 }
        """
    )
    site.router.ip(
        *(f"address add 192.0.2.{last}/32 dev eth0" for last in (81, 82, 83)), "address add 2001:db8:2::81/64 dev eth0"
    )
    expect(
        {
            tcp(site.desk, "192.0.2.10", 80): "192.0.2.10:80 from 192.0.2.81",
            tcp(site.desk, "2001:db8:2::10", 80): "[2001:db8:2::10]:80 from 2001:db8:2::81",
            tcp(site.router, "192.0.2.10", 80, source="192.0.2.1"): "192.0.2.10:80 from 192.0.2.82",
            tcp(site.store, "192.0.2.10", 80): "192.0.2.10:80 from 192.0.2.83",
            tcp(site.router, "192.0.2.10", 22, source="192.0.2.1"): "192.0.2.10:22 from 192.0.2.1",
            tcp(site.desk, "10.20.0.5", 80): "10.20.0.5:80 from 10.0.0.7",
        }
    )


def test_a_zone_is_pinged_through_its_pair(site):
    site.policy.load(ZONES + "filter wan -> lan { accept ping; otherwise drop }")
    expect(
        {
            ping(site.outside, "10.0.0.5"): "pong",
            ping(site.outside, "fd00:10::5"): "pong",
            tcp(site.outside, "10.0.0.5", 80): SILENCE,
            ping(site.outside, "10.20.0.5"): "pong",
            tcp(site.outside, "10.20.0.5", 80): "10.20.0.5:80 from 192.0.2.10",
        }
    )


def test_a_zone_of_many_interfaces_and_networks(site):
    names = ", ".join(["eth1", *(f"vlan{n}" for n in range(5))])
    networks = ", ".join(["10.0.0.0/24", "fd00:10::/64", *(f"10.{n}.0.0/16" for n in range(100, 105))])
    site.policy.load(
        f"""
        policy edge {{ ownership shared }}
        zone wan = interface eth0
        zone big = interface {names} network {networks}
        log seen = "seen"
        filter big -> self {{ log seen udp/53; drop tcp/22; return tcp/80; drop tcp/80 }}
        filter wan -> big {{ drop tcp/22 }}
        filter big -> big {{ drop tcp/22 }}
        nat big -> wan {{ masquerade }}
        """
    )
    expect(
        {
            tcp(site.desk, "10.0.0.1", 22): SILENCE,
            tcp(site.desk, "fd00:10::1", 22): SILENCE,
            tcp(site.desk, "10.0.0.1", 80): "10.0.0.1:80 from 10.0.0.7",
            udp(site.desk, "10.0.0.1", 53): "10.0.0.1:53 from 10.0.0.7",
            tcp(site.outside, "10.0.0.5", 22): SILENCE,
            tcp(site.outside, "192.0.2.1", 22): "192.0.2.1:22 from 192.0.2.10",
            tcp(site.desk, "192.0.2.10", 22): "192.0.2.10:22 from 192.0.2.1",
            tcp(site.desk, "2001:db8:2::10", 22): "[2001:db8:2::10]:22 from 2001:db8:2::1",
            tcp(site.desk, "10.20.0.5", 22): "10.20.0.5:22 from 10.0.0.7",
        }
    )
    assert site.policy.packets("seen ") == 1
