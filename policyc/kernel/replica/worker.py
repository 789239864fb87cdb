"""The process that is the replica: it makes two network namespaces, does what a plan says, and prints what it saw.

Started by `machine.carry_out` with the plan, JSON, on its standard input. The namespaces are its own and have no name, so
that nothing stays behind however it ends. One is the host, the other is everything outside it: each interface of the host
is one end of a veth pair, whose other end has the same name outside.

A packet is over when nothing more is seen of it after a frame that was sent later on the same processor has arrived:
packets that a veth device or the loopback delivers wait in one queue, the processor's backlog.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from policyc.kernel.replica import netlink

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_SENTINEL = 0x88B5  # EtherType for local experiments, IEEE 802
_ALL_FRAMES = 3
_OUTGOING = 4  # PACKET_OUTGOING
_SO_MARK, _SO_BINDTODEVICE, _RECEIVE_FORCED = 36, 25, 33
_NOT_PRIVILEGED = {errno.EPERM, errno.EACCES}
_HANDLES = "/proc/{}/fd/{}"

Shot = dict[str, Any]


class Refused(Exception):  # noqa: N818
    """The machine does not do what the plan says; the message is its reason."""


def main() -> None:
    """Read a plan, carry it out, print what was seen."""
    plan = json.load(sys.stdin)
    try:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        answer = _Worker(plan).run()
    except Refused as refused:
        answer = {"refused": str(refused)}
    except OSError as failed:
        kind = "not privileged" if failed.errno in _NOT_PRIVILEGED else "refused"
        answer = {kind: f"{failed.strerror or failed}"}
    json.dump(answer, sys.stdout)


class _Worker:
    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        self.outside = self.new_namespace()
        self.inside = self.new_namespace()
        self.senders: dict[tuple[int, int, int, str], socket.socket] = {}

    def run(self) -> dict[str, Any]:
        """Build, load, send."""
        plan = self.plan
        with ExitStack() as stack:
            for text in plan["watch"]:  # first: the kernel has the settings of conntrack only where somebody needs it
                self.tool([plan["nft"], "-f", "-"], text)
            self.build()
            for group in plan["groups"]:
                stack.enter_context(self.joined(*group))
            for words, text in plan["loads"]:
                self.tool(words, text)
            self.names = {socket.if_nametoindex(name): name for name in ("lo", *plan["interfaces"])}
            if plan["legacy"]:
                for family in (2, 10):
                    Path(f"/proc/sys/net/netfilter/nf_log/{family}").write_text("nfnetlink_log", encoding="ascii")
            self.trace = netlink.TraceSocket()
            self.copies = netlink.CopySocket(*plan["log_groups"])
            rules = netlink.rule_numbers()
            self.enter(self.outside)
            self.far = self.frames_socket()
            self.ends = {name: self.end(name) for name in plan["interfaces"]}
            self.bell = self.end("bell0"), self.end("bell1", _SENTINEL)
            self.bell[1].settimeout(5)
            self.enter(self.inside)
            self.settle()
            sightings = [self.shoot(shot) for shot in plan["shots"]]
        return {"sightings": sightings, "rules": rules}

    # ------------------------------------------------------------------ namespaces
    def new_namespace(self) -> int:
        if self.libc.unshare(_NEW_NETWORK):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return os.open("/proc/self/ns/net", os.O_RDONLY)

    def enter(self, namespace: int) -> None:
        if self.libc.setns(namespace, _NEW_NETWORK):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def tool(self, words: list[str], text: str) -> None:
        """Run a program with a text on its standard input; raise Refused where it fails."""
        done = subprocess.run(words, input=text, capture_output=True, text=True, check=False, errors="replace")
        if done.returncode:
            said = (done.stderr or done.stdout).strip() or f"exit status {done.returncode}"
            raise Refused(f"{Path(words[0]).name}: {said.splitlines()[0]}")

    def build(self) -> None:
        plan = self.plan
        outside = _HANDLES.format(os.getpid(), self.outside)
        self.enter(self.outside)
        for name, value in plan["outside_settings"]:
            self.set(name, value)
        self.enter(self.inside)
        for name, value in plan["first_settings"]:
            self.set(name, value)
        self.ip(line.replace("OUTSIDE", outside) for line in plan["links"])
        self.enter(self.outside)
        self.ip(plan["outside_links"])
        self.enter(self.inside)
        for name, value in plan["settings"]:
            self.set(name, value)
        for family, lines in plan["addresses"].items():
            self.ip(lines, f"-{family}")

    def ip(self, lines: Iterable[str], *options: str) -> None:
        self.tool([self.plan["ip"], *options, "-batch", "-"], "".join(f"{line}\n" for line in lines))

    def set(self, name: str, value: str) -> None:
        """Write a setting; raise Refused where this kernel does not take it."""
        path = Path("/proc/sys", *(part.replace("/", ".") for part in name.split(".")))
        try:
            if path.read_text(encoding="ascii").split() != value.split():
                path.write_text(value, encoding="ascii")
        except OSError as failed:
            raise Refused(f"the setting {name} cannot be `{value}` here ({failed.strerror})") from None

    def joined(self, device: str, family: int, address: str) -> socket.socket:
        """Return a socket that has joined a multicast group."""
        number = socket.if_nametoindex(device)
        if family == 4:
            member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            request = socket.inet_aton(address) + bytes(4) + number.to_bytes(4, sys.byteorder)
            member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        else:
            member = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            request = socket.inet_pton(socket.AF_INET6, address) + number.to_bytes(4, sys.byteorder)
            member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
        return member

    # ------------------------------------------------------------------ packets
    def frames_socket(self) -> socket.socket:
        """All frames that arrive outside."""
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_FRAMES))
        made.setsockopt(socket.SOL_SOCKET, _RECEIVE_FORCED, 1 << 22)
        return made

    @staticmethod
    def end(name: str, kind: int = 0) -> socket.socket:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(kind))
        made.bind((name, kind))
        return made

    def settle(self) -> list[dict[str, Any]]:
        """Wait until nothing more happens, and return what was seen meanwhile, in order."""
        found: list[dict[str, Any]] = []
        for turn in range(16):
            self.bell[0].send(b"\xff" * 6 + b"\x02" + bytes(5) + _SENTINEL.to_bytes(2, "big") + bytes(46))
            self.bell[1].recv(64)
            new = self.drain()
            if not new and turn > 1:
                break
            found += new
        return found

    def drain(self) -> list[dict[str, Any]]:
        found = [{"what": "event", **event} for event in self.trace.events()]
        for copy in self.copies.copies():
            for side in ("iif", "oif"):
                copy[side] = self.names.get(copy[side], "")
            found.append({"what": "copy", **copy})
        while True:
            try:
                data, (name, kind, way, *_) = self.far.recvfrom(1 << 16, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return found
            if way != _OUTGOING and kind != _SENTINEL:
                found.append({"what": "frame", "name": name, "packet": data[14:].hex()})

    def shoot(self, shot: Shot) -> dict[str, Any]:
        """Send one packet and return what was seen of it."""
        if shot["fresh"]:
            self.forget()
        error = ""
        data = bytes.fromhex(shot["bytes"])
        try:
            if shot["iface"]:
                self.ends[shot["iface"]].send(data)
            else:
                self.sender(shot).sendto(data, tuple(shot["to"]))
        except OSError as failed:
            error = errno.errorcode.get(failed.errno or 0, str(failed))
        return {"error": error, "seen": self.settle()}

    def forget(self) -> None:
        """Empty the connection table and the lists of `recent`."""
        count = Path("/proc/sys/net/netfilter/nf_conntrack_count")
        if not count.exists() or count.read_text(encoding="ascii").strip() != "0":
            netlink.forget_connections()
        lists = Path("/proc/net/xt_recent")
        for one in lists.iterdir() if lists.is_dir() else ():
            one.write_text("/", encoding="ascii")

    def sender(self, shot: Shot) -> socket.socket:
        """Return a raw socket of the packet's user and group that takes packets with their headers."""
        key = shot["family"], shot["uid"], shot["gid"], shot["bound"]
        made = self.senders.get(key)
        if made is None:
            family = socket.AF_INET if shot["family"] == 4 else socket.AF_INET6
            # A socket's owner is the user and group for files of the process that makes it.
            self.libc.setfsgid(shot["gid"])
            self.libc.setfsuid(shot["uid"])
            try:
                made = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
            finally:
                self.libc.setfsuid(0)
                self.libc.setfsgid(0)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            if shot["bound"]:
                made.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, shot["bound"].encode())
            self.senders[key] = made
        made.setsockopt(socket.SOL_SOCKET, _SO_MARK, shot["mark"])
        return made
