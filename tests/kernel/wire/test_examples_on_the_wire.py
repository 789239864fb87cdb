"""The examples, each in the network that it is for: what it says about itself is what happens."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from probes import SILENCE, expect, expect_in_turn, outcomes, ping, tcp, udp
from responder import EVERYWHERE, Responder
from topology import Wire

EXAMPLES = Path(__file__).parents[3] / "examples"


def world(interface="eth0"):
    """The router's way out, with administrators (203.0.113.9) and others behind it."""
    theirs = [
        "192.0.2.10/24",
        "2001:db8:2::10/64",
        *(f"203.0.113.{last}/32" for last in (9, 10, 11)),
        "2001:db8:aa::9/128",
    ]
    return Wire(interface, ["192.0.2.1/24", "2001:db8:2::1/64"], {"outside": theirs})


def test_web_server(built):
    policy, hosts = built(world())
    outside = hosts["outside"]
    policy.load(EXAMPLES / "web-server.pol")
    expect(
        {
            tcp(outside, "192.0.2.1", 443): "192.0.2.1:443 from 192.0.2.10",
            tcp(outside, "2001:db8:2::1", 80): "[2001:db8:2::1]:80 from 2001:db8:2::10",
            tcp(outside, "192.0.2.1", 22): SILENCE,
            tcp(outside, "192.0.2.1", 3128): SILENCE,
            udp(outside, "192.0.2.1", 53): SILENCE,
            ping(outside, "192.0.2.1"): "pong",
            tcp(hosts["router"], "192.0.2.10", 25): "192.0.2.10:25 from 192.0.2.1",
        }
    )
    ssh = tcp(outside, "192.0.2.1", 22, source="203.0.113.9")
    expect_in_turn(ssh, *["192.0.2.1:22 from 203.0.113.9"] * 5, SILENCE)
    policy.host.run("ipset", "add", "banned.6", "2001:db8:2::10")
    expect({tcp(outside, "2001:db8:2::1", 80): SILENCE})


def test_home_router(built):
    lan = {
        "web": ["192.168.1.10/24", "fd00:1::10/64"],
        "game": ["192.168.1.30/24", "fd00:1::30/64"],
        "tv": ["192.168.1.50/24", "fd00:1::50/64"],
    }
    policy, hosts = built(world(), Wire("eth1", ["192.168.1.1/24", "fd00:1::1/64"], lan))
    outside, tv = hosts["outside"], hosts["tv"]
    policy.load(EXAMPLES / "home-router.pol")
    with closing(Responder(hosts["game"], [27018])):
        expect(
            {
                tcp(outside, "192.0.2.1", 80): "192.168.1.10:80 from 192.0.2.10",
                tcp(outside, "192.0.2.1", 443): "192.168.1.10:443 from 192.0.2.10",
                udp(outside, "192.0.2.1", 27018): "192.168.1.30:27018 from 192.0.2.10",
                tcp(outside, "fd00:1::10", 443): "[fd00:1::10]:443 from 2001:db8:2::10",
                tcp(outside, "fd00:1::50", 443): SILENCE,
                tcp(outside, "192.168.1.10", 80): SILENCE,
                tcp(outside, "192.0.2.1", 22): SILENCE,
                tcp(tv, "192.0.2.1", 80): "192.168.1.10:80 from 192.168.1.1",
                tcp(tv, "192.168.1.1", 22): "192.168.1.1:22 from 192.168.1.50",
                tcp(tv, "192.168.1.1", 8080): "icmp 3/3",
                tcp(tv, "192.0.2.10", 25): "192.0.2.10:25 from 192.0.2.1",
                tcp(tv, "2001:db8:2::10", 25): "[2001:db8:2::10]:25 from fd00:1::50",
                ping(outside, "2001:db8:2::1"): "pong",
            }
        )


def test_office_router(built):
    policy, hosts = built(
        world("ppp0"),
        Wire(
            "eth1",
            ["10.10.0.1/16", "fd00:10::1/64"],
            {
                "clerk": ["10.10.2.2/16", "fd00:10::2/64", "fd00:10:0:2::2/128"],
                "admin": ["10.10.9.5/16", "fd00:10::9/64"],
            },
        ),
        Wire(
            "eth2",
            ["10.20.0.1/24", "fd00:20::1/64"],
            {"web": ["10.20.0.5/24", "fd00:20::5/64"], "mail": ["10.20.0.6/24", "fd00:20::6/64"]},
        ),
    )
    policy.load(EXAMPLES / "office-router.pol")
    outside, clerk, admin, web, mail = (hosts[name] for name in ("outside", "clerk", "admin", "web", "mail"))
    expect(
        {
            tcp(outside, "192.0.2.1", 443): "10.20.0.5:443 from 192.0.2.10",
            tcp(outside, "192.0.2.1", 25): "10.20.0.6:25 from 192.0.2.10",
            tcp(outside, "fd00:20::6", 25): "[fd00:20::6]:25 from 2001:db8:2::10",
            tcp(outside, "fd00:20::6", 22): SILENCE,
            tcp(outside, "10.20.0.5", 80): SILENCE,
            tcp(outside, "10.10.2.2", 80): SILENCE,
            tcp(outside, "192.0.2.1", 22): SILENCE,
            tcp(clerk, "192.0.2.1", 80): "10.20.0.5:80 from 10.20.0.1",
            tcp(clerk, "10.20.0.5", 80): "10.20.0.5:80 from 10.10.2.2",
            tcp(clerk, "10.20.0.5", 22): "icmp 3/13",
            tcp(admin, "10.20.0.5", 22): "10.20.0.5:22 from 10.10.9.5",
            tcp(clerk, "10.10.0.1", 22): "icmp 3/3",
            tcp(admin, "10.10.0.1", 22): "10.10.0.1:22 from 10.10.9.5",
            tcp(clerk, "192.0.2.10", 22): "192.0.2.10:22 from 192.0.2.1",
            tcp(web, "10.10.2.2", 22): "icmp 3/3",
            tcp(web, "192.0.2.10", 443): "192.0.2.10:443 from 192.0.2.1",
            tcp(web, "192.0.2.10", 25): "icmp 3/3",
            tcp(mail, "192.0.2.10", 25): "192.0.2.10:25 from 192.0.2.1",
            tcp(web, "fd00:10::2", 22): "icmp 1/4",
        }
    )
    with closing(Responder(clerk, [873])):
        expect({tcp(web, "10.10.2.2", 873): "10.10.2.2:873 from 10.20.0.5"})


