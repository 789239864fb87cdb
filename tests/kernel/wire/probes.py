"""Packets that a test sends, and what becomes of them, in one word or one line.

| outcome | what the sender saw |
|---|---|
| `10.0.0.5:80 from 192.0.2.10` | an answer: who answered, and whom that host took for the sender |
| `pong` | the answer to a ping |
| `reset` | a tcp reset |
| `icmp 3/13` | an ICMP (or ICMPv6) error of that type and code |
| `not permitted` | the sending host itself refused |
| `silence` | nothing |
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from topology import Host

SILENCE = "silence"
_LISTEN = 0.15  # seconds in which a wanted silence may be broken; answers inside one machine come within one or two
_PATIENCE = 5.0  # seconds after which a wanted answer is missed
_RECVERR = {socket.AF_INET: (socket.SOL_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}  # linux/in.h, in6.h
_ERRORS = {errno.ECONNREFUSED: "reset", errno.EPERM: "not permitted", errno.ENETUNREACH: "no route"}
_ECHO = {socket.AF_INET: (socket.IPPROTO_ICMP, 8), socket.AF_INET6: (socket.IPPROTO_ICMPV6, 128)}


@dataclass(frozen=True)
class Probe:
    """One connection or datagram from a host. `kind` is tcp, udp or ping; `source` an address of the host, "" for its choice.

    `sport` 0 is any port.
    """

    host: Host
    kind: str
    address: str
    port: int = 0
    source: str = ""
    sport: int = 0

    def __repr__(self) -> str:
        whence = f" from {self.source}" * bool(self.source) + f" sport {self.sport}" * bool(self.sport)
        return f"{self.host}: {self.kind} {self.address} {self.port or ''}{whence}"

    @property
    def family(self) -> socket.AddressFamily:
        """The socket family."""
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET


def tcp(host: Host, address: str, port: int, **more: str | int) -> Probe:
    """A tcp connection."""
    return Probe(host, "tcp", address, port, **more)


def udp(host: Host, address: str, port: int, **more: str | int) -> Probe:
    """A datagram that wants an answer."""
    return Probe(host, "udp", address, port, **more)


def ping(host: Host, address: str, **more: str | int) -> Probe:
    """An echo request."""
    return Probe(host, "ping", address, **more)


@dataclass
class Conversation:
    """A probe under way. `outcome` is "" while it is open; `sport` the port that the answering host saw."""

    probe: Probe
    socket: socket.socket = field(init=False)
    outcome: str = ""
    sport: int = 0

    def __post_init__(self) -> None:
        self.probe.host.call(self._start)

    def _start(self) -> None:
        probe = self.probe
        kind = socket.SOCK_STREAM if probe.kind == "tcp" else socket.SOCK_DGRAM
        protocol, echo = _ECHO[probe.family] if probe.kind == "ping" else (0, 0)
        self.socket = socket.socket(probe.family, kind, protocol)
        self.socket.setblocking(False)
        self.socket.setsockopt(*_RECVERR[probe.family], 1)
        try:
            if probe.source or probe.sport:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self.socket.bind((probe.source, probe.sport))
            code = self.socket.connect_ex((probe.address, probe.port))
            if code not in {0, errno.EINPROGRESS}:
                raise OSError(code, "connect")
            if probe.kind != "tcp":
                self.socket.send(struct.pack("!BBHHH", echo, 0, 0, 0, 1) if echo else b"who are you?")
        except OSError as error:
            self.outcome = self._error() or _ERRORS.get(error.errno or 0, str(error))

    def hear(self) -> None:
        """Take what has come: an answer or an error."""
        error = self._error()
        if not error:
            try:
                data = self.socket.recv(2048)
            except BlockingIOError:
                return
            except OSError as problem:
                error = _ERRORS.get(problem.errno or 0, str(problem))
        if error:
            self.outcome = error
        elif self.probe.kind == "ping":
            self.outcome = "pong"
        else:
            answer, _, port = data.decode().rpartition(" ")
            self.outcome, self.sport = answer or "closed", int(port or 0)

    def say(self, text: str, wanted: str = "") -> str:
        """Say something in an open tcp connection and return what comes back; a `wanted` silence is soon believed."""
        self.socket.send(text.encode())
        ready, _, _ = select.select([self.socket], [], [], _LISTEN if wanted == SILENCE else _PATIENCE)
        return self.socket.recv(2048).decode() if ready else SILENCE

    def _error(self) -> str:
        """Return the ICMP error that the kernel has queued, "" for none."""
        try:
            _, control, _, _ = self.socket.recvmsg(1, 512, socket.MSG_ERRQUEUE)
        except OSError:
            return ""
        for level, kind, data in control:
            if (level, kind) == _RECVERR[self.probe.family]:
                _, origin, number, code = struct.unpack_from("IBBB", data)
                return f"icmp {number}/{code}" if origin in {2, 3} else ""  # SO_EE_ORIGIN_ICMP, ICMP6
        return ""


def hold(probe: Probe) -> Conversation:
    """Begin a conversation and wait for its first answer; the caller closes its socket."""
    conversation = Conversation(probe)
    _listen([conversation], lambda _: False)
    return conversation


def outcome(probe: Probe) -> str:
    """Send one probe and wait long for what becomes of it."""
    return outcomes([probe])[probe]


def outcomes(probes: Iterable[Probe]) -> dict[Probe, str]:
    """Send probes at once and wait long for what becomes of them."""
    return _ask(dict.fromkeys(probes, ""))


def expect_in_turn(probe: Probe, *wanted: str) -> None:
    """Send a probe again and again, and compare what becomes of each."""
    for number, one in enumerate(wanted, 1):
        assert (number, _ask({probe: one})[probe]) == (number, one)


def expect(wanted: Mapping[Probe, str]) -> None:
    """Send these probes at once and compare what becomes of them."""
    assert _ask(wanted) == wanted


def _ask(wanted: Mapping[Probe, str]) -> dict[Probe, str]:
    conversations = [Conversation(probe) for probe in wanted]
    try:
        _listen(conversations, lambda one: wanted[one.probe] == SILENCE)
        return {one.probe: one.outcome or SILENCE for one in conversations}
    finally:
        for one in conversations:
            one.socket.close()


def _listen(conversations: Iterable[Conversation], silent: Callable[[Conversation], bool]) -> None:
    """Hear all conversations until each has an outcome; the silent ones are waited for only a little."""
    start = time.monotonic()
    poll = select.poll()
    opened = {one.socket.fileno(): one for one in conversations if not one.outcome}
    for handle in opened:
        poll.register(handle, select.POLLIN)
    while opened:
        passed = time.monotonic() - start
        left = (_LISTEN if all(silent(one) for one in opened.values()) else _PATIENCE) - passed
        if left <= 0:
            return
        for handle, _ in poll.poll(left * 1000):
            opened[handle].hear()
            if opened[handle].outcome:
                poll.unregister(handle)
                del opened[handle]
