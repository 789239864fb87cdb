"""A policy beside a container engine: its rules loaded over what the engine installs, and packets to published ports.

The engine is a preview that was made without the policy, loaded first, as on a host. The recipes of docs/language.md (Containers) are
policies of their own.
"""

from __future__ import annotations

import pytest
from probes import SILENCE, expect, ping, tcp
from topology import Wire

from policyc import api

POLICY = """
policy edge { ownership shared; family ip }
zone wan  = interface eth0 address 192.0.2.1/24
zone apps = interface br-app owner docker
address admin = 203.0.113.9

docker {
  engine    28
  network   app   = bridge br-app subnet 172.18.0.0/16
  container web   = network app address 172.18.0.2 publish "8080:80"
  container proxy = network app address 172.18.0.3
  container db    = network app address 172.18.0.4 publish "5432:5432"
}
filter any -> self, any { use baseline }
publish wan -> self tcp/8080 becomes web:80 from admin as site  # Docker translates it
publish wan -> self tcp/9443 becomes proxy:443 as ui            # we do
filter any, self -> apps { drop to db as isolated }
filter wan -> apps { otherwise drop }

test "as on the wire" {
  accept tcp admin -> self:8080 in wan becomes web:80 by site
  drop tcp 203.0.113.10 -> self:8080 in wan by site
  accept tcp 203.0.113.10 -> self:9443 in wan becomes proxy:443 by ui
  drop tcp admin -> self:5432 in wan by isolated
  drop tcp self -> 172.18.0.4:5432 by isolated
  accept tcp web -> 192.0.2.10:25 in apps out wan
}
"""


def engine(web: str) -> api.Ruleset:
    """What Docker has installed where the container `web` has this address."""
    networks = {"name": "app", "subnets": ["172.18.0.0/16"], "options": {"com.docker.network.bridge.name": "br-app"}}
    containers = [
        {"name": "web", "networks": ["app"], "ip": web, "publish": ["8080:80"]},
        {"name": "proxy", "networks": ["app"], "ip": "172.18.0.3"},
        {"name": "db", "networks": ["app"], "ip": "172.18.0.4", "publish": ["5432:5432"]},
    ]
    return api.preview("docker@28", {"networks": [networks], "containers": containers})


@pytest.fixture
def docker(built):
    outside = ["192.0.2.10/24", "203.0.113.9/32", "203.0.113.10/32"]
    inside = {"web": ["172.18.0.2/16", "172.18.0.9/16"], "proxy": ["172.18.0.3/16"], "db": ["172.18.0.4/16"]}
    policy, hosts = built(
        Wire("eth0", ["192.0.2.1/24"], {"outside": outside}), Wire("br-app", ["172.18.0.1/16"], inside)
    )
    policy.host.set("net.ipv4.ip_forward", "1")
    return policy, hosts


def test_the_rules_of_both_are_those_of_the_ruleset(docker):
    """What check, explain and test looked at is what the kernel has."""
    policy, _ = docker
    policy.restore(4, api.iptables_save(engine("172.18.0.2"), 4))
    policy.load(POLICY)
    loaded, ours = api.load(policy.saved(4), family=4), api.load(POLICY)
    for table in ours.family(4):
        there = loaded.table(4, table.name)
        assert there
        for chain in table.chains:
            known = there.chain(chain.name)
            assert known, chain.name
            assert [rule.text for rule in known.rules] == [rule.text for rule in chain.rules], chain.name
    assert {(t.name, c.name) for t in loaded.tables for c in t.chains if c.rules} == {
        (t.name, c.name) for t in ours.family(4) for c in t.chains if c.rules
    }


def test_published_ports_are_filtered_by_what_the_client_asked_for(docker):
    policy, hosts = docker
    policy.restore(4, api.iptables_save(engine("172.18.0.2"), 4))
    policy.load(POLICY)
    assert api.test(POLICY).passed
    outside, admin, other = hosts["outside"], "203.0.113.9", "203.0.113.10"
    expect(
        {
            tcp(outside, "192.0.2.1", 8080, source=admin): "172.18.0.2:80 from 203.0.113.9",
            tcp(outside, "192.0.2.1", 8080, source=other): SILENCE,
            tcp(outside, "172.18.0.2", 80, source=admin): SILENCE,
            tcp(outside, "192.0.2.1", 9443, source=other): "172.18.0.3:443 from 203.0.113.10",
            tcp(outside, "172.18.0.3", 443, source=other): SILENCE,
            tcp(outside, "192.0.2.1", 5432, source=admin): SILENCE,
            tcp(hosts["router"], "172.18.0.4", 5432): SILENCE,
            tcp(hosts["web"], "192.0.2.10", 25): "192.0.2.10:25 from 192.0.2.1",
            ping(hosts["web"], "192.0.2.10"): "pong",
        }
    )


def test_the_filter_holds_where_the_container_has_another_address(docker):
    """The policy was compiled for 172.18.0.2; the container came back with 172.18.0.9."""
    policy, hosts = docker
    policy.restore(4, api.iptables_save(engine("172.18.0.9"), 4))
    policy.load(POLICY)
    expect(
        {
            tcp(hosts["outside"], "192.0.2.1", 8080, source="203.0.113.9"): "172.18.0.9:80 from 203.0.113.9",
            tcp(hosts["outside"], "192.0.2.1", 8080, source="203.0.113.10"): SILENCE,
        }
    )


BRIDGE = """
policy edge { ownership shared; family ip }
zone vms = interface br0 network 10.1.0.0/24
docker { engine 28 }
require sysctl net.bridge.bridge-nf-call-iptables = 1
"""


def test_a_transparent_bridge_beside_docker(built):
    """Docker's DROP in FORWARD takes the frames of a bridge, until the policy lets them pass."""
    policy, hosts = built(*(Wire(f"vm{n}", [], {f"host{n}": [f"10.1.0.{n}/24"]}) for n in (1, 2)))
    policy.host.ip("link add br0 type bridge forward_delay 0", "link set br0 up")
    policy.host.ip("link set vm1 master br0", "link set vm2 master br0")
    policy.host.set("net.bridge.bridge-nf-call-iptables", "1")
    policy.restore(4, api.iptables_save(api.preview("docker@28", {}), 4))
    one = hosts["host1"]
    expect({tcp(one, "10.1.0.2", 22): SILENCE})
    policy.load(BRIDGE + "filter vms -> vms { otherwise accept }")
    expect({tcp(one, "10.1.0.2", 22): "10.1.0.2:22 from 10.1.0.1", ping(one, "10.1.0.2"): "pong"})
