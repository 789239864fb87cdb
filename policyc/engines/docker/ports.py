"""Published ports: the words of `-p` understood, and the order in which a release programs them.

Source: nat.ParsePortSpec and nat.SortPortMap of docker/go-connections; cmpPortBinding of moby's bridge driver.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address

from policyc.engines.docker.versions import PortOrder
from policyc.frozen import frozen

Address = IPv4Address | IPv6Address
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
_MOST_PORTS = 65535


@frozen
class Port:
    """A port of a container; `protocol` is one of PROTOCOLS."""

    number: int
    protocol: str = "tcp"

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


class PortError(ValueError):
    """Words that are no published port; `start` and `end` say which of their characters are wrong."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


@frozen
class Publish:
    """A port of a container with the host ports that it may get: `first` to `last`, both 0 where the engine chooses.

    `host` is the address of the host that it is bound to, None where nobody said.
    """

    port: Port
    first: int = 0
    last: int = 0
    host: Address | None = None

    @property
    def is_exact(self) -> bool:
        """Whether it names one host port."""
        return self.first != 0 and self.first == self.last


@frozen
class Binding:
    """A published port as it is bound: on `host_port` of `host`, 0 where it is routed, for the container's address."""

    port: Port
    container: Address
    host: Address
    host_port: int

    @property
    def family(self) -> int:
        """The family of the container's address, whose tables hold the rules."""
        return self.container.version


def read_port(text: str, at: int = 0) -> list[Port]:
    """Understand `80`, `80-85/udp`: the words of `--expose`, which begin at `at`. Raises PortError with what is wrong."""
    numbers, slash, protocol = text.partition("/")
    protocol = protocol.lower() if slash else "tcp"
    if protocol not in PROTOCOLS:
        message = f"`{protocol}` is no protocol of a published port; it is tcp, udp or sctp"
        raise PortError(message, at + len(numbers) + 1, at + len(text))
    first, last = _range(numbers, at)
    return [Port(number, protocol) for number in range(first, last + 1)]


def read_publish(text: str) -> list[Publish]:
    """Understand `[[ADDRESS:]HOST[-HOST]:]CONTAINER[-CONTAINER][/PROTOCOL]`. Raises PortError with what is wrong."""
    head, _, inner = text.rpartition(":")
    address, _, outer = head.rpartition(":")
    ports = read_port(inner, len(text) - len(inner))
    host = _address(address) if address else None
    if not outer:
        return [Publish(port, host=host) for port in ports]
    first, last = _range(outer, len(head) - len(outer))
    if len(ports) == 1:
        return [Publish(ports[0], first, last, host)]
    if last - first != len(ports) - 1:
        message = f"`{outer}` and `{inner}` are ranges of different lengths"
        raise PortError(message, len(head) - len(outer), len(text))
    return [Publish(port, first + i, first + i, host) for i, port in enumerate(ports)]


def _address(text: str) -> Address:
    inside = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return ip_address(inside)
    except ValueError:
        message = f"`{text}` is no address of the host; a published port is bound to addresses"
        raise PortError(message, 0, len(text)) from None


def _range(text: str, at: int) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    words = (first, last) if dash else (first, first)
    if not all(word.isascii() and word.isdecimal() and 0 < int(word) <= _MOST_PORTS for word in words):
        message = f"`{text}` is no port or range of ports from 1 to {_MOST_PORTS}"
        raise PortError(message, at, at + len(text))
    if int(words[0]) > int(words[1]):
        raise PortError(f"the range `{text}` ends before it begins", at, at + len(text))
    return int(words[0]), int(words[1])


def in_order(published: Iterable[Publish], order: PortOrder) -> list[Publish]:
    """Return published ports in the order in which the release's daemon takes them up."""
    if order is PortOrder.DESCENDING:
        return _descending(sorted(published, key=lambda p: (p.port.number, p.port.protocol)))
    return sorted(published, key=ascending)


def ascending(publish: Publish) -> tuple[bool, int, int, int, int, tuple[int, int]]:
    """Return the key by which 27 and later sort."""
    host = (0, 0) if publish.host is None else (publish.host.version, int(publish.host))
    protocol = PROTOCOLS[publish.port.protocol]
    return (not publish.is_exact, publish.port.number, protocol, publish.first, publish.last, host)


def _descending(published: Sequence[Publish]) -> list[Publish]:
    """Sort as nat.SortPortMap does: its comparison is no order, so the steps of Go's insertion sort are part of it.

    Its input is a map of Go, in random order; where the comparison contradicts itself, two runs of Docker differ.
    """
    entries = list(published)
    for end in range(1, len(entries)):
        at = end
        while at > 0 and _goes_first(entries[at], entries[at - 1]):
            entries[at], entries[at - 1] = entries[at - 1], entries[at]
            at -= 1
    ports = dict.fromkeys(entry.port for entry in entries)
    return [entry for port in ports for entry in entries if entry.port == port]


def _goes_first(one: Publish, other: Publish) -> bool:
    return (
        one.first > other.first
        or one.port.number > other.port.number
        or (one.port.number == other.port.number and one.port.protocol == "tcp")
    )


def bound_to(publish: Publish, host: Address) -> Publish:
    """Return a published port with the address that it gets."""
    return replace(publish, host=host)
