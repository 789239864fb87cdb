"""A throw-away network namespace: where untrusted rules are loaded, and nowhere else.

It lives as long as a small process that holds it; that process ends when its standard input closes, so that nothing stays
behind even when policyc is killed. Without root a user namespace is tried, which many distributions allow.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from policyc.kernel.processes import ENVIRONMENT, NotPrivileged, Outcome, program, run

# Nobody else changes these rules: the lock of the machine's iptables, which only root may open, is not ours to take.
ALONE = {"XTABLES_LOCKFILE": "/dev/null"}


class Namespace:
    """A network namespace of our own, used as a context manager. Raises NotPrivileged when the kernel refuses one."""

    def __init__(self) -> None:
        self._holder: subprocess.Popen[str] | None = None
        self._enter: list[str] = []

    def __enter__(self) -> Self:
        unshare, nsenter = program("unshare", "util-linux"), program("nsenter", "util-linux")
        root = os.geteuid() == 0
        flags = ["--net"] if root else ["--user", "--map-root-user", "--net"]
        holder = subprocess.Popen(
            [unshare, *flags, "sh", "-c", "echo ready && exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
        )  # fmt: skip
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != "ready\n":
            reason = holder.stderr.read().strip()
            holder.wait()
            raise NotPrivileged(f"this user may not make a network namespace ({reason})")
        self._holder = holder
        self._enter = [nsenter, f"--net=/proc/{holder.pid}/ns/net"]
        if not root:
            self._enter[1:1] = [f"--user=/proc/{holder.pid}/ns/user", "--preserve-credentials"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._holder is not None:
            with contextlib.suppress(OSError):
                self._holder.communicate(timeout=10)
            self._holder = None

    @property
    def pid(self) -> int:
        """The process that holds the namespace."""
        assert self._holder is not None, "the namespace is not entered"
        return self._holder.pid

    def run(self, words: Sequence[str], text: str = "", timeout: float = 600, *, exact: bool = False) -> Outcome:
        """Run a program inside, with `text` on its standard input."""
        return run([*self._enter, "--", *words], text, timeout, ALONE, exact=exact)
