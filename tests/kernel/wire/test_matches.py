"""Services and match words: which packets a rule is for."""

from __future__ import annotations

import socket

from probes import SILENCE, expect, hold, ping, tcp, udp

ZONES = """
policy edge { ownership shared }
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/24, fd00:10::/64
"""
ANSWER = "192.0.2.1:{} from {}"


def test_from_and_not_from_are_about_the_whole_list(site):
    site.policy.load(
        ZONES
        + """
        address two = 192.0.2.10, 203.0.113.0/24
        filter wan -> self {
          drop tcp/22 from two
          drop tcp/80 from not two
          drop tcp/443 from not 203.0.113.9
          accept tcp/53 from not 198.51.100.0-198.51.100.255, 203.0.113.9
          drop tcp/53
        }
        filter wan -> lan {
          drop tcp/22 to 10.0.0.5, 10.0.0.7
          drop tcp/80 to not 10.0.0.5, 10.0.0.7
          drop tcp/443 from 192.0.2.10, 203.0.113.9 to 10.0.0.5, 10.0.0.6
          drop tcp/53 from lan
          drop tcp/8080 from not lan to lan
        }
        """
    )
    everyone = ("192.0.2.10", "203.0.113.9", "198.51.100.9")
    wanted = {}
    for port, dropped in (
        (22, {"192.0.2.10", "203.0.113.9"}),
        (80, {"198.51.100.9"}),
        (443, {"192.0.2.10", "198.51.100.9"}),
        (53, {"198.51.100.9", "203.0.113.9"}),
    ):
        for one in everyone:
            wanted[tcp(site.outside, "192.0.2.1", port, source=one)] = (
                SILENCE if one in dropped else ANSWER.format(port, one)
            )
    for port, to, source, passes in (
        (22, "10.0.0.5", "192.0.2.10", False),
        (22, "10.0.0.6", "192.0.2.10", True),
        (22, "10.0.0.7", "192.0.2.10", False),
        (80, "10.0.0.5", "192.0.2.10", True),
        (80, "10.0.0.6", "192.0.2.10", False),
        (443, "10.0.0.6", "203.0.113.9", False),
        (443, "10.0.0.6", "198.51.100.9", True),
        (443, "10.0.0.7", "203.0.113.9", True),
        (53, "10.0.0.5", "192.0.2.10", True),
        (8080, "10.0.0.5", "192.0.2.10", False),
    ):
        wanted[tcp(site.outside, to, port, source=source)] = f"{to}:{port} from {source}" if passes else SILENCE
    expect(wanted)


def test_a_list_of_one_family_narrows_its_rule(site):
    site.policy.load(
        ZONES
        + """
        filter wan -> self {
          drop tcp/22 from 192.0.2.10
          drop tcp/80 from 192.0.2.10, 2001:db8:2::10
          drop tcp/443 from not 2001:db8:2::10
          drop tcp/53 family ip6
        }
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            tcp(site.outside, "2001:db8:2::1", 22): "[2001:db8:2::1]:22 from 2001:db8:2::10",
            tcp(site.outside, "192.0.2.1", 80): SILENCE,
            tcp(site.outside, "2001:db8:2::1", 80): SILENCE,
            tcp(site.outside, "192.0.2.1", 443): "192.0.2.1:443 from 192.0.2.10",
            tcp(site.outside, "2001:db8:2::1", 443): "[2001:db8:2::1]:443 from 2001:db8:2::10",
            tcp(site.outside, "2001:db8:2::1", 443, source="2001:db8:aa::9"): SILENCE,
            tcp(site.outside, "192.0.2.1", 53): "192.0.2.1:53 from 192.0.2.10",
            tcp(site.outside, "2001:db8:2::1", 53): SILENCE,
        }
    )


def test_services_are_alternatives_of_every_kind(site):
    ports = ", ".join(f"tcp/{port}" for port in (*range(1001, 1019), 8080))
    site.policy.load(
        ZONES
        + f"""
        service api = tcp/8081-8089, udp/80
        filter wan -> self {{
          drop ssh, api, icmp/echo-request
          drop {ports}
          drop tcp/443 sport 40000-40010
          drop udp/3128-65535
        }}
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            udp(site.outside, "192.0.2.1", 22): "192.0.2.1:22 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 8081): SILENCE,
            tcp(site.outside, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.10",
            udp(site.outside, "192.0.2.1", 80): SILENCE,
            tcp(site.outside, "192.0.2.1", 8080): SILENCE,
            ping(site.outside, "192.0.2.1"): SILENCE,
            ping(site.outside, "2001:db8:2::1"): "pong",
            tcp(site.outside, "192.0.2.1", 443): "192.0.2.1:443 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 443, sport=40010): SILENCE,
            tcp(site.outside, "2001:db8:2::1", 443, sport=40011): "[2001:db8:2::1]:443 from 2001:db8:2::10",
            udp(site.outside, "192.0.2.1", 8080): SILENCE,
            udp(site.outside, "192.0.2.1", 443): "192.0.2.1:443 from 192.0.2.10",
        }
    )