def test_address_pool(built):
    lan = {"server": ["10.0.0.5/16"], "desk": ["10.0.1.9/16"], "lab": ["10.0.7.3/16"]}
    policy, hosts = built(world(), Wire("eth1", ["10.0.0.1/16"], lan))
    outside = hosts["outside"]
    policy.host.ip(
        "address add 198.51.100.5/32 dev eth0", *(f"address add 198.51.100.{n}/32 dev eth0" for n in range(16, 20))
    )
    outside.ip("route add 198.51.100.0/24 via 192.0.2.1")
    policy.load(EXAMPLES / "address-pool.pol")
    expect(
        {
            tcp(outside, "198.51.100.5", 443): "10.0.0.5:443 from 192.0.2.10",
            tcp(outside, "10.0.0.5", 443): SILENCE,
            tcp(hosts["server"], "192.0.2.10", 80): "192.0.2.10:80 from 198.51.100.5",
            tcp(hosts["lab"], "192.0.2.10", 80): "192.0.2.10:80 from 198.51.100.67",
            tcp(outside, "198.51.100.67", 22, source="203.0.113.9"): "10.0.7.3:22 from 203.0.113.9",
            tcp(outside, "198.51.100.67", 22): SILENCE,
        }
    )
    everywhere = [tcp(hosts["desk"], end, 80) for end in ("192.0.2.10", "203.0.113.9", "203.0.113.10", "203.0.113.11")]
    (source,) = {answer.partition(" from ")[2] for answer in outcomes(everywhere).values()}  # one client, one address
    assert source in {f"198.51.100.{n}" for n in range(16, 20)}


def test_transparent_proxy(built):
    policy, hosts = built(world(), Wire("eth1", ["10.0.0.1/24"], {"desk": ["10.0.0.7/24"], "probe": ["10.0.0.250/24"]}))
    desk, probe = hosts["desk"], hosts["probe"]
    policy.host.ip("rule add fwmark 1 lookup 100", "route add local default dev lo table 100")
    policy.load(EXAMPLES / "transparent-proxy.pol")
    with closing(Responder(policy.host, [3129], EVERYWHERE[:1], transparent=True)):
        expect(
            {
                tcp(desk, "192.0.2.99", 80): "192.0.2.99:80 from 10.0.0.7",
                udp(desk, "192.0.2.10", 53): "10.0.0.1:53 from 10.0.0.7",
                udp(probe, "192.0.2.10", 53): "192.0.2.10:53 from 192.0.2.1",
                tcp(desk, "192.0.2.10", 443): "192.0.2.10:443 from 192.0.2.1",
                tcp(desk, "192.0.2.10", 22): "icmp 3/3",
                tcp(desk, "10.0.0.1", 22): "10.0.0.1:22 from 10.0.0.7",
                tcp(hosts["outside"], "192.0.2.1", 22): SILENCE,
            }
        )


def test_container_host(built):
    policy, hosts = built(world(), Wire("docker0", ["172.17.0.1/16"], {"shop": ["172.17.0.2/16"]}))
    outside, shop = hosts["outside"], hosts["shop"]
    policy.restore(
        4,
        """\
*filter
:FORWARD DROP
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i docker0 -j ACCEPT
-A FORWARD -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT
:POSTROUTING ACCEPT
-A PREROUTING ! -i docker0 -p tcp -m tcp --dport 443 -j DNAT --to-destination 172.17.0.2:80
-A PREROUTING ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
-A PREROUTING ! -i docker0 -p tcp -m tcp --dport 8081 -j DNAT --to-destination 172.17.0.2:80
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
COMMIT
""",
    )
    policy.restore(6, "*filter\n:FORWARD DROP\n:DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\nCOMMIT\n")
    policy.load(EXAMPLES / "container-host.pol")
    expect(
        {
            tcp(outside, "192.0.2.1", 443): "172.17.0.2:80 from 192.0.2.10",
            tcp(outside, "192.0.2.1", 8080): SILENCE,
            tcp(outside, "192.0.2.1", 8080, source="203.0.113.9"): "172.17.0.2:80 from 203.0.113.9",
            tcp(outside, "192.0.2.1", 8081): SILENCE,
            tcp(outside, "172.17.0.2", 80): SILENCE,
            tcp(outside, "192.0.2.1", 22): SILENCE,
            tcp(outside, "192.0.2.1", 22, source="203.0.113.9"): "192.0.2.1:22 from 203.0.113.9",
            tcp(shop, "192.0.2.10", 443): "192.0.2.10:443 from 192.0.2.1",
            tcp(shop, "192.0.2.10", 22): "icmp 3/3",
            tcp(shop, "172.17.0.1", 22): "icmp 3/3",
            udp(shop, "172.17.0.1", 53): "172.17.0.1:53 from 172.17.0.2",
        }
    )
