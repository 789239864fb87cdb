"""Whoever changes something holds the lock of the place, and hands it on to the programs that it starts.

A lock of flock(2) belongs to the open file, which the programs inherit: when policyc is killed while iptables-restore still
runs, the lock is free only when that has ended too, so that nobody takes back what is yet to come.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from policyc.kernel.processes import Outcome, run

_PAUSE = 0.02


class Busy(Exception):  # noqa: N818
    """Somebody else changes something here."""


class Lock:
    """The lock while it is held."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def run(self, words: Sequence[str], text: str = "") -> Outcome:
        """Run a program that holds the lock too until it ends."""
        return run(words, text, exact=True, inherits=(self.handle,))


@contextmanager
def locked(path: Path, patience: float = 2) -> Iterator[Lock]:
    """Hold the lock; raise Busy when it is not to be had within `patience` seconds, OSError where there can be no file."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise Busy("another policyc is changing something here") from None
                time.sleep(_PAUSE)
        yield Lock(handle)
    finally:
        os.close(handle)
