"""`reject`: what the sender is told, in each hook and family."""

from __future__ import annotations

import pytest
from probes import SILENCE, expect, tcp, udp

ZONES = """
policy edge { ownership shared }
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/24, fd00:10::/64
"""


def test_without_a_word_a_port_is_unreachable(site):
    site.policy.load(
        ZONES + "filter wan -> self, lan { reject tcp/22, udp/53 }; filter self -> wan { reject tcp/22, udp/53 }"
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): "icmp 3/3",
            udp(site.outside, "192.0.2.1", 53): "icmp 3/3",
            tcp(site.outside, "10.0.0.5", 22): "icmp 3/3",
            udp(site.outside, "fd00:10::5", 53): "icmp 1/4",
            tcp(site.outside, "2001:db8:2::1", 22): "icmp 1/4",
            tcp(site.router, "192.0.2.10", 22): "icmp 3/3",
            udp(site.router, "2001:db8:2::10", 53): "icmp 1/4",
        }
    )


ANSWERS = {
    "icmp-net-unreachable": "icmp 3/0",
    "icmp-host-unreachable": "icmp 3/1",
    "icmp-proto-unreachable": "icmp 3/2",
    "icmp-port-unreachable": "icmp 3/3",
    "icmp-net-prohibited": "icmp 3/9",
    "icmp-host-prohibited": "icmp 3/10",
    "icmp-admin-prohibited": "icmp 3/13",
}
ANSWERS6 = {
    "icmp6-no-route": "icmp 1/0",
    "icmp6-adm-prohibited": "icmp 1/1",
    "icmp6-addr-unreachable": "icmp 1/3",
    "icmp6-port-unreachable": "icmp 1/4",
    "icmp6-policy-fail": "icmp 1/5",
    "icmp6-reject-route": "icmp 1/6",
}


@pytest.mark.parametrize(
    ("answers", "family", "address"), [(ANSWERS, "ip", "10.0.0.5"), (ANSWERS6, "ip6", "fd00:10::5")], ids=["ip", "ip6"]
)
def test_every_answer(site, answers, family, address):
    rules = "".join(f"  reject udp/{6000 + n} with {one}\n" for n, one in enumerate(answers))
    site.policy.load(ZONES + f"filter wan -> lan {{\n{rules}}}\n")
    expect({udp(site.outside, address, 6000 + n): wanted for n, wanted in enumerate(answers.values())})


def test_a_reset_ends_connections_of_both_families(site):
    site.policy.load(ZONES + "filter wan -> self, lan { reject tcp with tcp-reset }")
    expect(
        {
            tcp(site.outside, "192.0.2.1", 22): "reset",
            tcp(site.outside, "2001:db8:2::1", 22): "reset",
            tcp(site.outside, "10.0.0.5", 22): "reset",
            tcp(site.outside, "fd00:10::5", 22): "reset",
            udp(site.outside, "10.0.0.5", 53): "10.0.0.5:53 from 192.0.2.10",
        }
    )


def test_the_answer_passes_where_replies_do(site):
    site.policy.load(
        ZONES
        + "filter any -> self { use baseline; reject tcp/22; otherwise drop }; filter self -> any { use baseline; otherwise drop }"
    )
    expect({tcp(site.outside, "192.0.2.1", 22): "icmp 3/3", tcp(site.outside, "192.0.2.1", 80): SILENCE})
