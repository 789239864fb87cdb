"""Live packets are traced on policy lines as the kernel walks them, and nothing is left of a trace however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from snapshots import load, run

from policyc import api
from policyc.kernel.namespace import Namespace

POLICY = """\
zone net = interface eth0
zone lan = interface eth1 network 10.0.0.0/24
filter any -> self { use baseline }
filter self -> any { use baseline }
publish net -> self tcp/8080 becomes 10.0.0.9:80 family ip as site
nat lan -> net { masquerade family ip }
filter net -> self {
  accept ssh as door
  reject udp/53 as no-dns
  otherwise drop
}
filter lan -> net { accept udp/9 as discard; otherwise drop }
filter net -> lan { otherwise drop }
"""
WORLD = """
ip link set lo up; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.disable_ipv6=1
ip addr add 203.0.113.2/24 dev eth0; ip addr add 10.0.0.1/24 dev eth1; ip link set eth0 up; ip link set eth1 up
"""
FAR = "ip link set lo up; sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip addr add {} dev eth0; ip link set eth0 up; ip route add default via {}"
SEND = """
import socket, sys
for word in sys.argv[1:]:
    proto, address, port = word.split("/")
    family = socket.AF_INET6 if proto.endswith("6") else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM)
    s.settimeout(0.1)
    try:
        s.connect((address, int(port)))
        if proto != "tcp": s.send(b"x"); s.recv(1)
    except OSError: pass