def test_interfaces_in_and_out(site):
    site.policy.load(
        ZONES
        + """
        filter any -> self {
          drop tcp/22 in eth0, eth2
          drop tcp/80 in not eth0, eth2
          drop tcp/443 in not eth1
        }
        filter any -> any { drop tcp/53 in eth1 out eth+; drop tcp/443 out not eth0, eth1 }
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            tcp(site.desk, "10.0.0.1", 22): "10.0.0.1:22 from 10.0.0.7",
            tcp(site.store, "10.20.0.1", 22): SILENCE,
            tcp(site.outside, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.10",
            tcp(site.desk, "10.0.0.1", 80): SILENCE,
            tcp(site.router, "127.0.0.1", 80): SILENCE,
            tcp(site.store, "10.20.0.1", 443): SILENCE,
            tcp(site.desk, "10.0.0.1", 443): "10.0.0.1:443 from 10.0.0.7",
            tcp(site.desk, "192.0.2.10", 53): SILENCE,
            tcp(site.store, "192.0.2.10", 53): "192.0.2.10:53 from 10.20.0.5",
            tcp(site.desk, "10.20.0.5", 443): SILENCE,
            tcp(site.desk, "192.0.2.10", 443): "192.0.2.10:443 from 10.0.0.7",
        }
    )


def test_no_rule_has_a_state_unless_it_says_so(site):
    site.policy.load(ZONES + "filter wan -> self { accept tcp/22; otherwise drop }; filter self -> wan { accept tcp }")
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): "192.0.2.1:22 from 192.0.2.10",
            tcp(site.router, "192.0.2.10", 22): SILENCE,  # the answer is not accepted
        }
    )


def test_states(site):
    site.policy.load(
        ZONES
        + """
        filter wan -> self {
          accept state established, related
          drop tcp/80 state not new
          accept tcp/22, tcp/80 state new
          drop udp/53 state snat, dnat
          otherwise drop
        }
        """
    )
    expect(
        {
            tcp(site.router, "192.0.2.10", 443): "192.0.2.10:443 from 192.0.2.1",
            udp(site.router, "192.0.2.10", 1): "icmp 3/3",  # an error is related to what it is about
            tcp(site.outside, "192.0.2.1", 22): "192.0.2.1:22 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 443): SILENCE,
        }
    )


def test_what_must_cut_live_connections_stands_above_the_baseline(site):
    site.policy.load(ZONES + "filter wan -> self { use baseline; accept ssh; otherwise drop }")
    talk = hold(tcp(site.outside, "192.0.2.1", 22))
    assert talk.say("one") == "one"
    site.policy.load(ZONES + "filter wan -> self { use baseline; drop from 192.0.2.10 }", jumps="keep")
    assert talk.say("two") == "two"
    site.policy.load(ZONES + "filter wan -> self { drop from 192.0.2.10; use baseline }", jumps="keep")
    assert talk.say("three", SILENCE) == SILENCE
    talk.socket.close()


def test_sets_are_asked_when_the_packet_comes(site):
    site.policy.load(
        ZONES
        + """
        set banned = address timeout 1h
        set nets = network
        filter wan -> self { drop from banned; accept ssh from nets, 198.51.100.9; drop ssh; drop tcp/80 from not nets }
        filter lan -> wan { drop tcp/80 to nets }
        """
    )
    answers = {
        tcp(site.outside, "192.0.2.1", 22): SILENCE,
        tcp(site.outside, "192.0.2.1", 22, source="198.51.100.9"): "192.0.2.1:22 from 198.51.100.9",
        tcp(site.outside, "192.0.2.1", 22, source="203.0.113.9"): SILENCE,
        tcp(site.outside, "192.0.2.1", 80): SILENCE,
        tcp(site.outside, "2001:db8:2::1", 22, source="2001:db8:aa::9"): SILENCE,
        tcp(site.desk, "192.0.2.10", 80): "192.0.2.10:80 from 10.0.0.7",
    }
    expect(answers)
    site.router.run("ipset", "add", "nets.4", "192.0.2.0/24")
    site.router.run("ipset", "add", "nets.6", "2001:db8:aa::/48")
    site.router.run("ipset", "add", "banned.4", "198.51.100.9")
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): "192.0.2.1:22 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 22, source="198.51.100.9"): SILENCE,
            tcp(site.outside, "192.0.2.1", 22, source="203.0.113.9"): SILENCE,
            tcp(site.outside, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.10",
            tcp(site.outside, "2001:db8:2::1", 22, source="2001:db8:aa::9"): "[2001:db8:2::1]:22 from 2001:db8:aa::9",
            tcp(site.desk, "192.0.2.10", 80): SILENCE,
        }
    )


def test_whose_packets_they_are(site):
    site.policy.load(
        ZONES
        + """
        filter self -> wan {
          drop tcp/22 user root
          drop tcp/80 user not root
          drop tcp/443 group 1-65000
          drop tcp/53 group not 1-65000
        }
        """
    )
    expect(
        {
            tcp(site.router, "192.0.2.10", 22): SILENCE,
            tcp(site.router, "192.0.2.10", 80): "192.0.2.10:80 from 192.0.2.1",
            tcp(site.router, "192.0.2.10", 443): "192.0.2.10:443 from 192.0.2.1",
            tcp(site.router, "192.0.2.10", 53): SILENCE,
        }
    )


def test_many_alternatives_are_one_rule(site):
    addresses = ", ".join(["192.0.2.10", "203.0.113.9", *(f"198.18.{n}.1" for n in range(20))])
    site.policy.load(
        ZONES
        + f"""
        log told = "told"
        filter wan -> self {{
          reject tcp/22, tcp/1000-1001, udp/53, icmp/8 from {addresses}
          reject tcp/80, tcp/1000-1001 from {addresses} with tcp-reset log told
          accept tcp/443, udp/443, icmp/8 from not {addresses}
          drop tcp/443, udp/443
        }}
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): "icmp 3/3",
            udp(site.outside, "192.0.2.1", 53, source="203.0.113.9"): "icmp 3/3",
            udp(site.outside, "192.0.2.1", 53, source="198.51.100.9"): "192.0.2.1:53 from 198.51.100.9",
            ping(site.outside, "192.0.2.1"): "icmp 3/3",
            tcp(site.outside, "192.0.2.1", 80): "reset",
            tcp(site.outside, "192.0.2.1", 80, source="198.51.100.9"): "192.0.2.1:80 from 198.51.100.9",
            tcp(site.outside, "192.0.2.1", 443): SILENCE,
            udp(site.outside, "192.0.2.1", 443, source="203.0.113.9"): SILENCE,
            udp(site.outside, "192.0.2.1", 443, source="198.51.100.9"): "192.0.2.1:443 from 198.51.100.9",
        }
    )
    assert site.policy.packets("told ") == 1


