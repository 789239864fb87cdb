"""What compiled policies do to real connections: a client and a server with a router between them that runs the policy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from policyc import api
from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import program

IP = "ip"
SERVER = """
import socket, sys
listeners = [socket.create_server((sys.argv[1], int(port))) for port in sys.argv[2:]]
for listener in listeners: listener.settimeout(0.05)
print("ready", flush=True)
while True:
    for listener in listeners:
        try: connection, peer = listener.accept()
        except TimeoutError: continue
        with connection: connection.sendall(f"{peer[0]} {listener.getsockname()[1]}".encode())
"""
CLIENT = """
import socket, sys
source, host, port = sys.argv[1:]
try:
    with socket.create_connection((host, int(port)), 0.6, (source, 0) if source else None) as s: print(s.recv(99).decode())
except TimeoutError: print("timeout")
except OSError as error: print(error.strerror)
"""


class Network:
    """`client` 192.0.2.10 and .11 - `router` 192.0.2.1 on eth0, 10.77.0.1 on eth1 - `server` 10.77.0.2."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.client, self.router, self.server = (stack.enter_context(Namespace()) for _ in range(3))
        for peer, name, inside, addresses in (
            (self.client, "eth0", "192.0.2.1/24", ("192.0.2.10/24", "192.0.2.11/24")),
            (self.server, "eth1", "10.77.0.1/24", ("10.77.0.2/24",)),
        ):
            self.ip(self.router, f"link add {name} type veth peer name wire netns {peer.pid}")
            self.ip(self.router, f"addr add {inside} dev {name}")
            self.ip(self.router, f"link set {name} up")
            for address in addresses:
                self.ip(peer, f"addr add {address} dev wire")
            self.ip(peer, "link set wire up")
            self.ip(peer, f"route add default via {inside.partition('/')[0]}")
        for namespace in (self.client, self.router, self.server):
            self.ip(namespace, "link set lo up")
        sysctl = "import pathlib; pathlib.Path('/proc/sys/net/ipv4/ip_forward').write_text('1')"
        assert self.router.run([sys.executable, "-c", sysctl]).err == ""

    @staticmethod
    def ip(namespace: Namespace, words: str) -> None:
        outcome = namespace.run([program(IP, "iproute2"), *words.split()])
        assert (outcome.code, outcome.err) == (0, ""), words

    def load(self, policy: str, backend: Backend) -> None:
        ruleset = api.load(policy)
        outcome = self.router.run([backend.tool(4, "restore")], api.iptables_save(ruleset, 4))
        assert (outcome.code, outcome.err) == (0, "")

    def serve(self, namespace: Namespace, address: str, *ports: int) -> None:
        words = [program("nsenter", "util-linux"), f"--net=/proc/{namespace.pid}/ns/net", sys.executable, "-c", SERVER]
        process = subprocess.Popen([*words, address, *map(str, ports)], stdout=subprocess.PIPE, text=True)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        assert process.stdout
        self.stack.callback(process.stdout.close)
        assert process.stdout.readline() == "ready\n"

    @staticmethod
    def connect(namespace: Namespace, host: str, port: int, source: str = "") -> str:
        return namespace.run([sys.executable, "-c", CLIENT, source, host, str(port)]).out.strip()


@contextmanager
def network() -> Iterator[Network]:
    with ExitStack() as stack:
        yield Network(stack)


HEAD = """
policy edge { ownership exclusive; family ip; default input drop, forward drop, output drop }
zone wan = interface eth0
zone lan = interface eth1 network 10.77.0.0/24
filter any -> self, any { use baseline }
filter self -> any { use baseline }
"""


@pytest.mark.parametrize("backend", list(Backend))
def test_publish(machine: None, backend: Backend) -> None:
    policy = f"""{HEAD}
    filter self -> any {{ accept tcp/80 to 10.77.0.2 }}
    publish wan -> self tcp/8080 becomes 10.77.0.2:80 hairpin lan, self as site
    publish wan -> self tcp/8443 from 192.0.2.11 becomes 10.77.0.2:443 as ui
    filter wan -> lan {{ otherwise accept }}
    """
    with network() as net:
        net.load(policy, backend)
        net.serve(net.server, "10.77.0.2", 80, 443, 81)
        assert net.connect(net.client, "192.0.2.1", 8080) == "192.0.2.10 80"
        assert net.connect(net.client, "10.77.0.2", 80) == "timeout"  # around the translation
        assert net.connect(net.client, "10.77.0.2", 81) == "192.0.2.10 81"  # what is not published goes on
        assert net.connect(net.client, "192.0.2.1", 8443) == "timeout"
        assert net.connect(net.client, "192.0.2.1", 8443, "192.0.2.11") == "192.0.2.11 443"
        assert net.connect(net.client, "10.77.0.2", 443, "192.0.2.11") == "timeout"
        assert net.connect(net.server, "192.0.2.1", 8080) == "10.77.0.1 80"  # hairpin
        assert net.connect(net.router, "192.0.2.1", 8080) in {"192.0.2.1 80", "10.77.0.1 80"}
        assert net.connect(net.server, "192.0.2.1", 8443) == "timeout"


@pytest.mark.parametrize("backend", list(Backend))
def test_blocks_in_written_order(machine: None, backend: Backend) -> None:
    policy = f"""{HEAD}
    filter wan -> lan {{ drop tcp/80; return tcp/81, tcp/82 from not 192.0.2.10, 192.0.2.12; accept tcp/80-83 }}
    filter any -> lan {{ accept tcp/80 ; reject tcp/81 with tcp-reset }}
    """
    with network() as net:
        net.load(policy, backend)
        net.serve(net.server, "10.77.0.2", 80, 81, 82, 83)
        assert net.connect(net.client, "10.77.0.2", 80) == "timeout"
        assert net.connect(net.client, "10.77.0.2", 81) == "192.0.2.10 81"
        assert net.connect(net.client, "10.77.0.2", 81, "192.0.2.11") == "Connection refused"
        assert net.connect(net.client, "10.77.0.2", 82, "192.0.2.11") == "timeout"
        assert net.connect(net.client, "10.77.0.2", 83, "192.0.2.11") == "192.0.2.11 83"


@pytest.mark.parametrize("backend", list(Backend))
def test_translations(machine: None, backend: Backend) -> None:
    policy = f"""{HEAD}
    filter wan -> lan {{ accept published tcp/2222, tcp/2223; drop tcp/80 }}
    filter lan -> wan {{ accept tcp }}
    filter lan -> self {{ accept tcp/3128 }}
    nat wan -> self {{ dnat tcp/2222 becomes 10.77.0.2:80; dnat tcp/2223 becomes 10.77.0.2:80, 10.77.0.2:81 balance nth }}
    nat lan -> wan {{ otherwise masquerade }}
    nat lan -> any {{ redirect tcp/8000 becomes :3128 }}
    """
    with network() as net:
        net.load(policy, backend)
        net.serve(net.server, "10.77.0.2", 80, 81)
        net.serve(net.client, "192.0.2.10", 80, 8000)
        net.serve(net.router, "10.77.0.1", 3128)
        assert net.connect(net.client, "192.0.2.1", 2222) == "192.0.2.10 80"
        assert net.connect(net.client, "10.77.0.2", 80) == "timeout"
        answers = {net.connect(net.client, "192.0.2.1", 2223) for _ in range(2)}
        assert answers == {"192.0.2.10 80", "192.0.2.10 81"}
        assert net.connect(net.server, "192.0.2.10", 80) == "192.0.2.1 80"
        assert net.connect(net.server, "192.0.2.10", 8000) == "10.77.0.2 3128"
