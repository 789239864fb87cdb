"""Host ports as the daemon gives them out: the one that was asked for, the first free of a range, or the next of all.

Source: libnetwork/portallocator; the range of ports that nobody asked for is net.ipv4.ip_local_port_range of the kernel.
"""

from __future__ import annotations

from collections.abc import Sequence

from policyc.engines.docker.ports import Address
from policyc.frozen import frozen

_FIRST, _LAST = 32768, 60999


class PortTakenError(ValueError):
    """A host port that was asked for belongs to another container already."""


@frozen
class _Held:
    protocol: str
    host: Address
    port: int
    owner: str


class HostPorts:
    """The ports of the host that containers have."""

    def __init__(self) -> None:
        self._held: list[_Held] = []
        self._next: dict[str, int] = {}

    def take(self, owner: str, protocol: str, hosts: Sequence[Address], first: int, last: int) -> int:
        """Take one port on all addresses, from a range or, where it is 0, from all. Raises PortTakenError."""
        if first:
            candidates = range(first, last + 1)
            holder = ""
            for port in candidates:
                holder = self._holder(protocol, hosts, port)
                if not holder:
                    return self.hold(owner, protocol, hosts, port)
            which = f"the port {first}/{protocol} of the host is" if first == last else "all of the range are"
            raise PortTakenError(f"{which} taken by `{holder}`")
        start = self._next.get(protocol, _FIRST)
        span = _LAST - _FIRST + 1
        for step in range(span):
            port = _FIRST + (start - _FIRST + step) % span
            if not self._holder(protocol, hosts, port):
                self._next[protocol] = port + 1
                return self.hold(owner, protocol, hosts, port)
        raise PortTakenError("the host has no free port left")

    def release(self, owner: str) -> None:
        """Give back all ports of a container."""
        self._held = [held for held in self._held if held.owner != owner]

    def hold(self, owner: str, protocol: str, hosts: Sequence[Address], port: int) -> int:
        """Note that somebody has a port on all addresses, and return it."""
        self._held.extend(_Held(protocol, host, port, owner) for host in hosts)
        return port

    def _holder(self, protocol: str, hosts: Sequence[Address], port: int) -> str:
        """Return who has a port on one of the addresses, or on all of their family."""
        for held in self._held:
            if held.protocol == protocol and held.port == port and any(_meet(held.host, host) for host in hosts):
                return held.owner
        return ""


def _meet(one: Address, other: Address) -> bool:
    return one.version == other.version and (one == other or one.is_unspecified or other.is_unspecified)