def test_types_and_codes_of_icmp_and_other_protocols(site):
    site.policy.load(
        ZONES
        + """
        filter wan -> self { drop icmp/8, icmp6/128; drop icmp/3/4; drop gre, proto/89; otherwise accept }
        """
    )
    expect({ping(site.outside, "192.0.2.1"): SILENCE, ping(site.outside, "2001:db8:2::1"): SILENCE})
    for protocol, times in ((47, 2), (89, 3)):
        for _ in range(times):
            site.outside.call(send_raw, protocol)
    assert site.policy.packets("-p gre") == 2
    assert site.policy.packets("-p ospf") == 3


def send_raw(protocol):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol) as raw:
        raw.sendto(bytes(8), ("192.0.2.1", 0))


def test_raw_text_is_inside_its_rule(site):
    site.policy.load(
        ZONES
        + """
        filter wan -> self {
          drop tcp/22 match "-m ttl --ttl-eq 64" family ip
          drop tcp/80 match "-m ttl --ttl-lt 64" family ip
          drop udp match "-m length --length 40:41" family ip
          jump "REJECT --reject-with tcp-reset" tcp/53
        }
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): SILENCE,
            tcp(site.outside, "192.0.2.1", 80): "192.0.2.1:80 from 192.0.2.10",
            udp(site.outside, "192.0.2.1", 80): SILENCE,  # 28 bytes of headers and `who are you?`
            tcp(site.outside, "192.0.2.1", 53): "reset",
        }
    )
