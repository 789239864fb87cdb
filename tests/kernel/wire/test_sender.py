"""What `sender_views` says a program sees is what a program sees: every REJECT, every route that refuses, every drop.

    client 10.0.0.1 --- eth0 gate 10.0.0.2, with one more address for each row

TCP, connected and unconnected UDP sockets and pings ask each row; the answers are compared with those of the simulator.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from topology import Host, Wire, network

from policyc.explanation.sender import Seen, SenderView, sender_views
from policyc.net.addresses import parse_address
from policyc.net.headers import Headers
from policyc.readers.save import read_save
from policyc.readers.topology import host_of_topology
from policyc.simulation.headers import packet_of
from policyc.simulation.packet import Packet
from policyc.simulation.state import State
from policyc.simulation.walk import Simulation
from policyc.source import Source

PORT = 9
QUIET, PATIENT = (
    0.15,
    2.0,
)  # seconds of silence after which nothing more is awaited: at first, and where it differs from ours
REJECTS = {
    4: ["icmp-net-unreachable", "icmp-host-unreachable", "icmp-proto-unreachable", "icmp-port-unreachable",
        "icmp-net-prohibited", "icmp-host-prohibited", "icmp-admin-prohibited"],
    6: ["icmp6-no-route", "icmp6-adm-prohibited", "icmp6-addr-unreachable", "icmp6-port-unreachable",
        "icmp6-policy-fail", "icmp6-reject-route"],
}  # fmt: skip
FAMILIES = pytest.mark.parametrize("family", [4, 6])


@dataclass(frozen=True)
class Row:
    """An address to ask, and what the rules of the host in question do with packets to it."""

    name: str
    address: str
    rules: tuple[str, ...] = ()


def address(family: int, number: int, net: int = 0) -> str:
    return f"10.0.{net}.{number}" if family == 4 else f"fd00:{net:x}::{number:x}"


@pytest.fixture
def hosts(machine: None) -> Iterator[dict[str, Host]]:
    wire = Wire("eth0", ["10.0.0.2/24", "fd00:0::2/64"], {"client": ["10.0.0.1/24", "fd00:0::1/64"]})
    with network(wire) as found:
        for host in found.values():
            host.set("net.ipv4.tcp_syn_retries", "1")  # IPv6 looks at the first answer only with the second SYN
            host.set("net.ipv4.tcp_syn_linear_timeouts", "0")
            # The router has its destinations on the client's link and would, now and then, send the client there itself.
            host.set("net.ipv6.conf.all.accept_redirects", "0")
            host.set("net.ipv6.conf.eth0.accept_redirects", "0")
        yield found


# ---------------------------------------------------------------------- the kernel
def name_of(error: OSError) -> str:
    return errno.errorcode[error.errno or 0]


def connecting(family: int, to: str, found: dict[str, list[str]]) -> None:
    with socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_STREAM) as one:
        try:
            one.connect((to, PORT))
            found[to] = ["connected"]
        except OSError as error:
            found[to] = [name_of(error)]


def tcp(family: int, addresses: list[str]) -> dict[str, list[str]]:
    """What connect() says, for all at once."""
    found: dict[str, list[str]] = {}
    waiting = [threading.Thread(target=connecting, args=(family, to, found)) for to in addresses]
    for one in waiting:
        one.start()
    for one in waiting:
        one.join()
    return found


def udp(family: int, addresses: list[str], connect: bool, quiet: float = QUIET) -> dict[str, list[str]]:
    """What the calls of a UDP socket say, one after the other."""
    found: dict[str, list[str]] = {}
    for to in addresses:
        with socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as one:
            one.settimeout(quiet)
            said = found.setdefault(to, [])
            try:
                if connect:
                    one.connect((to, PORT))
            except OSError as error:
                said.append(name_of(error))
                continue
            for call in (
                lambda one=one, to=to: one.send(b"x") if connect else one.sendto(b"x", (to, PORT)),
                lambda one=one: one.recv(9),
            ):
                try:
                    call()
                except TimeoutError:
                    pass
                except OSError as error:
                    said.append(name_of(error))
    return found


def ping(family: int, addresses: list[str], kind: socket.SocketKind, quiet: float = QUIET) -> dict[str, list[str]]:
    """What a ping says that asks for errors, as ping(8) does: the errno of sending, then that of the ICMP error."""
    found: dict[str, list[str]] = {}
    level, option, proto, echo = (socket.SOL_IP, 11, 1, 8) if family == 4 else (socket.IPPROTO_IPV6, 25, 58, 128)
    for to in addresses:
        with socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, kind, proto) as one:
            one.setsockopt(level, option, 1)
            said = found.setdefault(to, [])
            body = struct.pack("!BBHHH", echo, 0, 0, 1, 1) + bytes(8)
            if family == 4:
                total = sum(struct.unpack("!8H", body))
                body = body[:2] + struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) + body[4:]
            try:
                one.sendto(body, (to, 0))
            except OSError as error:
                said.append(name_of(error))
                continue
            poll = select.poll()
            poll.register(one, select.POLLERR)
            if not poll.poll(quiet * 1000):
                continue
            _, control, _, _ = one.recvmsg(1000, 1000, socket.MSG_ERRQUEUE)
            for _, _, data in control:
                said.append(errno.errorcode[struct.unpack_from("I", data)[0]])
    return found


# ---------------------------------------------------------------------- the simulator
@dataclass(frozen=True)
class Case:
    """One host with rules for all rows; `local`: it sends the packets itself."""

    family: int
    rows: list[Row]
    topology: dict[str, object]
    local: bool = False
    ttl: int = 64

    @property
    def text(self) -> str:
        rules = [rule for row in self.rows for rule in row.rules]
        return "\n".join(
            ["*filter", *(f":{chain} ACCEPT [0:0]" for chain in ("INPUT", "FORWARD", "OUTPUT")), *rules, "COMMIT", ""]
        )

    def views(self, proto: int, to: str) -> tuple[SenderView, ...]:
        host = host_of_topology(self.topology, family=self.family)
        sent = self.packet(proto, to)
        simulation = Simulation(read_save(Source("rules", self.text), self.family), State.of(host))
        return sender_views(simulation.walk(sent.copy()), sent, host.sysctls)

    def packet(self, proto: int, to: str) -> Packet:
        more = (
            {"sport": 40000, "dport": PORT}
            if proto in {6, 17}
            else {"icmp": 0x800 if self.family == 4 else 0x8000, "icmp_id": 1}
        )
        source = parse_address(address(self.family, 1), self.family)
        packet = packet_of(Headers(self.family, source, parse_address(to, self.family), proto, ttl=self.ttl, **more))
        packet.outgoing, packet.iif = self.local, None if self.local else "eth0"
        return packet

    def compare(self, hosts: dict[str, Host]) -> None:
        """Load the rules where they belong, ask every row with every kind of program, and compare."""
        ruled = hosts["client" if self.local else "router"]
        done = ruled.namespace.run([f"{'iptables' if self.family == 4 else 'ip6tables'}-nft-restore"], self.text)
        assert done.code == 0, done.err
        client, asked = hosts["client"], [row.address for row in self.rows]
        icmp = 1 if self.family == 4 else 58
        answers = [
            (6, ("connect()",), tcp, ()),
            (17, ("a UDP socket", "a connected UDP socket"), udp, (True,)),
            (17, ("a UDP socket", "a UDP socket without connect()"), udp, (False,)),
            (icmp, ("ping",), ping, (socket.SOCK_RAW,)),
            (icmp, ("ping", "ping without root"), ping, (socket.SOCK_DGRAM,)),
        ]  # fmt: skip
        differing = []
        for proto, programs, ask, how in answers:
            kernel = client.call(ask, self.family, asked, *how)
            for row in self.rows:
                mine = [one for one in self.views(proto, row.address) if one.program in programs]
                # What the last of these programs sees is what it sees, where the others see more.
                ours = [one.errno for one in (mine[-1:] if "ping without root" in programs else mine) if one.errno]
                said = kernel[row.address]
                if ours != said and ask is not tcp:  # a busy machine answers late
                    said = client.call(ask, self.family, [row.address], *how, PATIENT)[row.address]
                if ours != said:
                    differing.append((row.name, programs[-1], "kernel", said, "ours", ours))
        assert not differing, "\n".join(map(str, differing))


def gate(**more: object) -> dict[str, object]:
    addresses = [f"{address(family, 2)}/{24 if family == 4 else 64}" for family in (4, 6)]
    sysctls = {"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"}
    return {"interfaces": [{"name": "eth0", "addrs": addresses}], "sysctls": sysctls, **more}


def client(family: int, routes: list[dict[str, str]]) -> dict[str, object]:
    addresses = [f"{address(each, 1)}/{24 if each == 4 else 64}" for each in (4, 6)]
    default = {"dst": "default", "via": address(family, 2), "dev": "eth0"}
    sysctls = {"net.ipv4.tcp_syn_retries": "1", "net.ipv4.tcp_syn_linear_timeouts": "0"}
    return {"interfaces": [{"name": "eth0", "addrs": addresses}], "routes": [default, *routes], "sysctls": sysctls}


# ---------------------------------------------------------------------- the rows
def refusing(family: int, chain: str) -> list[Row]:
    """One row for each REJECT, one for DROP, one whose answer is dropped too."""
    rows = []
    for number, kind in enumerate([*REJECTS[family], "tcp-reset", "DROP", "silenced"], 101):
        to = address(family, number)
        rule = f"-A {chain} -d {to}"
        if kind == "DROP":
            rules = [f"{rule} -j DROP"]
        elif kind == "tcp-reset":
            rules = [f"{rule} -p tcp -j REJECT --reject-with tcp-reset", f"{rule} -j DROP"]
        elif kind == "silenced":
            rules = [f"{rule} -j REJECT", f"-A OUTPUT -s {to} -j DROP", f"-A OUTPUT -s {to} -p tcp -j DROP"]
        else:
            rules = [f"{rule} -j REJECT --reject-with {kind}"]
        rows.append(Row(kind, to, tuple(rules)))
    return rows


@FAMILIES
def test_refused_by_rules_of_the_receiver(hosts: dict[str, Host], family: int) -> None:
    rows = refusing(family, "INPUT")
    hosts["router"].ip(*(f"address add {row.address}/{32 if family == 4 else 128} dev eth0" for row in rows))
    topology = gate()
    topology["interfaces"][0]["addrs"] += [f"{row.address}/{32 if family == 4 else 128}" for row in rows]  # type: ignore[index]
    Case(family, rows, topology).compare(hosts)


@FAMILIES
def test_refused_by_rules_of_a_router(hosts: dict[str, Host], family: int) -> None:
    rows = [Row(row.name, row.address.replace("10.0.0.", "10.0.7.").replace("fd00:0:", "fd00:7:"), tuple(
        rule.replace("10.0.0.", "10.0.7.").replace("fd00:0:", "fd00:7:") for rule in row.rules)) for row in refusing(family, "FORWARD")
        if row.name != "silenced"]  # fmt: skip
    net = address(family, 0, 7) + ("/24" if family == 4 else "/64")
    hosts["router"].ip(f"route add {net} dev eth0")
    Case(family, rows, gate(routes=[{"dst": net, "dev": "eth0"}])).compare(hosts)


@FAMILIES
def test_refused_by_rules_of_the_sender(hosts: dict[str, Host], family: int) -> None:
    rows = [row for row in refusing(family, "OUTPUT") if row.name != "silenced"]
    Case(family, rows, client(family, []), local=True).compare(hosts)


@FAMILIES
def test_an_answer_that_the_sender_itself_drops(hosts: dict[str, Host], family: int) -> None:
    to = address(family, 99)
    rules = (f"-A OUTPUT -d {to} -j REJECT", "-A INPUT -i lo -j DROP")
    Case(family, [Row("answer over lo", to, rules)], client(family, []), local=True).compare(hosts)


NOWHERE = ("unreachable", "prohibit", "blackhole")


@FAMILIES
@pytest.mark.parametrize("kind", [*NOWHERE, "none"])
def test_refused_by_a_route_of_a_router(hosts: dict[str, Host], family: int, kind: str) -> None:
    # A network of its own for each: the kernel tells one sender only five times in a row (error_burst of ip_error).
    net = address(family, 0, 11) + ("/24" if family == 4 else "/64")
    routes = [{"dst": net, "type": kind}] * (kind != "none")
    way_out = f"default via {address(family, 1)}"
    hosts["router"].ip(f"route del {way_out}", *(f"route add {kind} {net}" for _ in routes))
    Case(family, [Row(kind, address(family, 1, 11))], gate(routes=routes)).compare(hosts)


@FAMILIES
def test_refused_by_routes_of_the_sender(hosts: dict[str, Host], family: int) -> None:
    nets = {kind: address(family, 0, net) + ("/24" if family == 4 else "/64") for net, kind in enumerate(NOWHERE, 11)}
    hosts["client"].ip(*(f"route add {kind} {net}" for kind, net in nets.items()))
    rows = [Row(kind, address(family, 1, net)) for net, kind in enumerate(NOWHERE, 11)]
    Case(family, rows, client(family, [{"dst": net, "type": kind} for kind, net in nets.items()]), local=True).compare(
        hosts
    )


@FAMILIES
def test_too_many_hops(hosts: dict[str, Host], family: int) -> None:
    net = address(family, 0, 7) + ("/24" if family == 4 else "/64")
    hosts["router"].ip(f"route add {net} dev eth0")
    for name in ("net/ipv4/ip_default_ttl", "net/ipv6/conf/eth0/hop_limit"):
        hosts["client"].set(name, "1")
    case = Case(family, [Row("hops", address(family, 1, 7))], gate(routes=[{"dst": net, "dev": "eth0"}]), ttl=1)
    case.compare(hosts)
    assert case.views(6, case.rows[0].address)[0].kind is Seen.EXPIRED
