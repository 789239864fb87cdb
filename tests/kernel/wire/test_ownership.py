"""Ownership: shared policies live beside the rules of others and change none of them; exclusive ones have their tables."""

from __future__ import annotations

import re

import pytest
from probes import SILENCE, expect, tcp

ZONES = """
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/24, fd00:10::/64
"""
SHARED = "policy edge { ownership shared }" + ZONES
RULES = """
log told = "told"
filter wan -> self { accept ssh; drop tcp/80 log told; drop tcp/443 }
filter wan -> lan { drop tcp/22 from not 203.0.113.9, 198.51.100.9 }
publish wan -> self tcp/8080 becomes 10.0.0.5:80
nat lan -> wan { masquerade family ip }
mangle wan -> self { mark 0x1 tcp/8081 }
notrack wan -> self udp/53
clamp mss on wan
"""
FOREIGN = """\
*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -i eth9 -j DROP
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:THEIRS - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j THEIRS
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A THEIRS -p tcp -m tcp --dport 9000 -m comment --comment "theirs, not ours" -j DNAT --to-destination 172.17.0.2:9000
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:f2b - [0:0]
-A INPUT -p tcp -m tcp --dport 25 -j f2b
-A FORWARD -i eth9 -j DROP
-A f2b -s 203.0.113.9/32 -j REJECT --reject-with icmp-port-unreachable
-A f2b -j RETURN
COMMIT
"""


def foreign(saved):
    """What of the rules is not ours; tables that only we use are left out."""
    text = "\n".join(line for line in saved.splitlines() if "edge" not in line)
    return re.sub(r"\*\w+\n(:[A-Z]+ ACCEPT\n)+COMMIT\n?", "", text + "\n")


def rules(saved):
    """The rules of all chains, in their order."""
    return [line for line in saved.splitlines() if line.startswith(("*", "-A"))]


def of_ip6(text):
    nat = text.index("*nat"), text.index("*filter")
    text = text[: nat[0]] + text[nat[1] :]
    return text.replace("203.0.113.9/32", "2001:db8:aa::9/128").replace("icmp-port", "icmp6-port")


@pytest.fixture
def shared_site(site):
    site.policy.restore(4, FOREIGN)
    site.policy.restore(6, of_ip6(FOREIGN))
    return site


def test_rules_of_others_stay_as_they_are(shared_site):
    policy = shared_site.policy
    before = {family: foreign(policy.saved(family)) for family in (4, 6)}
    assert before[4].count("-A") == 8
    policy.load(SHARED + RULES)
    loaded = {family: policy.saved(family) for family in (4, 6)}
    assert {family: foreign(text) for family, text in loaded.items()} == before
    assert all(text.count("-A INPUT -j edge.input") == 1 for text in loaded.values())
    for jumps in ("keep", "keep", "renew", "keep"):
        policy.load(SHARED + RULES, jumps=jumps)
        again = {family: policy.saved(family) for family in (4, 6)}
        assert {family: rules(text) for family, text in again.items()} == {f: rules(text) for f, text in loaded.items()}
        assert {family: foreign(text) for family, text in again.items()} == before


def test_a_changed_policy_replaces_our_rules_only(shared_site):
    policy = shared_site.policy
    policy.load(SHARED + RULES)
    before = foreign(policy.saved(4))
    policy.load(SHARED + RULES.replace("drop tcp/443", "accept tcp/443"), jumps="keep")
    assert foreign(policy.saved(4)) == before
    expect(
        {
            tcp(shared_site.outside, "192.0.2.1", 443): "192.0.2.1:443 from 192.0.2.10",
            tcp(shared_site.outside, "192.0.2.1", 80): SILENCE,
            tcp(shared_site.outside, "192.0.2.1", 25, source="203.0.113.9"): "icmp 3/3",
            tcp(shared_site.outside, "192.0.2.1", 25): "192.0.2.1:25 from 192.0.2.10",
        }
    )


def test_rules_of_a_hook_that_a_policy_no_longer_has_are_gone(shared_site):
    policy, probe = shared_site.policy, tcp(shared_site.outside, "10.0.0.5", 80)
    policy.load(SHARED + "filter wan -> self { drop tcp/80 }; filter wan -> lan { drop tcp/80 }")
    expect({probe: SILENCE})
    policy.load(SHARED + "filter wan -> self { drop tcp/80 }", jumps="keep")
    expect({probe: "10.0.0.5:80 from 192.0.2.10", tcp(shared_site.outside, "192.0.2.1", 80): SILENCE})


@pytest.mark.parametrize("jumps", ["keep", "renew"])
def test_a_jump_that_is_missing_is_not_passed_over(shared_site, jumps):
    policy = shared_site.policy
    policy.load(SHARED + "filter wan -> self { drop tcp/80 }")
    before = policy.saved(4)
    with pytest.raises(AssertionError, match="restore"):
        policy.load(SHARED + "filter wan -> self { drop tcp/22 }; filter wan -> lan { drop tcp/80 }", jumps=jumps)
    assert policy.saved(4) == before


