"""Order: the file is read from top to bottom, and so is the firewall."""

from __future__ import annotations

from probes import SILENCE, expect, tcp, udp

ZONES = """
policy edge { ownership shared }
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/24, fd00:10::/64
"""


def test_the_first_verdict_in_the_file_counts(site):
    site.policy.load(
        ZONES
        + """
        filter wan -> self { accept tcp/22; drop tcp/80 }
        filter any -> self { drop tcp/22, tcp/443; accept tcp/80 }
        filter wan -> self { accept tcp/443; accept tcp/53; otherwise drop }
        filter any -> self { accept tcp/8080 }
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): "192.0.2.1:22 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 80): SILENCE,
            tcp(site.outside, "192.0.2.1", 443): SILENCE,
            tcp(site.outside, "192.0.2.1", 53): "192.0.2.1:53 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 8080): SILENCE,
            tcp(site.outside, "2001:db8:2::1", 22): SILENCE,  # nobody let neighbour discovery in
            tcp(site.desk, "10.0.0.1", 22): SILENCE,
            tcp(site.desk, "10.0.0.1", 80): "10.0.0.1:80 from 10.0.0.7",
            tcp(site.desk, "10.0.0.1", 8080): "10.0.0.1:8080 from 10.0.0.7",
        }
    )


def test_return_leaves_its_block_only(site):
    site.policy.load(
        ZONES
        + """
        set known = address
        limit some = 1000/second
        log told = "told"
        filter wan -> self {
          return tcp/22
          return tcp/53, udp/53 from not 203.0.113.9, 198.51.100.9
          return tcp/443 from 203.0.113.9, 198.51.100.9 limit some log told
          return tcp/3128 from not known
          drop tcp/22, tcp/53, udp/53, tcp/80, tcp/443, tcp/3128
        }
        filter any -> self { drop tcp/80; accept tcp/22, tcp/53, udp/53, tcp/443, tcp/3128; otherwise drop }
        """
    )
    site.router.run("ipset", "add", "known.4", "203.0.113.9")
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): "192.0.2.1:22 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 53): "192.0.2.1:53 from 192.0.2.10",
            udp(site.outside, "192.0.2.1", 53): "192.0.2.1:53 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 53, source="203.0.113.9"): SILENCE,
            udp(site.outside, "192.0.2.1", 53, source="198.51.100.9"): SILENCE,
            tcp(site.outside, "192.0.2.1", 443): SILENCE,
            tcp(site.outside, "192.0.2.1", 443, source="203.0.113.9"): "192.0.2.1:443 from 203.0.113.9",
            tcp(site.outside, "192.0.2.1", 443, source="198.51.100.9"): "192.0.2.1:443 from 198.51.100.9",
            tcp(site.outside, "192.0.2.1", 3128): "192.0.2.1:3128 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 3128, source="203.0.113.9"): SILENCE,
            tcp(site.outside, "192.0.2.1", 80): SILENCE,
            tcp(site.outside, "192.0.2.1", 8080): SILENCE,
        }
    )


def test_log_and_marks_go_on_to_the_next_rule(site):
    site.policy.load(
        ZONES
        + """
        log seen = "seen"
        log quick = "quick" limit 1/minute burst 2
        filter wan -> self {
          log seen tcp/22
          log seen tcp/80, udp/53
          drop tcp/22 log seen
          accept tcp/80 from 192.0.2.10, 203.0.113.9 log quick as told
          drop tcp/80
          otherwise drop log quick
        }
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            tcp(site.outside, "192.0.2.1", 80, source="198.51.100.9"): SILENCE,
            udp(site.outside, "192.0.2.1", 53): SILENCE,
        }
    )
    assert site.policy.packets("LOG") > 0
    before = site.policy.packets("seen ")
    expect({udp(site.outside, "192.0.2.1", 53): SILENCE})
    assert site.policy.packets("seen ") == before + 1
    for _ in range(4):
        expect({tcp(site.outside, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.10"})
    assert site.policy.packets("quick") == 2 + 2  # each line has a limit of its own


def test_accept_ends_the_table_and_not_the_packet(site):
    site.policy.load(
        ZONES
        + """
        mangle wan -> self { accept tcp/22, tcp/443; otherwise drop }
        filter wan -> self { drop tcp/22 }
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            tcp(site.outside, "192.0.2.1", 443): "192.0.2.1:443 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 80): SILENCE,
        }
    )


def test_the_same_for_what_is_forwarded(site):
    site.policy.load(
        ZONES
        + """
        filter wan -> lan {
          drop tcp/80
          return tcp/443, tcp/53 from not 192.0.2.10, 203.0.113.9
          accept tcp/80, tcp/53
          otherwise drop
        }
        filter any -> lan { accept tcp/80 ; reject tcp/443 with tcp-reset; drop tcp/53 }
        """
    )
    expect(
        {
            tcp(site.outside, "10.0.0.5", 80): SILENCE,
            tcp(site.outside, "10.0.0.5", 443): SILENCE,
            tcp(site.outside, "10.0.0.5", 443, source="198.51.100.9"): "reset",
            tcp(site.outside, "10.0.0.5", 53): "10.0.0.5:53 from 192.0.2.10",
            tcp(site.outside, "10.0.0.5", 53, source="198.51.100.9"): SILENCE,
        }
    )
