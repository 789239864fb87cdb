"""Netfilter's netlink: the trace of rules, copies of packets, the rules' handles, the connection table emptied.

Used inside the replica's namespaces and, to listen, by `policyc.kernel.tracing`. Sources:
include/uapi/linux/netfilter/nf_tables.h, nfnetlink_log.h, nfnetlink_conntrack.h.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

_NETFILTER = 12  # NETLINK_NETFILTER
_REQUEST, _ACK, _DUMP = 1, 4, 0x300
_DONE, _ERROR = 3, 2
_CONNTRACK, _ULOG, _NFTABLES = 1, 4, 10  # subsystems
_TRACE_GROUP = 9  # NFNLGRP_NFTRACE
_MSG_GETRULE, _MSG_GETGEN, _MSG_TRACE = 7, 16, 17
_CT_DELETE = 2
_BUFFER = 1 << 23
KINDS = {1: "policy", 2: "return", 3: "rule"}
_VERDICTS = {
    -1: "continue",
    -2: "continue",
    -3: "jump",
    -4: "goto",
    -5: "return",
    0: "drop",
    1: "accept",
    2: "stolen",
    3: "queue",
}

_STATES = {1: "INVALID", 2: "ESTABLISHED", 4: "RELATED", 8: "NEW", 64: "UNTRACKED"}  # NF_CT_STATE_*_BIT


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and value of each netlink attribute."""
    at = 0
    while at + 4 <= len(data):
        size, kind = struct.unpack_from("=HH", data, at)
        if size < 4:
            return
        yield kind & 0x3FFF, data[at + 4 : at + size]
        at += size + 3 & ~3