def test_our_jump_is_the_first(shared_site):
    shared_site.policy.load(SHARED + "filter wan -> self { accept tcp/25 }")
    expect({tcp(shared_site.outside, "192.0.2.1", 25, source="203.0.113.9"): "192.0.2.1:25 from 203.0.113.9"})
    shared_site.policy.iptables(4, "-I INPUT -p tcp --dport 25 -j DROP")
    expect({tcp(shared_site.outside, "192.0.2.1", 25): SILENCE})
    shared_site.policy.load(SHARED + "filter wan -> self { accept tcp/25 }", jumps="renew")
    expect({tcp(shared_site.outside, "192.0.2.1", 25): "192.0.2.1:25 from 192.0.2.10"})


def test_our_jump_is_the_last_where_the_policy_says_so(shared_site):
    shared_site.policy.load(
        SHARED.replace("shared", "shared; place last") + "filter wan -> self { accept tcp/25; otherwise drop }"
    )
    expect(
        {
            tcp(shared_site.outside, "192.0.2.1", 25, source="203.0.113.9"): "icmp 3/3",
            tcp(shared_site.outside, "192.0.2.1", 25): "192.0.2.1:25 from 192.0.2.10",
            tcp(shared_site.outside, "192.0.2.1", 80): SILENCE,
        }
    )


def test_what_we_do_not_decide_goes_on_to_the_host(shared_site):
    shared_site.policy.load(SHARED + "filter wan -> self { return tcp/25; accept tcp/443 }")
    shared_site.policy.iptables(4, "-P INPUT DROP")
    expect({tcp(shared_site.outside, "192.0.2.1", port): SILENCE for port in (22, 25, 80)})


def test_beside_docker_the_jump_stands_in_its_chain_for_users(site):
    site.policy.restore(
        4,
        """\
*filter
:FORWARD ACCEPT
:DOCKER-USER - [0:0]
:DOCKER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o eth1 -j DOCKER
-A DOCKER -d 10.0.0.5/32 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER -j DROP
-A DOCKER-USER -j RETURN
COMMIT
*nat
:PREROUTING ACCEPT
-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.5:80
COMMIT
""",
    )
    before = site.policy.saved(4)
    site.policy.load(
        """
        policy edge { family ip; ownership shared }
        zone wan = interface eth0
        zone apps = interface eth1 owner docker
        filter wan -> apps { accept published tcp/8080 from 203.0.113.0/24; otherwise drop }
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 8080): SILENCE,
            tcp(site.outside, "192.0.2.1", 8080, source="203.0.113.9"): "10.0.0.5:80 from 203.0.113.9",
            tcp(site.outside, "10.0.0.5", 80, source="203.0.113.9"): SILENCE,
            tcp(site.store, "192.0.2.1", 8080): "10.0.0.5:80 from 10.20.0.5",  # Docker's own rules decide
            tcp(site.store, "10.0.0.5", 22): SILENCE,
        }
    )
    assert foreign(site.policy.saved(4)) == before + "\n"


def test_exclusive_tables_are_ours_and_others_stay(site):
    site.policy.restore(4, FOREIGN)
    raw = re.compile(r"\*raw.*?COMMIT", re.DOTALL)
    before = raw.search(site.policy.saved(4))[0]
    site.policy.load(
        "policy edge { ownership exclusive; default input drop, forward drop, output accept }"
        + ZONES
        + "filter wan -> self { accept ssh, smtp }; nat wan -> self { redirect tcp/8080 becomes :22 }"
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): "192.0.2.1:22 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 8080): "192.0.2.1:22 from 192.0.2.10",
            tcp(site.outside, "192.0.2.1", 25, source="203.0.113.9"): "192.0.2.1:25 from 203.0.113.9",
            tcp(site.outside, "192.0.2.1", 80): SILENCE,
            tcp(site.outside, "10.0.0.5", 80): SILENCE,
        }
    )
    saved = site.policy.saved(4)
    assert raw.search(saved)[0] == before
    assert "f2b" not in saved
    assert "THEIRS" not in saved


@pytest.mark.parametrize("ownership", ["shared", "exclusive; default input accept, forward accept, output accept"])
def test_settings_that_statements_need(site, ownership):
    for setting in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
        site.router.set(setting, "0")
    expect({tcp(site.outside, "10.0.0.5", 80): SILENCE})
    site.policy.load(f"policy edge {{ ownership {ownership} }}" + ZONES + "filter wan -> lan { accept tcp/80 }")
    expect(
        {
            tcp(site.outside, "10.0.0.5", 80): "10.0.0.5:80 from 192.0.2.10",
            tcp(site.outside, "fd00:10::5", 80): "[fd00:10::5]:80 from 2001:db8:2::10",
        }
    )


def test_what_a_set_holds_outlives_a_reload(site):
    policy = SHARED + "set bad = address timeout 1h; filter wan -> self { drop from bad }"
    site.policy.load(policy)
    site.router.run("ipset", "add", "bad.4", "203.0.113.9")
    site.policy.load(policy, jumps="keep")
    probes = [tcp(site.outside, "192.0.2.1", 22, source=source) for source in ("203.0.113.9", "198.51.100.9")]
    expect(dict(zip(probes, [SILENCE, "192.0.2.1:22 from 198.51.100.9"], strict=True)))
