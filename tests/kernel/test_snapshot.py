"""A snapshot of a namespace says what is in it, rules and sets load again, and taking it changes nothing."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from host_in_namespace import make
from snapshots import host_of, load, names, run, snapshot
from test_host_routes import OTHERS

from policyc import api
from policyc.diagnostics import Severity
from policyc.host.groups import is_joined
from policyc.host.own_addresses import kept
from policyc.kernel.inside import NAMED, NoNamespace
from policyc.kernel.namespace import Namespace
from policyc.kernel.snapshot import take
from policyc.net.addresses import format_address, parse_address
from policyc.simulation.connection import ASSURED, CONFIRMED, SEEN_REPLY
from policyc.simulation.packet import FLAGS, Packet, Segment
from policyc.simulation.state import State
from policyc.simulation.tracking import track
from policyc.writers.ipset import ipset_restore

# ---------------------------------------------------------------------- the host
LINKS = """
ip link set lo up
ip link add br0 type bridge
ip link add eth0.5 address 02:00:00:00:00:01 group 7 mtu 1400 type veth peer name far0
ip link add eth1 type veth peer name far1
ip link add low type veth peer name far2
ip link set eth1 master br0
for each in br0 eth0.5 far0 eth1 far1; do ip link set $each up; done
ip addr add 10.0.0.1 peer 10.0.0.2/32 dev eth0.5
ip addr add 192.0.2.1/24 brd 192.0.2.127 dev eth0.5 noprefixroute
ip addr add 192.0.2.2/24 dev eth0.5
ip addr add fd00::1/64 dev eth0.5 nodad preferred_lft 0
ip addr add 169.254.0.9/16 scope link dev eth0.5
ip addr add 224.5.6.7/32 dev eth0.5 autojoin
ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:99 dev eth0.5
sysctl -qw net.ipv4.conf.eth0/5.rp_filter=2 net.ipv4.conf.all.log_martians=1 net.netfilter.nf_conntrack_tcp_loose=0
"""


def test_links_and_addresses(namespace: Namespace) -> None:
    run(namespace, LINKS)
    host = host_of(namespace)
    assert host.interfaces[0].name == "lo"
    assert {one.name for one in host.interfaces} == {"lo", "br0", "eth0.5", "far0", "eth1", "far1", "low", "far2"}
    one = host.interface("eth0.5")
    assert one is not None
    assert (one.mac, one.peer_mac, one.up, one.group, one.mtu) == (0x020000000001, 0x020000000099, True, 7, 1400)
    low, loopback = host.interface("low"), host.interface("lo")
    assert low is not None
    assert not low.up
    assert loopback is not None
    assert (loopback.mac, loopback.up, loopback.mtu) == (None, True, 65536)
    by_address = {format_address(each.address, each.family): each for each in one.addresses}
    assert by_address["10.0.0.1"].peer == parse_address("10.0.0.2", 4)
    assert by_address["192.0.2.1"].broadcast == parse_address("192.0.2.127", 4)
    assert not by_address["192.0.2.1"].prefix_route
    assert by_address["fd00::1"].deprecated
    assert by_address["169.254.0.9"].scope.name == "LINK"
    assert is_joined(host, "eth0.5", 4, parse_address("224.5.6.7", 4))
    assert not is_joined(host, "eth1", 4, parse_address("224.5.6.7", 4))
    assert host.sysctls.rp_filter("eth0.5") == 2
    assert host.sysctls.number("net.netfilter.nf_conntrack_tcp_loose") == 0
    assert host.sysctls.of_all(4, "log_martians") == 1


def test_addresses_stand_in_the_order_of_the_kernel(namespace: Namespace) -> None:
    make(namespace, {"interfaces": [{**one, "name": f"x{one['name']}"} for one in OTHERS]})
    run(
        namespace,
        "ip addr add 10.0.5.9/24 scope link dev xa; ip addr add 10.0.0.9/24 dev xa; ip addr del 10.0.0.1/24 dev xa",
    )
    host = host_of(namespace)
    for interface in json.loads(run(namespace, "ip -j addr")):
        ours = host.interface(interface["ifname"])
        assert ours is not None
        for family, name in ((4, "inet"), (6, "inet6")):
            listed = [
                one["local"] for one in interface["addr_info"] if one["family"] == name and not one.get("tentative")
            ]
            assert [format_address(one.address, family) for one in kept(ours, family)] == listed


def test_what_a_host_value_does_not_hold_is_said(namespace: Namespace) -> None:
    run(
        namespace,
        LINKS
        + """
