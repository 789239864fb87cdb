"""Limits: `limit L` holds under the rate, `over L` above it, and every line asks its limit once for each packet."""

from __future__ import annotations

from probes import SILENCE, expect, expect_in_turn, hold, tcp, udp

ZONES = """
policy edge { ownership shared }
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/24, fd00:10::/64
"""


def send(site, port, answers, silences, source="192.0.2.10"):
    """Send so many datagrams from outside that are answered, then so many that are not."""
    probe = udp(site.outside, "192.0.2.1", port, source=source)
    expect_in_turn(probe, *[f"192.0.2.1:{port} from {source}"] * answers, *[SILENCE] * silences)


def test_under_and_over_a_rate(site):
    site.policy.load(
        ZONES
        + """
        limit slow = 1/minute burst 3
        limit calm = 1/minute burst 2
        filter wan -> self {
          accept udp/53 limit slow
          drop udp/53
          drop udp/80 over calm
        }
        """
    )
    send(site, 53, 3, 1)
    send(site, 80, 2, 1)
    send(site, 53, 0, 1)


def test_each_source_has_its_own_rate(site):
    site.policy.load(
        ZONES
        + """
        limit each = 1/hour burst 2 per source
        limit nets = 1/hour burst 2 per source/16
        filter wan -> self { accept udp/53 limit each; accept udp/80 limit nets; otherwise drop }
        """
    )
    for source in ("192.0.2.10", "203.0.113.9"):
        send(site, 53, 2, 1, source)
    site.outside.ip("address add 203.0.250.1/32 dev lo")
    send(site, 80, 2, 0, "203.0.113.9")
    send(site, 80, 0, 1, "203.0.250.1")
    send(site, 80, 1, 0)


def test_each_destination_has_its_own_rate(site):
    site.policy.load(ZONES + "limit each = 1/hour burst 1 per destination; filter wan -> lan { drop udp/53 over each }")
    for server in ("10.0.0.5", "10.0.0.6"):
        expect_in_turn(udp(site.outside, server, 53), f"{server}:53 from 192.0.2.10", SILENCE)


def test_a_packet_takes_one_token_however_its_line_is_written(site):
    site.policy.load(
        ZONES
        + """
        limit slow = 1/hour burst 4
        limit calm = 1/hour burst 3
        log told = "told"
        filter wan -> self {
          accept udp/53, tcp/53 from 192.0.2.10, 203.0.113.9, 198.51.100.9 limit slow log told
          accept udp/80 from not 203.0.113.9, 10.0.0.1 limit calm
          otherwise drop
        }
        """
    )
    send(site, 80, 0, 1, "203.0.113.9")
    send(site, 80, 3, 1)
    send(site, 53, 2, 0, "198.51.100.9")
    send(site, 53, 2, 1)
    assert site.policy.packets("told ") == 4


def test_lines_of_one_limit_share_it(site):
    site.policy.load(
        ZONES
        + """
        limit slow = 1/hour burst 3
        limit each = 1/hour burst 3 per source
        filter wan -> self {
          accept udp/53 limit slow
          accept udp/80 limit slow
          reject udp/53 over slow
          accept udp/22 limit each
          accept udp/443 limit each
          otherwise drop
        }
        """
    )
    send(site, 53, 2, 0)
    send(site, 80, 1, 1)
    expect({udp(site.outside, "192.0.2.1", 53): "icmp 3/3"})
    send(site, 22, 1, 0)
    send(site, 443, 2, 1)
    send(site, 443, 1, 0, "203.0.113.9")


def test_new_connections_are_limited_and_live_ones_go_on(site):
    site.policy.load(
        ZONES
        + """
        limit calm = 6/hour burst 2 per source
        filter wan -> self { use baseline; accept ssh limit calm; drop ssh }
        """
    )
    talks = [hold(tcp(site.outside, "192.0.2.1", 22)) for _ in range(2)]
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            tcp(site.outside, "2001:db8:2::1", 22): "[2001:db8:2::1]:22 from 2001:db8:2::10",
        }
    )
    for talk in talks:
        assert [talk.say(word) for word in ("one", "two", "three")] == ["one", "two", "three"]
        talk.socket.close()


def test_connections_at_the_same_time(site):
    site.policy.load(
        ZONES
        + """
        limit few = 2 connections per source
        limit all = 3 connections
        filter wan -> self {
          reject tcp/22 over few with tcp-reset
          accept tcp/22
          use baseline
          accept tcp/80 limit all
          otherwise drop
        }
        """
    )
    talks = [hold(tcp(site.outside, "192.0.2.1", 22)) for _ in range(2)]
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): "reset",
            tcp(site.outside, "192.0.2.1", 22, source="203.0.113.9"): "192.0.2.1:22 from 203.0.113.9",
        }
    )
    talks += [
        hold(tcp(site.outside, "192.0.2.1", 80, source=one)) for one in ("192.0.2.10", "203.0.113.9", "198.51.100.9")
    ]
    expect({tcp(site.outside, "192.0.2.1", 80): SILENCE})
    for talk in talks:
        assert talk.say("still here") == "still here"
        talk.socket.close()