"""


class World:
    """A router with a policy, a client outside at eth0 and a server inside at eth1."""

    def __init__(self, folder: Path, host: Namespace, client: Namespace, server: Namespace) -> None:
        self.folder, self.host, self.client, self.server = folder, host, client, server
        self.policy = folder / "edge.pol"
        self.policy.write_text(POLICY)

    def load(self, backend: str = "nft") -> None:
        ruleset = api.load(self.policy)
        for family in (4, 6):
            load(self.host, backend, api.iptables_save(ruleset, family), family)

    def send(self, of: Namespace, *words: str) -> None:
        done = of.run([sys.executable, "-c", SEND, *words])
        assert done.code == 0, done.err

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A trace that has begun."""
        place = f"--net=/proc/{self.host.pid}/ns/net"
        started = subprocess.Popen(
            ["nsenter", place, sys.executable, "-m", "policyc", "trace", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert started.stderr is not None
        line = started.stderr.readline()
        assert line.startswith("tracing until"), line + started.stderr.read()
        return started

    def traced(self, *words: str, of: Namespace, send: tuple[str, ...]) -> list[dict[str, Any]]:
        started = self.start(*words, "--format", "json", "--seconds", "3")
        self.send(of, *send)
        out, err = started.communicate()
        assert started.returncode == 0, err
        return json.loads(out)["packets"]

    def tables(self) -> str:
        return run(self.host, "nft list tables")


@pytest.fixture
def world(namespace: Namespace, tmp_path: Path) -> Iterator[World]:
    with Namespace() as client, Namespace() as server:
        for number, other in enumerate((client, server)):
            run(namespace, f"ip link add eth{number} type veth peer name far netns {other.pid}")
            run(other, "ip link set far name eth0")
        run(namespace, WORLD)
        run(client, FAR.format("203.0.113.9/24", "203.0.113.2"))
        run(server, FAR.format("10.0.0.9/24", "10.0.0.1"))
        yield World(tmp_path, namespace, client, server)


def steps(packet: dict[str, Any]) -> list[tuple[str, str, Any, str]]:
    return [(one["table"], one["chain"], one["number"], one["verdict"]) for one in packet["steps"]]


def lines(packet: dict[str, Any]) -> list[int]:
    return [one["source"]["location"]["line"] for one in packet["steps"] if one["source"] and one["source"]["location"]]


# ---------------------------------------------------------------------- what is told
def test_a_dropped_packet_and_the_line_that_drops_it(world: World) -> None:
    world.load()
    (packet,) = world.traced(
        str(world.policy), "tcp any -> self:25 in net", "--count", "1", of=world.client, send=("tcp/203.0.113.2/25",)
    )
    assert packet["outcome"] == "dropped"
    assert packet["packet"]["src"] == "203.0.113.9"
    assert packet["decided_by"]["source"]["location"]["line"] == 10
    assert packet["final"]["state"] in {"NEW", "none"}
    assert steps(packet)[-1][0] == "filter"


def test_an_accepted_packet_is_delivered(world: World) -> None:
    world.load()
    (packet,) = world.traced(
        str(world.policy), "tcp any -> self:22", "--count", "1", of=world.client, send=("tcp/203.0.113.2/22",)
    )
    assert (packet["outcome"], packet["last_hook"]) == ("delivered", "INPUT")
    assert packet["decided_by"]["source"]["statement"] == "door"
    assert packet["decided_by"]["source"]["location"]["line"] == 8


def test_a_rejected_packet_and_its_answer(world: World) -> None:
    world.load()
    packets = world.traced(
        str(world.policy), "any -> any", "--count", "2", of=world.client, send=("udp/203.0.113.2/53",)
    )
    assert [packet["outcome"] for packet in packets] == ["rejected", "sent"]
    assert packets[0]["decided_by"]["source"]["statement"] == "no-dns"
    assert packets[1]["packet"]["protocol"] == "icmp/port-unreachable"
    assert "in" not in packets[1]["packet"]


def test_a_translated_packet_is_forwarded(world: World) -> None:
    world.load()
    (packet,) = world.traced(
        str(world.policy),
        "tcp any -> 203.0.113.0/24:8000-8999",
        "--count",
        "1",
        of=world.client,
        send=("tcp/203.0.113.2/8080",),
    )
    assert packet["outcome"] == "forwarded"
    (dnat,) = [one for one in packet["steps"] if one["table"] == "nat" and one["becomes"]]
    assert (dnat["becomes"]["dst"], dnat["becomes"]["dport"]) == ("10.0.0.9", "80")
    assert dnat["source"]["statement"] == "site"
    assert packet["final"]["out"] == "eth1"


def test_masquerading(world: World) -> None:
    world.load()
    (packet,) = world.traced(
        str(world.policy), "udp 10.0.0.9 -> any in lan", "--count", "1", of=world.server, send=("udp/203.0.113.9/9",)
    )
    assert packet["outcome"] == "forwarded"
    assert packet["final"]["src"] == "203.0.113.2"


def test_the_other_direction(world: World) -> None:
    there, back = world.traced(
        "tcp 10.0.0.9 -> any:1 in eth1", "--replies", "--count", "2", of=world.server, send=("tcp/203.0.113.9/1",)
    )
    assert (there["packet"]["flags"], back["packet"]["flags"]) == ("SYN", "RST,ACK")
    assert (back["packet"]["src"], back["final"]["out"]) == ("203.0.113.9", "eth1")


def test_what_the_kernel_drops_is_gone(world: World) -> None:
    world.load()
    world.send(world.client, "udp/203.0.113.2/53")  # so that ARP is not what fails
    run(world.host, "sysctl -qw net.ipv4.conf.all.rp_filter=1; ip route add 203.0.113.9/32 dev eth1")
    started = world.start("udp 203.0.113.9 -> any", "--count", "1", "--seconds", "3")
    world.send(world.client, "udp/203.0.113.2/53")
    out, _ = started.communicate()
    assert "GONE" in out
    assert "policyc doctor" in out


def test_a_dump_and_no_source_at_all(world: World) -> None:
    dump = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp -m udp --dport 7 -j ACCEPT\n-A INPUT -p udp -m udp --dport 9 -j DROP\nCOMMIT\n"
    (world.folder / "host.rules").write_text(dump)
    load(world.host, "nft", dump)
    (packet,) = world.traced(
        "udp any -> self:9",
        str(world.folder / "host.rules"),
        "--count",
        "1",
        of=world.client,
        send=("udp/203.0.113.2/9",),
    )
    assert steps(packet) == [("filter", "INPUT", 2, "drop")]
    assert lines(packet) == [4]
    (packet,) = world.traced("udp any -> self:9", "--count", "1", of=world.client, send=("udp/203.0.113.2/9",))
    assert packet["decided_by"]["source"] is None
    assert packet["decided_by"]["rule"]["text"] == "-p udp -m udp --dport 9 -j DROP"


def test_marks_stand_at_the_rule_that_sets_them(world: World) -> None:
    load(
        world.host,
        "nft",
        "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j MARK --set-xmark 0x7/0xffffffff\nCOMMIT\n",
    )
    (packet,) = world.traced("udp any -> self:9", "--count", "1", of=world.client, send=("udp/203.0.113.2/9",))
    assert packet["steps"][0]["becomes"]["mark"] == "0x7"


def test_tables_of_other_tools_are_steps_too(world: World) -> None:
    run(
        world.host,
        "nft add table inet fw; nft add chain inet fw in '{ type filter hook input priority 5; }'; nft add rule inet fw in udp dport 9 drop",
    )
    (packet,) = world.traced("udp any -> self:9", "--count", "1", of=world.client, send=("udp/203.0.113.2/9",))
    assert steps(packet) == [("inet fw", "in", 1, "drop")]
    assert packet["outcome"] == "dropped"


def test_a_table_with_rules_that_only_nft_shows(world: World) -> None:
    load(
        world.host,
        "nft",
        "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp --dport 7 -j ACCEPT\n-A INPUT -p udp --dport 9 -j DROP\nCOMMIT\n",
    )
    run(world.host, "nft insert rule ip filter INPUT ct mark set 1 counter")
    started = world.start("udp any -> self:9", "--format", "json", "--count", "1", "--seconds", "3")
    world.send(world.client, "udp/203.0.113.2/9")
    answer = json.loads(started.communicate()[0])
    assert steps(answer["packets"][0]) == [("filter", "INPUT", 1, "continue"), ("filter", "INPUT", 3, "drop")]
    assert answer["packets"][0]["outcome"] == "dropped"
    assert answer["remarks"] == [
        "table filter of IPv4 has chains or rules that only `nft` shows; iptables does not print it"
    ]


def test_a_rule_that_is_made_meanwhile(world: World) -> None:
    load(world.host, "nft", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp --dport 9 -j DROP\nCOMMIT\n")
    started = world.start("udp any -> self:9", "--format", "json", "--count", "1", "--seconds", "3")
    run(world.host, "iptables-nft -I INPUT -p udp -j LOG")
    world.send(world.client, "udp/203.0.113.2/9")
    (packet,) = json.loads(started.communicate()[0])["packets"]
    new, old = packet["steps"]
    assert (new["number"], new["rule"]) == (None, None)
    assert old["rule"]["text"] == "-p udp -m udp --dport 9 -j DROP"


CRITERIA = [
    ("udp any -> any:9", 1), ("udp any -> any:10-20", 0), ("udp any -> any:1-9", 1), ("tcp any -> any", 0),
    ("udp 203.0.113.0/28 -> any", 1), ("udp 203.0.113.16/28 -> any", 0), ("udp 203.0.113.9-203.0.113.10 -> any", 1),
    ("any -> 203.0.113.2 in eth0", 1), ("any -> 203.0.113.2 in eth1", 0),
    ("udp any -> self ttl 64", 1), ("udp any -> self ttl 63", 0), ("udp any -> self mark 0x1/0x1", 0), ("udp any -> self mark 0x0/0x1", 1),
    ("proto/17 any -> any", 1), ("any -> any out", 0), ("udp any -> any in nowhere", 0),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "expected"), CRITERIA)
def test_only_what_fits_is_traced(world: World, sentence: str, expected: int) -> None:
    load(world.host, "nft", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp -j DROP\nCOMMIT\n")
    started = world.start(sentence, "--format", "json", "--count", "1", "--seconds", "0.8")
    world.send(world.client, "udp/203.0.113.2/9")
    out, err = started.communicate()
    assert started.returncode == 0, err
    assert len(json.loads(out)["packets"]) == expected


OTHERS = [
    ("tcp any -> self flags SYN", ["tcp"]), ("tcp any -> self flags ACK", []), ("tcp self -> any flags RST,ACK out", ["tcp"]),
    ("icmp/3/3 self -> any out eth0", ["icmp/port-unreachable"]), ("icmp/3/4 self -> any", []), ("icmp self -> any out eth1", []),
    ("udp any -> fd00::2 in eth0", ["udp"]), ("icmp6/1/4 self -> fd00::9", ["icmp6/port-unreachable"]), ("udp any -> fd00::/64", ["udp"]),
    ("udp any -> fd00::1-fd00::1", []),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "expected"), OTHERS)
def test_protocols_and_families(world: World, sentence: str, expected: list[str]) -> None:
    for namespace, address in ((world.host, "fd00::2"), (world.client, "fd00::9")):
        run(namespace, f"sysctl -qw net.ipv6.conf.all.disable_ipv6=0; ip addr add {address}/64 dev eth0 nodad")
    started = world.start(sentence, "--format", "json", "--count", "1", "--seconds", "1.2")
    world.send(world.client, "tcp/203.0.113.2/1", "udp/203.0.113.2/9", "udp6/fd00::2/9")
    out, err = started.communicate()
    assert started.returncode == 0, err
    assert [one["packet"]["protocol"] for one in json.loads(out)["packets"]] == expected


# ---------------------------------------------------------------------- what is left
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_of_a_trace(world: World, end: signal.Signals) -> None:
    world.load()
    before = world.tables()
    started = world.start("any -> any", "--seconds", "60")
    assert "policyc_trace" in world.tables()
    os.kill(started.pid, end)
    out, _ = started.communicate()
    for _ in range(50):  # the kernel closes the sockets of a killed process a moment later
        if world.tables() == before:
            break
        time.sleep(0.1)
    assert world.tables() == before
    if end is signal.SIGINT:
        assert started.returncode == 0
        assert out.endswith("packets traced\n")


def test_a_trace_that_ends_by_itself_leaves_nothing(world: World) -> None:
    before = world.tables()
    started = world.start("any -> any", "--seconds", "0.2")
    assert started.communicate()[0].endswith("0 packets traced\n")
    assert world.tables() == before


def test_two_traces_at_once(world: World) -> None:
    one = world.start("udp any -> self:9", "--format", "json", "--count", "1", "--seconds", "3")
    two = world.start("udp any -> self:7", "--format", "json", "--count", "1", "--seconds", "3")
    world.send(world.client, "udp/203.0.113.2/9", "udp/203.0.113.2/7")
    ports = [json.loads(each.communicate()[0])["packets"][0]["packet"]["dport"] for each in (one, two)]
    assert ports == ["9", "7"]


# ---------------------------------------------------------------------- what cannot be
def refused(world: World, *words: str, code: int) -> str:
    done = world.host.run([sys.executable, "-m", "policyc", "trace", *words])
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    return done.err


def test_rules_of_iptables_legacy_are_refused_and_nothing_is_made(world: World) -> None:
    load(world.host, "legacy", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp -j DROP\nCOMMIT\n")
    assert "iptables-legacy" in refused(world, "any -> any", code=2)
    assert "policyc_trace" not in world.tables()
    world.load()
    started = world.start("any -> any", "--seconds", "0.2")
    assert "iptables-legacy has rules here too" in started.communicate()[0]


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("tcp any -> any state new", "before connection tracking"),
        ("any -> any in eth0 out eth1", "nobody knows yet"),
        ("tcp any -> nowhere", "nothing defines address `nowhere`"),
        ("icmp any -> any:80", "has no ports"),
    ],
)
def test_a_sentence_that_no_trace_can_answer(world: World, sentence: str, words: str) -> None:
    assert words in refused(world, sentence, code=2)


def test_without_privilege(world: World) -> None:
    done = world.host.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", sys.executable, "-m", "policyc", "trace", "any -> any"]
    )
    assert done.code == 4, done.err
