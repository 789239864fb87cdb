"""Families: one source for both, and nothing of the other where a policy, a zone or a rule has only one."""

from __future__ import annotations

from probes import SILENCE, expect, tcp

WAN = "zone wan = interface eth0\n"


def both(site, port):
    return tcp(site.outside, "192.0.2.1", port), tcp(site.outside, "2001:db8:2::1", port)


def test_a_policy_of_one_family_leaves_the_other_alone(site):
    site.policy.restore(6, "*filter\n:INPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 80 -j DROP\nCOMMIT\n")
    before = site.policy.saved(6)
    site.policy.load(
        "policy edge { family ip; ownership exclusive; default input drop, forward drop, output accept }\n"
        + WAN
        + "filter wan -> self { accept ssh }"
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): "192.0.2.1:22 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 443): SILENCE,
            tcp(site.outside, "2001:db8:2::1", 443): "[2001:db8:2::1]:443 from 2001:db8:2::10",
            tcp(site.outside, "2001:db8:2::1", 80): SILENCE,
        }
    )
    assert site.policy.saved(6) == before


def test_a_policy_of_the_other_family(site):
    site.policy.load("policy edge { family ip6; ownership shared }\n" + WAN + "filter wan -> self { drop tcp/22 }")
    ip, ip6 = both(site, 22)
    expect({ip: "192.0.2.1:22 from 192.0.2.10", ip6: SILENCE})
    assert "edge" not in site.policy.saved(4)


def test_a_rule_has_the_families_of_its_zones(site):
    site.policy.load(
        """
        policy edge { ownership shared }
        zone four = interface eth0 network 192.0.2.0/24
        zone world = interface eth0
        filter four -> self { drop tcp/22; otherwise accept }
        filter world -> self { drop tcp/80; reject icmp/8; accept nd; accept state established; otherwise drop }
        """
    )
    ip, ip6 = both(site, 22)
    expect(
        {ip: SILENCE, ip6: SILENCE}
        | dict(zip(both(site, 443), ("192.0.2.1:443 from 192.0.2.10", SILENCE), strict=True))
    )


def test_sets_of_both_families_have_one_name(site):
    site.policy.load(
        "policy edge { ownership shared }\n" + WAN + "set bad = address; filter wan -> self { drop from bad }"
    )
    site.router.run("ipset", "add", "bad.6", "2001:db8:2::10")
    ip, ip6 = both(site, 22)
    expect({ip: "192.0.2.1:22 from 192.0.2.10", ip6: SILENCE})