ip route add 10.9.0.0/16 nexthop via 10.0.0.2 weight 3 nexthop dev br0
ip route add 10.8.0.0/16 via inet6 fd00::9 dev eth0.5
ip -6 route add fd00:7::/32 via fd00::9 mtu 1300
ip -6 route add fd00:8::/32 from fd00:5::/32 via fd00::9
ip rule add l3mdev pref 70
ip rule add goto 90 pref 80
""",
    )
    ruleset = snapshot(namespace)
    said = "\n".join(note.message for note in ruleset.notes)
    assert set(names(ruleset)) == {"simplified-host"}
    for words in (
        "several next hops", "port of a bridge", "other family", "route's own MTU", "one source network", "`l3mdev`",
    ):  # fmt: skip
        assert words in said, said
    assert ruleset.host is not None
    actions = [rule.action.value for rule in ruleset.host.rules if rule.preference == 80]
    assert actions == ["nop"]  # no rule 90 is there


# ---------------------------------------------------------------------- rules and sets
SETS = """
ipset create hosts hash:ip family inet maxelem 100 comment timeout 600
ipset add hosts 192.0.2.7 comment "said so"
ipset create nets6 hash:net family inet6
ipset add nets6 2001:db8::/32
ipset add nets6 2001:db8:9::/48 nomatch
ipset create ports bitmap:port range 80-443
ipset add ports 443
ipset create both list:set
ipset add both hosts
"""
RULES = """*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:log - [0:0]
-A INPUT -m set --match-set hosts src -m comment --comment "it's \\"so\\"" -j ACCEPT
-A INPUT -m set --match-set ports dst -j log
-A log -j LOG --log-prefix "caf\\xe9 "
COMMIT
"""
RULES_V6 = """*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -m set --match-set nets6 src -j DROP
COMMIT
"""


@pytest.mark.parametrize("backend", ["nft", "legacy"])
def test_rules_and_sets_come_back(namespace: Namespace, backend: str) -> None:
    run(namespace, SETS)
    load(namespace, backend, RULES)
    load(namespace, backend, RULES_V6, 6)
    ruleset = snapshot(namespace)
    assert not [one for one in api.check(ruleset).diagnostics if one.severity is Severity.ERROR]
    for family, tool in ((4, "iptables"), (6, "ip6tables")):
        saved = run(namespace, f"{tool}-{backend}-save | grep -v '^#'")
        ours = api.iptables_save(ruleset, family).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        assert [line for line in ours.splitlines() if not line.startswith("#")] == saved.splitlines()
    assert ruleset.host is not None
    assert set(ruleset.host.sets) == {"hosts", "nets6", "ports", "both"}
    saved = run(namespace, "ipset save -sorted")
    with Namespace() as other:
        assert other.run(["ipset", "restore"], ipset_restore(ruleset)).code == 0
        again = other.run(["ipset", "save", "-sorted"]).out

    def stripped(text: str) -> list[str]:
        return [" ".join(line.split(" initval ")[0].split(" timeout ")[0].split()) for line in text.splitlines()]

    assert stripped(again) == stripped(saved)


def test_both_kinds_of_iptables(namespace: Namespace) -> None:
    load(namespace, "nft", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n")
    load(namespace, "legacy", "*filter\n-A INPUT -p tcp --dport 22 -j DROP\nCOMMIT\n")
    by_default, legacy = snapshot(namespace), snapshot(namespace, "legacy")
    assert names(by_default) == ["two-backends"]
    assert names(legacy) == ["two-backends"]
    assert [one.severity for one in (*by_default.notes, *legacy.notes)] == [Severity.WARNING, Severity.INFO]
    assert [len(list(one.rules())) for one in (by_default, legacy)] == [0, 1]


def test_empty_tables_of_the_other_kind_do_not_count(namespace: Namespace) -> None:
    run(namespace, "XTABLES_LOCKFILE=/dev/null iptables-legacy -S")
    load(namespace, "nft", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n")
    assert names(snapshot(namespace)) == []


def test_tables_that_iptables_does_not_show(namespace: Namespace) -> None:
    run(
        namespace,
        "nft add table inet firewalld; nft add table ip nat; nft add table bridge filter;"
        "nft 'add chain ip nat odd { type filter hook input priority 5; }'",
    )
    ruleset = snapshot(namespace)
    assert names(ruleset) == ["unseen-rules", "unseen-rules"]
    said = "\n".join(note.message for note in ruleset.notes)
    assert "`bridge filter`, `inet firewalld`" in said
    assert "the table `nat`" in said


# ---------------------------------------------------------------------- connections
TALK = """
import socket
listener = socket.create_server(("127.0.0.1", 99))
client = socket.create_connection(("127.0.0.1", 99))
server, _ = listener.accept()
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 98))
print(client.getsockname()[1], flush=True)
input()
"""


def test_known_connections(namespace: Namespace) -> None:
    run(namespace, "ip link set lo up; iptables -A OUTPUT -m conntrack --ctstate NEW -j CONNMARK --set-mark 7")
    with talking(namespace, TALK) as port:
        host = snapshot(namespace, conntrack=True).host
        assert host is not None
        assert snapshot(namespace).host == replace(host, connections=())
    tcp, udp = sorted(host.connections, key=lambda one: one.protocol)
    lo = parse_address("127.0.0.1", 4)
    assert (tcp.original, tcp.reply) == ((lo, lo, port, 99), (lo, lo, 99, port))
    assert (tcp.protocol, tcp.tcp_state, tcp.mark, tcp.status) == (
        6,
        "ESTABLISHED",
        7,
        CONFIRMED | SEEN_REPLY | ASSURED,
    )
    assert (udp.protocol, udp.tcp_state, udp.original.dport, udp.status) == (17, "", 98, CONFIRMED)


def test_a_packet_of_a_known_connection_is_established(namespace: Namespace) -> None:
    run(namespace, "ip link set lo up; iptables -A OUTPUT -m conntrack --ctstate NEW -j DROP -d 127.0.0.2")
    with talking(namespace, TALK) as port:
        host = snapshot(namespace, conntrack=True).host
    assert host is not None
    state = State.of(host)
    lo = parse_address("127.0.0.1", 4)
    packet = Packet(4, lo, lo, 6)
    packet.sport, packet.dport, packet.tcp_flags, packet.outgoing = port, 99, FLAGS["ACK"], True
    packet.segment = Segment(1, 1, 100, 5)
    track(state, packet)
    assert packet.ct is not None
    assert packet.ct.status & ASSURED
    assert packet.ct_state == "ESTABLISHED"


@contextmanager
def talking(namespace: Namespace, program: str) -> Iterator[int]:
    """A program that runs in the namespace until the end of the block; the port that it prints."""
    words = ["nsenter", f"--net=/proc/{namespace.pid}/ns/net", sys.executable, "-c", program]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield int(running.stdout.readline())
        running.communicate("\n")


# ---------------------------------------------------------------------- taking it
def test_nothing_is_changed_and_the_same_host_gives_the_same_bytes(namespace: Namespace) -> None:
    run(namespace, LINKS + "sleep 2.5")  # until addresses are no longer tentative
    look = "nft list ruleset; ip addr; ip route show table all; ip rule; cat /proc/net/ip_tables_names; ipset save"
    before = run(namespace, look)
    first = take(pid=namespace.pid, conntrack=True)
    assert take(pid=namespace.pid, conntrack=True) == first
    assert run(namespace, look) == before
    found = json.loads(first)
    assert "iptables" not in found
    assert found["holds"] == ["interface names", "addresses", "MAC addresses"]


def test_a_namespace_of_ip_netns(machine: None, namespace: Namespace) -> None:
    name = f"policyc-{namespace.pid}"
    run(namespace, f"ip link set lo up; ip netns attach {name} {namespace.pid}")
    try:
        found = json.loads(take(name))
        assert found["links"] == [{"name": "lo", "mtu": 65536}]
        assert found["addresses"][0]["address"] == "127.0.0.1/8"
    finally:
        run(namespace, f"ip netns del {name}")
    with pytest.raises(NoNamespace, match=f"no network namespace `{name}`"):
        take(name)
    assert not (NAMED / name).exists()


def test_the_command_and_the_source_live(namespace: Namespace, tmp_path: Path) -> None:
    load(namespace, "nft", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 23 -j DROP\nCOMMIT\n")
    policyc, path = shlex.join([sys.executable, "-m", "policyc"]), shlex.quote(str(tmp_path / "host.json"))
    root = shlex.quote(str(Path(__file__).parents[2]))
    out = run(
        namespace,
        f"cd {root}; {policyc} snapshot -o {path} 2>&1; {policyc} compile {path} --family 4; {policyc} check {path}",
    )
    lines = out.splitlines()
    assert lines[0] == "the snapshot holds interface names and firewall rules: look before you give it away"
    assert "-A INPUT -p tcp -m tcp --dport 23 -j DROP" in lines
    assert lines[-1] == "no findings in 1 file (1 rule: 1 exact)"
    shown = run(namespace, f"cd {root}; {policyc} show live")
    assert "-p tcp -m tcp --dport 23 -j DROP" in shown
    refused = namespace.run(
        ["sh", "-c", f"cd {root}; setpriv --bounding-set -net_admin --inh-caps -net_admin {policyc} show live"]
    )
    assert (refused.code, refused.out) == (4, "")
    assert "needs root (CAP_NET_ADMIN)" in refused.err
    nowhere = namespace.run(["sh", "-c", f"cd {root}; {policyc} snapshot --netns no-such-namespace"])
    assert nowhere.code == 2
    assert "there is no network namespace `no-such-namespace`" in nowhere.err


def test_the_file_has_the_form_of_its_schema(namespace: Namespace) -> None:
    import jsonschema

    from policyc.report.schemas import schema_text

    run(namespace, LINKS + SETS)
    load(namespace, "nft", RULES)
    jsonschema.validate(json.loads(take(pid=namespace.pid, conntrack=True)), json.loads(schema_text("snapshot")))
