"""Every cause of a drop that a network namespace can have is provoked, and doctor names it; nothing else grows with it.

The counter of a full connection table needs nf_conntrack_max, which only the first namespace may set: unit tests have it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator

import pytest
from frames import SENDER
from snapshots import load, run

from policyc.kernel.measuring import measured
from policyc.kernel.namespace import Namespace
from policyc.observation.doctor.addresses import doubled
from policyc.observation.doctor.examine import examine
from policyc.observation.doctor.finding import Level
from policyc.observation.doctor.measured import Measurement
from policyc.observation.doctor.saved import comparable, read_saved, saved_text
from policyc.source import Source

MAC, OTHER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:99"
HOST = f"""
ip link set lo up
sysctl -qw net.ipv6.conf.all.disable_ipv6=1
for n in 0 1; do
  ip link add eth$n address 02:00:00:00:00:0$((n + 1)) type veth peer name far$n
  ip link set eth$n up; ip link set far$n up
done
ip addr add 203.0.113.2/24 dev eth0
ip addr add 10.0.0.1/24 dev eth1
ip neigh add 203.0.113.9 lladdr {OTHER_MAC} dev eth0
ip neigh add 10.0.0.9 lladdr {OTHER_MAC} dev eth1
"""


@pytest.fixture
def host(namespace: Namespace) -> Namespace:
    """A host with eth0 203.0.113.2 and eth1 10.0.0.1, whose far ends are at hand."""
    run(namespace, HOST)
    return namespace


def measure(namespace: Namespace) -> Measurement:
    return measured(pid=namespace.pid, containers=False)


def grown(namespace: Namespace, provoke: Callable[[], object]) -> dict[str, int]:
    """The checks whose counters of this namespace grew, with how much; those of the whole machine are everybody's."""
    before = measure(namespace)
    provoke()
    found = examine(measure(namespace), before)
    return {one.check: one.grown or 0 for one in found.symptoms if one.counter and not one.subject}


def send(namespace: Namespace, *frames: str, far: str = "far0") -> None:
    """Frames `SOURCE DESTINATION PROTOCOL PORT PORT` to the host from outside."""
    words = [f"{OTHER_MAC} {frame}" for frame in frames]
    run_python(namespace, SENDER, far, MAC.replace(":", ""), *words)


def run_python(namespace: Namespace, program: str, *words: str) -> str:
    done = namespace.run([sys.executable, "-c", program, *words])
    assert done.code == 0, done.err
    return done.out


def checks(namespace: Namespace) -> dict[str, Level]:
    return {one.check: one.level for one in examine(measure(namespace)).symptoms if not one.counter}


# ---------------------------------------------------------------------- routing
def test_a_packet_by_the_wrong_interface(host: Namespace) -> None:
    run(host, "sysctl -qw net.ipv4.conf.all.rp_filter=1")
    assert grown(host, lambda: send(host, "10.0.0.9 203.0.113.2 17 1000 53")) == {"rp-filter": 1}
    found = examine(measure(host))
    assert {one.subject for one in found.symptoms if one.check == "strict-reverse-path"} >= {"eth0", "eth1"}


def test_martians(host: Namespace) -> None:
    before = measure(host)
    send(host, "127.0.0.1 203.0.113.2 17 1000 53", "203.0.113.9 127.0.0.1 17 1000 53")
    found = {one.check: one for one in examine(measure(host), before).symptoms}
    assert found["martian-source"].grown
    assert found["martian-destination"].grown
    assert found["martian-source"].level is Level.WARNING  # of the whole machine: it may be another namespace's


def test_a_packet_for_somebody_else(host: Namespace) -> None:
    assert grown(host, lambda: send(host, "203.0.113.9 10.0.0.9 17 1000 53")) == {"not-for-this-host": 1}


def test_no_route(host: Namespace) -> None:
    run(host, "sysctl -qw net.ipv4.ip_forward=1")
    assert grown(host, lambda: send(host, "203.0.113.9 198.51.100.1 17 1000 53")) == {"no-route-in": 1}
    program = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try: s.sendto(b"x", ("198.51.100.1", 53))
