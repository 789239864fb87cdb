"""The process that takes a change back when nobody else does: policyc was killed, hangs, or nobody confirmed in time.

It is started before the first change, is nobody's child, has no terminal, and knows the change from its own memory. Whether
policyc is still at work the lock says, which a killed process gives up and its last program with it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from types import FrameType

from policyc.kernel.apply.audit import note
from policyc.kernel.apply.carry_out import undo
from policyc.kernel.apply.change import Change
from policyc.kernel.apply.journal import Journal, Phase, now
from policyc.kernel.apply.lock import Busy, locked
from policyc.kernel.apply.place import Place

PATIENCE = 120
"""Seconds that a change may take before whoever makes it is ended."""
_PAUSE = 0.05
_TRIES = 5
_READY = b"r"
_AT_WORK = frozenset((Phase.PREPARED, Phase.CHANGING))


class NoWatchdog(Exception):  # noqa: N818
    """The watchdog could not be started: nothing is changed without one."""


def start(place: Place, journal: Journal, change: Change, lock: int) -> None:
    """Start the watchdog of a change whose journal is written, and return when it watches. Raises NoWatchdog.

    `lock` is the descriptor of the lock, which the watchdog lets go of.
    """
    us, terminal = os.pidfd_open(os.getpid()), _terminal()
    ready, tell = os.pipe()
    try:
        child = os.fork()
        if not child:
            try:
                os.close(lock)
                _become(tell, (us, journal.handle))
                _watch(place, journal, change, us, terminal)
            finally:
                os._exit(0)
        os.close(tell)
        tell = -1
        os.waitpid(child, 0)
        if os.read(ready, 1) != _READY:
            raise NoWatchdog("the watchdog did not start")
    except OSError as error:
        raise NoWatchdog(f"the watchdog cannot be started: {error.strerror}") from None
    finally:
        for each in (us, ready, *([tell] if tell >= 0 else [])):
            os.close(each)


def _terminal() -> str:
    """Return the path of the terminal that talk goes to, "" where it goes elsewhere."""
    try:
        return os.ttyname(2)
    except OSError:
        return ""


def _become(tell: int, kept: Sequence[int]) -> None:
    """Leave the terminal, the session and all that was open but what is kept, and say that we watch."""
    os.setsid()
    if os.fork():
        os._exit(0)
    for one in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(one, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _told_to_end)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.chdir("/")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for each in (0, 1, 2):
        os.dup2(nowhere, each)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names of descriptors
        if int(name) not in {0, 1, 2, tell, *kept}:
            _close(int(name))
    os.write(tell, _READY)
    os.close(tell)


def _close(handle: int) -> None:
    try:
        os.close(handle)
    except OSError:  # the one that listed the others
        return


_ended = False


def _told_to_end(_number: int, _frame: FrameType | None) -> None:
    global _ended  # noqa: PLW0603 - a signal handler has no other place to say it
    _ended = True


def _watch(place: Place, journal: Journal, change: Change, us: int, terminal: str) -> None:
    """Wait until the change is over, or has to be taken back, and say so at the terminal where it was made."""
    until = now() + PATIENCE
    while True:
        mark = journal.mark()
        if mark.phase not in {*_AT_WORK, Phase.WAITING}:
            return
        if mark.phase is Phase.WAITING and mark.left > 0 and not _ended:
            time.sleep(min(_PAUSE, mark.left))
            continue
        if (said := _taken_back(place, journal, change)) is not None:
            _tell(terminal, said)
            return
        if mark.phase in _AT_WORK and now() > until:
            _end(us)


def _taken_back(place: Place, journal: Journal, change: Change) -> str | None:
    """Take the change back as soon as nobody is at work; return what became of it, "" where it is over, None for not yet."""
    try:
        with locked(place.lock, patience=_PAUSE) as lock:
            mark = journal.mark()
            if mark.phase is Phase.WAITING and mark.left > 0 and not _ended:
                return None
            if mark.phase not in {*_AT_WORK, Phase.WAITING}:
                return ""
            why = "nobody confirmed it" if mark.phase is Phase.WAITING else "policyc ended in the middle of it"
            for _ in range(_TRIES):
                reason = undo(place, journal, change, lock.run)
                if not reason:
                    break
                time.sleep(1)
            said = f"taken back: {why}" if not reason else f"could not be taken back: {reason}"
            note(place, change, said)
            return said
    except Busy:
        return None


def _tell(terminal: str, said: str) -> None:
    """Write a line to the terminal where the change was made, if that is still there and takes it."""
    if not terminal or not said:
        return
    try:
        handle = os.open(terminal, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.write(handle, f"\r\npolicyc: the change is {said}\r\n".encode("ascii", "replace"))
    except OSError:
        return


def _end(process: int) -> None:
    """End the process that makes the change; the kernel knows it by this descriptor, so that it can be no other."""
    try:
        signal.pidfd_send_signal(process, signal.SIGKILL)
    except ProcessLookupError:
        return