class Netlink:
    """A netlink socket in the namespace of whoever makes it."""

    def __init__(self, group: int = 0, buffer: int = _BUFFER) -> None:
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER)
        self.socket.setsockopt(socket.SOL_SOCKET, 33, buffer)  # SO_RCVBUFFORCE
        self.socket.bind((0, 0))
        if group:
            self.socket.setsockopt(270, 1, group)  # SOL_NETLINK, NETLINK_ADD_MEMBERSHIP
        self._number = 0

    def ask(
        self, subsystem: int, message: int, flags: int, family: int = 0, resource: int = 0, body: bytes = b""
    ) -> None:
        """Send a request."""
        self._number += 1
        payload = struct.pack("=BBH", family, 0, socket.htons(resource)) + body
        kind = subsystem << 8 | message
        head = struct.pack("=IHHII", 16 + len(payload), kind, _REQUEST | flags, self._number, 0)
        self.socket.send(head + payload)

    def messages(self, *, wait: bool) -> Iterator[tuple[int, int, bytes]]:
        """Yield type, family and attributes of messages: what is there, or with `wait` up to the end of an answer."""
        while True:
            try:
                data = self.socket.recv(1 << 18, 0 if wait else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            at = 0
            while at + 16 <= len(data):
                size, kind = struct.unpack_from("=IH", data, at)
                body = data[at + 16 : at + size]
                at += size + 3 & ~3
                if kind == _DONE and wait:
                    return
                if kind == _ERROR:
                    (code,) = struct.unpack_from("=i", body)
                    if code:
                        raise OSError(-code, os.strerror(-code))
                    if wait:
                        return
                elif kind > 15:
                    yield kind, body[0], body[4:]

    def settled(self) -> None:
        """Wait for the answer to a request with `_ACK`."""
        for _ in self.messages(wait=True):
            pass


class TraceSocket(Netlink):
    """The events of nftrace."""

    def __init__(self, buffer: int = _BUFFER) -> None:
        super().__init__(_TRACE_GROUP, buffer)

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the events that are there: family, table, chain, kind, handle, verdict, target, mark, id, headers.

        `iif` and `oif` are indices of interfaces, 0 for none; `state` is that of conntrack, "" where the kernel (before
        Linux 6.16) does not tell it.
        """
        for kind, family, body in self.messages(wait=False):
            if kind & 255 == _MSG_TRACE:
                yield _event(family, dict(attributes(body)))


def _event(family: int, given: dict[int, bytes]) -> dict[str, Any]:
    verdict, target = "", ""
    if 5 in given:
        inner = dict(attributes(given[5]))
        (code,) = struct.unpack("!i", inner[1])
        # A verdict of netfilter may carry an errno in its upper half.
        verdict = _VERDICTS.get(code, _VERDICTS.get(code & 0xFF, str(code)))
        target = _text(inner.get(2, b""))
    elif 16 in given:
        verdict = _VERDICTS[struct.unpack("!i", given[16])[0]]
    return {
        "family": {2: 4, 10: 6}.get(family, family), "table": _text(given.get(1, b"")), "chain": _text(given.get(2, b"")),
        "kind": KINDS.get(struct.unpack("!I", given[4])[0], ""),
        "handle": struct.unpack("!Q", given[3])[0] if 3 in given else 0, "verdict": verdict, "target": target,
        "mark": struct.unpack("!I", given[14])[0] if 14 in given else 0,
        "id": struct.unpack("!I", given[6])[0], "packet": (given[8] + given.get(9, b"")).hex() if 8 in given else "",
        "iif": struct.unpack("!I", given[10])[0] if 10 in given else 0,
        "oif": struct.unpack("!I", given[12])[0] if 12 in given else 0,
        "state": _STATES.get(struct.unpack("!I", given[21])[0], "") if 21 in given else "",
    }  # fmt: skip


class CopySocket(Netlink):
    """The copies of packets that `log group` and the trace of legacy tables make."""

    def __init__(self, *groups: int) -> None:
        super().__init__()
        for group in groups:
            self.ask(_ULOG, 1, _ACK, resource=group, body=struct.pack("=HHB3x", 5, 1, 1))  # NFULA_CFG_CMD: bind
            self.settled()
            mode = (
                struct.pack("=HH", 10, 2) + struct.pack("!IBx", 0xFFFF, 2) + bytes(2)
            )  # NFULA_CFG_MODE: whole packets
            self.ask(_ULOG, 1, _ACK, resource=group, body=mode)
            self.settled()

    def copies(self) -> Iterator[dict[str, Any]]:
        """Yield the copies that are there: family, prefix, packet, mark, indices of the interfaces."""
        for _, family, body in self.messages(wait=False):
            given = dict(attributes(body))
            numbers = {name: struct.unpack("!I", given[at])[0] if at in given else 0 for name, at in _NUMBERS.items()}
            yield {
                "family": {2: 4, 10: 6}.get(family, family), "prefix": _text(given.get(10, b"")),
                "packet": given.get(9, b"").hex(), **numbers,
            }  # fmt: skip


_NUMBERS = {"mark": 2, "iif": 4, "oif": 5}


def rule_numbers() -> list[tuple[int, str, str, int, int]]:
    """Return family, table, chain, handle and number within its chain of each rule that nf_tables holds."""
    asking = Netlink()
    asking.ask(_NFTABLES, _MSG_GETRULE, _DUMP)
    found: list[tuple[int, str, str, int, int]] = []
    counts: dict[tuple[int, str, str], int] = {}
    for _, family, body in asking.messages(wait=True):
        given = dict(attributes(body))
        key = {2: 4, 10: 6}.get(family, family), _text(given[1]), _text(given[2])
        counts[key] = counts.get(key, 0) + 1
        found.append((*key, struct.unpack("!Q", given[3])[0], counts[key]))
    return found


def generation() -> int:
    """Return the number of the last change that nf_tables has seen in this namespace."""
    asking = Netlink()
    asking.ask(_NFTABLES, _MSG_GETGEN, _ACK)
    with contextlib.closing(asking.socket):
        (body,) = (body for _, _, body in asking.messages(wait=True))
    (number,) = struct.unpack("!I", dict(attributes(body))[1])
    return int(number)


def forget_connections() -> None:
    """Empty the connection table of this namespace."""
    asking = Netlink()
    asking.ask(_CONNTRACK, _CT_DELETE, _ACK)
    with contextlib.closing(asking.socket):
        asking.settled()


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode(errors="replace")