except OSError as error: print(error.errno)
"""
    assert grown(host, lambda: run_python(host, program)) == {"no-route-out": 1}


def test_a_packet_whose_time_is_over(host: Namespace) -> None:
    run(host, "sysctl -qw net.ipv4.ip_forward=1")
    assert grown(host, lambda: send(host, "203.0.113.9 10.0.0.9 17 1000 53")) == {
        "bad-header": 1
    }  # the first has TTL 1


# ---------------------------------------------------------------------- sockets
OVERFLOW = """
import socket, sys
server = socket.socket(); server.bind(("127.0.0.1", 8080)); server.listen(1)
clients = []
for _ in range(4):
    client = socket.socket(); client.settimeout(0.3); clients.append(client)
    try: client.connect(("127.0.0.1", 8080))
    except OSError: pass
print("full", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def overflowing(host: Namespace) -> Iterator[Namespace]:
    """A program that listens with room for one connection and accepts none, and four clients."""
    import subprocess

    held = subprocess.Popen(
        ["nsenter", f"--net=/proc/{host.pid}/ns/net", sys.executable, "-c", OVERFLOW],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert held.stdout is not None
    assert held.stdout.readline() == "full\n"
    yield host
    held.communicate()


def test_a_full_accept_queue(overflowing: Namespace) -> None:
    found = examine(measure(overflowing), Measurement("", 0, 0))
    by_check = {one.check: one for one in found.symptoms}
    assert (by_check["listen-overflow"].grown or 0) >= 2
    assert by_check["listen-overflow"].level is Level.ERROR
    assert by_check["accept-queue-full"].subject == "127.0.0.1 port 8080: 2 wait, 1 may"


def test_nobody_listens(host: Namespace) -> None:
    program = 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9))'
    assert grown(host, lambda: run_python(host, program)) == {"udp-no-port": 1}


def test_a_full_buffer_of_a_socket(host: Namespace) -> None:
    program = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); server.bind(("127.0.0.1", 5353))
server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(50): client.sendto(bytes(1000), ("127.0.0.1", 5353))
"""
    assert grown(host, lambda: run_python(host, program))["udp-receive-buffer"] > 10


def test_a_flood_of_syns(host: Namespace) -> None:
    """With cookies they are answered; without them they are lost."""
    program = """
import socket
s = socket.socket(); s.bind(("203.0.113.2", 8080)); s.listen(4)
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1], *sys.argv[2:]], check=True)
"""
    frames = [f"{OTHER_MAC} 203.0.113.9 203.0.113.2 6 {port} 8080" for port in range(1000, 1040)]
    sender = SENDER.replace("body += bytes(32)", SYN)
    run(host, "sysctl -qw net.ipv4.tcp_syncookies=1 net.ipv4.tcp_max_syn_backlog=1024")
    found = grown(host, lambda: run_python(host, program, sender, "far0", MAC.replace(":", ""), *frames))
    assert found["syn-cookies"] > 1
    assert found["syn-cookies-sent"] > 1
    assert "syn-queue-full" not in found
    run(host, "sysctl -qw net.ipv4.tcp_syncookies=0 net.ipv4.tcp_max_syn_backlog=1024")
    found = grown(host, lambda: run_python(host, program, sender, "far0", MAC.replace(":", ""), *frames))
    assert found["syn-queue-full"] > 1


# The 16 bytes behind the ports, with a checksum.
SYN = """body += struct.pack("!IIBBHHH", 1, 0, 0x50, 2, 1000, 0, 0)
    pseudo = of.packed + to.packed + struct.pack("!HH", 6, len(body)) + body
    total = __import__("builtins").sum(struct.unpack(f"!{len(pseudo) // 2}H", pseudo))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    body = body[:16] + struct.pack("!H", ~total & 0xffff) + body[18:]
    n = 64"""


def test_a_wrong_checksum(host: Namespace) -> None:
    sender = SENDER.replace("body += bytes(32)", 'body += struct.pack("!HH", 8, 1)')
    words = (f"{OTHER_MAC} 203.0.113.9 203.0.113.2 17 1000 5353",)
    program = """
import socket, subprocess, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("203.0.113.2", 5353)); s.settimeout(1)
subprocess.run([sys.executable, "-c", sys.argv[1], *sys.argv[2:]], check=True)
try: s.recv(10)
except TimeoutError: pass
"""
    assert grown(host, lambda: run_python(host, program, sender, "far0", MAC.replace(":", ""), *words)) == {
        "udp-checksum": 1
    }


def test_more_in_time_wait_than_is_kept(host: Namespace) -> None:
    run(host, "sysctl -qw net.ipv4.tcp_max_tw_buckets=1")
    program = """
