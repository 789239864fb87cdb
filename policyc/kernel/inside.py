"""A question asked inside another network namespace of this machine, without a process: a thread enters it, asks and ends.

Programs that the thread starts are born in its namespace, /proc/sys/net and /proc/thread-self/net are those of the thread.
Source: setns(2), network_namespaces(7).
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from policyc.kernel.processes import NotPrivileged, Unanswered

NAMED = Path("/run/netns")  # where `ip netns add` keeps names
_CLONE_NEWNET = 0x40000000

Answer = TypeVar("Answer")


class NoNamespace(Unanswered):
    """There is no network namespace of that name or process."""


def named_namespace(name: str) -> Path:
    """Return the file that stands for a namespace of `ip netns`; raise NoNamespace."""
    there = sorted(item.name for item in NAMED.iterdir()) if NAMED.is_dir() else []
    if name not in there:
        known = f"there are {', '.join(there)}" if there else "`ip netns list` shows none"
        raise NoNamespace(f"there is no network namespace `{name}`; {known}")
    return NAMED / name


def namespace_of(process: int) -> Path:
    """Return the file that stands for the namespace of a process; raise NoNamespace."""
    path = Path(f"/proc/{process}/ns/net")
    if not path.parent.is_dir():
        raise NoNamespace(f"there is no process {process}")
    return path


def namespace_at(netns: str | None, pid: int | None) -> Path | None:
    """Return the file for a namespace by name or by a process in it, None where neither is given; raise NoNamespace."""
    if netns is not None:
        return named_namespace(netns)
    return None if pid is None else namespace_of(pid)


def asked_inside(namespace: Path | None, question: Callable[[], Answer]) -> Answer:
    """Return the answer of a question inside a namespace, None for the one that this process is in.

    Raises NotPrivileged where the kernel does not let this user enter, and what the question raises.
    """
    if namespace is None:
        return question()

    def enter_and_ask() -> Answer:
        enter(namespace)
        return question()

    with ThreadPoolExecutor(1) as threads:  # the thread ends here, so that nobody else is ever in the namespace
        return threads.submit(enter_and_ask).result()


def enter(namespace: Path) -> None:
    """Let this thread be in another namespace from here on, with the programs that it starts. Raises NotPrivileged."""
    try:
        handle = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        raise NotPrivileged(f"this user may not look at the network namespace {namespace}") from None
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, _CLONE_NEWNET):
            number = ctypes.get_errno()
            if number == errno.EPERM:
                raise NotPrivileged(f"this user may not enter the network namespace {namespace}")
            raise NoNamespace(f"{namespace} is no network namespace ({os.strerror(number)})")
    finally:
        os.close(handle)
