"""A small internet for kernel tests: hosts in network namespaces of their own, one of them the router a policy is for.

Every namespace lives as long as a process that holds it, so nothing stays behind, also when a test is killed. Wires are made
inside the namespaces: the root namespace has no rule, address or device of them at any time.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import program

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}
_SETTINGS = {
    "net/ipv4/ping_group_range": "0 2147483647",
    "net/ipv6/conf/all/accept_dad": "0",  # addresses can be used at once
    "net/ipv6/conf/default/accept_dad": "0",
    "net/ipv4/icmp_ratelimit": "0",
    "net/ipv6/icmp/ratelimit": "0",
}


class Host:
    """A host of the test network. `addresses` are its own, without masks, loopback first."""

    def __init__(self, name: str, namespace: Namespace) -> None:
        self.name = name
        self.namespace = namespace
        self.addresses = ["127.0.0.1", "::1"]
        self._worker = ThreadPoolExecutor(1, name, lambda: _enter(namespace))
        for setting, value in _SETTINGS.items():
            self.set(setting, value)

    def __repr__(self) -> str:
        return self.name

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in this host's network; a socket that it makes stays there."""
        return self._worker.submit(function, *arguments).result()

    def run(self, *words: str, text: str = "") -> str:
        """Run a program there and return what it prints; a failure fails the test."""
        outcome = self.namespace.run([program(words[0], "iproute2"), *words[1:]], text)
        assert outcome.code == 0, f"{' '.join(words)}: {outcome.err}\n{text}"
        return outcome.out

    def ip(self, *lines: str) -> None:
        """Carry out lines of ip(8)."""
        self.run("ip", "-batch", "-", text="".join(f"{line}\n" for line in lines))

    def set(self, setting: str, value: str) -> None:
        """Write a setting of the network, `net/ipv4/ip_forward` or with dots."""
        path = Path("/proc/sys") / (setting if "/" in setting else setting.replace(".", "/"))
        self.call(path.write_text, value)

    def close(self) -> None:
        """Leave the namespace."""
        self._worker.shutdown()


@dataclass(frozen=True)
class Wire:
    """What hangs at one interface of the router: its own addresses there (with prefix, or none), and hosts with theirs.

    Two hosts and more are joined by a switch. A host's way out is the router's first address of each family. An address with
    the prefix 32 or 128 is one more of the host.
    """

    interface: str
    router: Sequence[str]
    hosts: dict[str, Sequence[str]]


@contextmanager
def network(*wires: Wire) -> Iterator[dict[str, Host]]:
    """Build the hosts of these wires and `router`, whose way out is the first host; all are gone at the end."""
    with ExitStack() as stack:

        def host(name: str) -> Host:
            made = Host(name, stack.enter_context(Namespace()))
            stack.callback(made.close)
            return made

        hosts = {"router": host("router")}
        router = hosts["router"]
        router.ip("link set lo up")
        for setting in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
            router.set(setting, "1")
        for wire in wires:
            ends = {name: host(name) for name in wire.hosts}
            hosts.update(ends)
            if len(ends) == 1:
                (only,) = ends.values()
                _connect(router, wire.interface, only, "eth0")
            else:
                switch = host("switch")
                switch.ip("link add br0 type bridge forward_delay 0", "link set br0 up")
                _connect(router, wire.interface, switch, "router")
                for name, end in ends.items():
                    _connect(end, "eth0", switch, name)
                for port in ("router", *ends):
                    switch.ip(f"link set {port} master br0")
            _address(router, wire.interface, wire.router)
            for name, addresses in wire.hosts.items():
                ends[name].ip("link set lo up")
                _address(ends[name], "eth0", addresses)
                _default(ends[name], wire.router)
        if wires[0].router:
            _default(router, next(iter(wires[0].hosts.values())))
        yield hosts


def _enter(namespace: Namespace) -> None:
    """Move the calling thread into a namespace, for good."""
    handle = os.open(f"/proc/{namespace.pid}/ns/net", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(handle)


def _connect(one: Host, interface: str, other: Host, far: str) -> None:
    one.ip(f"link add {interface} type veth peer name {far} netns {other.namespace.pid}", f"link set {interface} up")
    other.ip(f"link set {far} up")


def _address(host: Host, interface: str, addresses: Sequence[str]) -> None:
    # A single address belongs to the host, not to its network: on `lo` it is never chosen as a source by itself.
    single = {one for one in addresses if one.endswith(("/32", "/128"))}
    host.ip(*(f"address add {one} dev {'lo' if one in single else interface}" for one in addresses))
    host.addresses += [str(ip_interface(one).ip) for one in addresses]


def _default(host: Host, gateways: Sequence[str]) -> None:
    first: dict[int, str] = {}
    for one in gateways:
        address = ip_interface(one).ip
        first.setdefault(address.version, str(address))
    host.ip(*(f"route add {_EVERYWHERE[family]} via {address}" for family, address in first.items()))
