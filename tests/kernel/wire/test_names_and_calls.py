"""What a policy says by name: defines, presets, chains and sets of others, names too long for the kernel."""

from __future__ import annotations

from probes import SILENCE, expect, tcp, udp

ZONES = """
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/24, fd00:10::/64
"""
SHARED = "policy edge { ownership shared }" + ZONES


def test_a_define_is_its_rules_with_the_values_of_the_call(site):
    site.policy.load(
        SHARED
        + """
        define serve(host: address, who: address) {
          accept tcp/22 from who to host
          return tcp/80 to host
          drop tcp/22, tcp/80 to host
        }
        address both = 192.0.2.10, 198.51.100.9
        filter wan -> lan {
          use serve(10.0.0.5, 203.0.113.9)
          use serve(10.0.0.6, both)
          otherwise drop
        }
        """
    )
    expect(
        {
            tcp(site.outside, "10.0.0.5", 22, source="203.0.113.9"): "10.0.0.5:22 from 203.0.113.9",
            tcp(site.outside, "10.0.0.5", 22): SILENCE,
            tcp(site.outside, "10.0.0.6", 22): "10.0.0.6:22 from 192.0.2.10",
            tcp(site.outside, "10.0.0.6", 22, source="198.51.100.9"): "10.0.0.6:22 from 198.51.100.9",
            tcp(site.outside, "10.0.0.6", 22, source="203.0.113.9"): SILENCE,
            tcp(site.outside, "10.0.0.5", 80): "10.0.0.5:80 from 192.0.2.10",  # `return` leaves the block
            tcp(site.outside, "10.0.0.5", 443): SILENCE,
        }
    )


def test_chains_and_sets_of_others(site):
    site.policy.restore(4, "*filter\n:theirs - [0:0]\n-A theirs -p tcp -m tcp --dport 22 -j DROP\nCOMMIT\n")
    site.router.run("ipset", "restore", text="create f2b-sshd hash:ip\nadd f2b-sshd 203.0.113.9\n")
    site.policy.load(
        "policy edge { family ip; ownership shared }"
        + ZONES
        + """
        set f2b = address owner fail2ban name "f2b-sshd"
        filter wan -> self {
          reject from f2b with icmp-host-prohibited
          jump theirs tcp
          accept tcp/22, tcp/80
          jump "DROP" udp/53
        }
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 80, source="203.0.113.9"): "icmp 3/10",
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            tcp(site.outside, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.10",
            udp(site.outside, "192.0.2.1", 53): SILENCE,
        }
    )


def test_long_names_stay_apart(site):
    long = "a-zone-with-a-name-that-no-kernel-holds"
    site.policy.load(
        f"""
        policy a-policy-with-a-long-name {{ ownership shared }}
        zone {long}-one = interface eth0
        zone {long}-two = interface eth1
        limit {long[:20]} = 1000/second burst 100 per source
        filter {long}-one -> self {{ drop tcp/22 limit {long[:20]} }}
        filter {long}-two -> self {{ drop tcp/80 }}
        filter {long}-one -> {long}-two {{ drop tcp/443 from not 203.0.113.9, 198.51.100.9 }}
        filter {long}-two -> {long}-one {{ drop tcp/53 }}
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            tcp(site.outside, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.10",
            tcp(site.desk, "10.0.0.1", 22): "10.0.0.1:22 from 10.0.0.7",
            tcp(site.desk, "10.0.0.1", 80): SILENCE,
            tcp(site.outside, "10.0.0.5", 443): SILENCE,
            tcp(site.outside, "10.0.0.5", 443, source="203.0.113.9"): "10.0.0.5:443 from 203.0.113.9",
            tcp(site.outside, "10.0.0.5", 53): "10.0.0.5:53 from 192.0.2.10",
            tcp(site.desk, "192.0.2.10", 53): SILENCE,
        }
    )


def test_interfaces_by_pattern(site):
    site.policy.load(
        "policy edge { ownership shared }\nzone all = interface eth+, br-+\nzone one = interface eth0\n"
        "filter all -> self { drop tcp/22 }; filter one -> all { drop tcp/80 }"
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            tcp(site.store, "fd00:20::1", 22): SILENCE,
            tcp(site.router, "127.0.0.1", 22): "127.0.0.1:22 from 127.0.0.1",
            tcp(site.outside, "10.0.0.5", 80): SILENCE,
            tcp(site.desk, "192.0.2.10", 80): "192.0.2.10:80 from 10.0.0.7",
        }
    )
