"""What `-m addrtype` calls an address, and what MASQUERADE and REDIRECT write: asked of rules that count real packets."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection

import pytest
from host_in_namespace import make
from test_host_routes import ADDRESSES, ADDRESSES_V6, ON, ipv4, ipv6

from policyc import api
from policyc.host.address_types import address_types
from policyc.host.fib import Fib
from policyc.kernel.namespace import Namespace
from policyc.net.addresses import parse_address
from policyc.netfilter.predicate import All, In, Predicate
from policyc.readers.topology import host_of_topology

TYPES = {4: ("UNICAST", "LOCAL", "BROADCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT"),
         6: ("UNSPEC", "UNICAST", "LOCAL", "ANYCAST", "MULTICAST", "UNREACHABLE", "UNICAST,LOCAL", "MULTICAST,LOCAL",
             "LOCAL,UNREACHABLE", "UNICAST,ANYCAST,LOCAL", "MULTICAST,UNICAST")}  # fmt: skip
FAR = {4: "8.8.8.8", 6: "2606:4700::1"}

# A raw socket writes the IP header itself, so that any source can be tried.
SENDER = """
import ipaddress, socket, struct, sys
for text in sys.argv[2:]:
    one, far = ipaddress.ip_address(text), ipaddress.ip_address(sys.argv[1])
    if one.version == 4:
        s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        head = struct.pack("!BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 253, 0)
    else:
        s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
        s.setsockopt(socket.IPPROTO_IPV6, 36, 1)
        head = struct.pack("!IHBB", 6 << 28, 8, 253, 64)
    s.sendto(head + one.packed + far.packed + bytes(8), (str(far), 0))
"""


def counted(namespace: Namespace, family: int, rules: list[str], addresses: list[str]) -> list[bool]:
    """Load rules in raw OUTPUT, send a packet from each address, say which rules matched."""
    program = "iptables" if family == 4 else "ip6tables"
    text = "*raw\n:OUTPUT ACCEPT [0:0]\n" + "".join(f"-A OUTPUT {rule}\n" for rule in rules) + "COMMIT\n"
    loaded = namespace.run([f"{program}-legacy-restore"], text)
    assert loaded.code == 0, loaded.err
    sent = namespace.run([sys.executable, "-c", SENDER, FAR[family], *addresses])
    assert sent.code == 0, sent.err
    saved = namespace.run([f"{program}-legacy-save", "-c", "-t", "raw"]).out
    return [count != "0" for count in re.findall(r"^\[(\d+):\d+\] -A", saved, re.MULTILINE)]


def meaning(rule: str, family: int) -> Predicate:
    loaded = api.load(f"*raw\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT {rule}\nCOMMIT\n", family=family)
    ((_, _, _, found),) = loaded.rules()
    return found.predicate(family)


def holds(node: Predicate, types: Collection[str]) -> bool:
    """Whether the test of types holds for an address that has these."""
    if isinstance(node, All):
        return all(holds(part, types) for part in node.parts)
    assert isinstance(node, In)
    return any(one in node.values for one in types)


@pytest.mark.parametrize("device", ["", "eth0"])
@pytest.mark.parametrize(("family", "forwarding"), [(4, 1), (6, 1), (6, 0)])
def test_types_of_addresses(namespace: Namespace, family: int, forwarding: int, device: str) -> None:
    topology = ipv4(ON) if family == 4 else ipv6(forwarding=forwarding)
    make(namespace, topology)
    fib = Fib(host_of_topology(topology, family=family))
    # The unset source is filled in by the kernel.
    addresses = [one for one in (ADDRESSES if family == 4 else [*ADDRESSES_V6, "ff02::1"]) if one != "0.0.0.0"]
    limit = " --limit-iface-out" if device else ""
    meanings = {name: meaning(f"-m addrtype --src-type {name}{limit}", family) for name in TYPES[family]}
    pairs = [(address, name) for address in addresses for name in TYPES[family]]
    rules = [f"-s {address} -m addrtype --src-type {name}{limit}" for address, name in pairs]
    matched = counted(namespace, family, rules, addresses)
    differing = []
    for (address, name), did in zip(pairs, matched, strict=True):
        types = address_types(fib, family, parse_address(address, family), device)
        if did is not holds(meanings[name], types):
            differing.append(
                (address, name, "the kernel matches" if did else "the kernel does not match", sorted(types))
            )
    assert not differing, "\n".join(map(str, differing))