import socket
server = socket.socket(); server.bind(("127.0.0.1", 8080)); server.listen(8)
for _ in range(4):
    client = socket.create_connection(("127.0.0.1", 8080)); there, _ = server.accept()
    client.close(); there.recv(1); there.close()
"""
    assert grown(host, lambda: run_python(host, program))["time-wait-overflow"] >= 2


def test_too_large_for_the_next_link(host: Namespace) -> None:
    run(host, "sysctl -qw net.ipv4.ip_forward=1; ip link set eth1 mtu 576")
    sender = SENDER.replace("bytes(32)", "bytes(1000)").replace("n, 0, n,", "n, 0x4000, 64,")
    found = grown(
        host,
        lambda: run_python(host, sender, "far0", MAC.replace(":", ""), f"{OTHER_MAC} 203.0.113.9 10.0.0.9 17 1000 53"),
    )
    assert found == {"fragmentation": 1}


def test_what_output_refuses(host: Namespace) -> None:
    load(host, "nft", "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp --dport 9 -j DROP\nCOMMIT\n")
    program = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try: s.sendto(b"x", ("203.0.113.9", 9))
except PermissionError: pass
"""
    assert grown(host, lambda: run_python(host, program)) == {"out-discards": 1}


def test_no_route_of_ipv6(host: Namespace) -> None:
    run(
        host,
        "sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.all.forwarding=1; ip addr add fd00::1/64 dev eth0 nodad",
    )
    assert grown(host, lambda: send(host, "fd00::9 fd00:9::9 17 1000 53")).get("no-route-in-6") == 1
    program = """
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
try: s.sendto(b"x", ("fd00:9::9", 9))
except OSError: pass
"""
    assert grown(host, lambda: run_python(host, program)).get("no-route-out-6") == 1


# ---------------------------------------------------------------------- connection tracking
def test_no_port_left_for_translation(host: Namespace) -> None:
    run(host, "ip addr add 203.0.113.3/24 dev eth0")
    load(
        host,
        "nft",
        "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth0 -p udp -j MASQUERADE --to-ports 40000-40001\nCOMMIT\n",
    )
    program = """
import socket
for _ in range(5):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try: s.sendto(b"x", ("203.0.113.9", 53))
    except OSError: pass
"""
    found = grown(host, lambda: run_python(host, program))
    assert found["conntrack-insert-failed"] >= 3
    assert found["conntrack-drop"] >= 3


def test_packets_of_no_connection(host: Namespace) -> None:
    load(host, "nft", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n")
    assert grown(host, lambda: send(host, "203.0.113.9 203.0.113.2 1 0 0"))["conntrack-invalid"] == 1


# ---------------------------------------------------------------------- settings
def test_two_kinds_of_iptables(host: Namespace) -> None:
    rules = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n"
    load(host, "nft", rules)
    assert "two-backends" not in checks(host)
    load(host, "legacy", rules)
    assert checks(host)["two-backends"] is Level.ERROR


def test_rules_that_forward_without_forwarding(host: Namespace) -> None:
    load(host, "nft", "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n")
    assert checks(host)["no-forwarding"] is Level.WARNING
    run(host, "sysctl -qw net.ipv4.ip_forward=1")
    assert "no-forwarding" not in checks(host)


def test_settings_of_sockets(host: Namespace) -> None:
    assert not {"no-syn-cookies", "short-accept-queues", "aborts-on-overflow", "reuse-without-timestamps"} & set(
        checks(host)
    )
    run(host, "sysctl -qw net.ipv4.tcp_syncookies=0 net.core.somaxconn=16 net.ipv4.tcp_abort_on_overflow=1")
    run(host, "sysctl -qw net.ipv4.tcp_tw_reuse=1 net.ipv4.tcp_timestamps=0")
    assert {"no-syn-cookies", "short-accept-queues", "aborts-on-overflow", "reuse-without-timestamps"} <= set(
        checks(host)
    )


def test_bridges(host: Namespace) -> None:
    run(host, "ip link add br0 type bridge; ip link set br0 up")
    load(host, "nft", "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i br0 -o br0 -j ACCEPT\nCOMMIT\n")
    for value, expected in (("1", "bridge-filtered"), ("0", "bridge-unfiltered")):
        run(host, f"sysctl -qw net.bridge.bridge-nf-call-iptables={value} || true")
        if measure(host).settings.get("net.bridge.bridge-nf-call-iptables") != value:
            pytest.skip("this kernel has no br_netfilter")
        assert expected in checks(host)


def test_synproxy_and_logs(host: Namespace) -> None:
    load(host, "nft", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY\n"
         "-A INPUT -j LOG\nCOMMIT\n")  # fmt: skip
    assert {"synproxy-unready", "silent-logs"} <= set(checks(host))
    run(host, "sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0")
    assert "synproxy-unready" not in checks(host)


# ---------------------------------------------------------------------- containers
def container(host: Namespace, name: str, address: str, *, bridge: str, mac: str = "02:42:00:00:00:09") -> Namespace:
    other = Namespace().__enter__()
    run(
        host,
        f"ip link add {name} type veth peer name tmp{name} netns {other.pid}; ip link set {name} master {bridge} up",
    )
    run(other, f"ip link set tmp{name} name eth0 address {mac}; ip addr add {address} dev eth0; ip link set eth0 up")
    return other


def test_a_doubled_address_is_found(host: Namespace) -> None:
    run(
        host,
        "for n in br0 br1; do ip link add $n type bridge; ip link set $n up; done; ip addr add 172.17.0.1/16 dev br0",
    )
    containers = [
        container(host, "one", "172.17.0.5/16", bridge="br0"),
        container(host, "two", "172.17.0.6/16", bridge="br0", mac="02:42:00:00:00:06"),
        container(host, "three", "172.17.0.5/16", bridge="br1"),
    ]
    try:
        seen = measured(pid=host.pid).seen
        assert not list(doubled(seen)), "the same address at another bridge is no fault"
        containers.append(container(host, "four", "172.17.0.5/16", bridge="br0"))
        (found,) = doubled(measured(pid=host.pid).seen)
        assert found.title == "several have the address 172.17.0.5 at br0"
        assert str(containers[0].pid) in found.subject
        assert str(containers[3].pid) in found.subject
        assert "arping" in found.means
        containers.append(container(host, "five", "172.17.0.1/16", bridge="br0"))
        titles = {one.title for one in doubled(measured(pid=host.pid).seen)}
        assert "several have the address 172.17.0.1 at br0" in titles
    finally:
        for one in containers:
            one.__exit__(None, None, None)


# ---------------------------------------------------------------------- the command
def command(namespace: Namespace, *words: str, code: int = 0) -> str:
    done = namespace.run([sys.executable, "-m", "policyc", "doctor", *words])
    assert done.code == code, done.err + done.out
    assert "Traceback" not in done.err
    return done.out


def test_what_grew_since_a_saved_measurement(host: Namespace, tmp_path) -> None:
    saved = str(tmp_path / "before.json")
    command(host, "--save", saved)
    assert command(host, "--before", saved).startswith("counted since") is False
    send(host, "203.0.113.9 10.0.0.9 17 1000 53")
    out = command(host, "--before", saved, code=1)
    assert "error[not-for-this-host]" in out
    assert "IpInAddrErrors +1" in out
    answer = json.loads(command(host, "--before", saved, "--format", "json", code=1))
    assert answer["symptoms"][0]["check"] == "not-for-this-host"
    assert command(host, "--before", saved, "--fail-on", "never")


def test_a_measurement_of_another_namespace_is_refused(host: Namespace, tmp_path) -> None:
    saved = tmp_path / "before.json"
    with Namespace() as other:
        saved.write_text(saved_text(measure(other)))
    command(host, "--before", str(saved), code=2)


def test_a_measurement_is_read_as_it_was_written(host: Namespace) -> None:
    now = measure(host)
    read = read_saved(Source("before.json", saved_text(now)))
    assert (read.boot, read.namespace, read.counters) == (now.boot, now.namespace, now.counters)
    comparable(read, now, "before.json")


def test_measuring_twice(host: Namespace) -> None:
    out = command(host, "--during", "0.2")
    assert "checks in 0." in out


def test_measuring_changes_nothing(host: Namespace) -> None:
    def state() -> str:
        return run(host, "ip addr; nft list ruleset; sysctl -a -r '^net[.]' 2>/dev/null | grep -v _count")

    before = state()
    command(host)
    assert state() == before


def test_without_privilege(host: Namespace) -> None:
    done = host.run(["setpriv", "--reuid", "65534", "--clear-groups", sys.executable, "-m", "policyc", "doctor"])
    assert done.code == 4, done.err
    assert "needs root" in done.err
