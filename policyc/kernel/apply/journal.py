"""The journal of a change: all that is needed to take it back, on disk before the first thing is changed.

The mark of how far the change came is a file of fixed length that is written over in place, which a full disk does not
hinder. Folder and files are for root alone.
"""

from __future__ import annotations

import os
import shutil
import time
from enum import Enum
from pathlib import Path

from policyc.frozen import frozen
from policyc.kernel.apply.change import Change, change_text, read_change
from policyc.kernel.apply.place import Place

_KIND = "journal"
_RECORD = "record.json"
_MARK = "mark"
_LENGTH = 512  # a sector


class Phase(Enum):
    """How far a change came; the value stands in the mark."""

    PREPARED = "prepared"
    """Nothing is changed yet."""
    CHANGING = "changing"
    """Anything may be changed; whoever finds this with nobody at work takes the change back."""
    WAITING = "waiting"
    """All is changed, and is taken back at the deadline unless somebody confirms it."""
    CONFIRMED = "confirmed"
    """The change stays."""
    UNDONE = "undone"
    """The change is taken back."""
    STUCK = "stuck"
    """The change could not be taken back."""


@frozen
class Mark:
    """The mark: `deadline` in seconds since the machine was started (CLOCK_BOOTTIME)."""

    phase: Phase
    deadline: float = 0
    reason: str = ""

    @property
    def left(self) -> float:
        """The seconds that are left until the deadline."""
        return self.deadline - now()


def now() -> float:
    """Return the seconds since the machine was started, those that it slept included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Journal:
    """The journal of one change. `handle` stays open, so that the mark is found wherever the folder is moved."""

    def __init__(self, folder: Path, handle: int) -> None:
        self.folder = folder
        self.handle = handle

    def mark(self) -> Mark:
        """Return the mark."""
        words = os.pread(self.handle, _LENGTH, 0).decode("utf-8", "replace").rstrip().split(" ", 2)
        return Mark(Phase(words[0]), float(words[1]), words[2] if len(words) > 2 else "")

    def put(self, mark: Mark) -> None:
        """Write the mark over and wait until it is on the disk. Raises OSError."""
        text = f"{mark.phase.value} {mark.deadline} {' '.join(mark.reason.split())}"
        os.pwrite(self.handle, text.encode()[:_LENGTH].decode(errors="ignore").encode().ljust(_LENGTH), 0)
        os.fdatasync(self.handle)

    def change(self) -> Change:
        """Return the change. Raises NoChange, OSError."""
        return read_change((self.folder / _RECORD).read_text(encoding="utf-8", errors="surrogateescape"), _KIND)

    def close(self) -> None:
        """Let go of the mark."""
        os.close(self.handle)


def write_journal(place: Place, change: Change) -> Journal:
    """Write the journal of a change that is about to begin. Raises OSError, and leaves nothing behind then."""
    folder = place.change
    try:
        folder.mkdir(mode=0o700)
        _write(folder / _RECORD, change_text(change, _KIND).encode("utf-8", "surrogateescape"))
        _write(folder / _MARK, b"prepared 0.0".ljust(_LENGTH))
        for each in (folder, folder.parent):
            _sync_folder(each)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    journal = open_journal(folder)
    assert journal is not None
    return journal


def open_journal(folder: Path) -> Journal | None:
    """Return the journal in a folder, None where there is none, or none that was finished before something was changed."""
    try:
        handle = os.open(folder / _MARK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    journal = Journal(folder, handle)
    try:
        journal.mark()
    except ValueError:  # written in part: the change had not begun
        os.close(handle)
        return None
    return journal


def keep_as_confirmed(place: Place) -> None:
    """Let the confirmed change take the place of the one before."""
    shutil.rmtree(place.confirmed, ignore_errors=True)
    place.change.rename(place.confirmed)
    _sync_folder(place.folder)


def forget(place: Place) -> None:
    """Throw the journal of a change away that is over."""
    gone = place.folder / "over"
    shutil.rmtree(gone, ignore_errors=True)
    if place.change.exists():
        place.change.rename(gone)  # in one step: what is left of a folder would look like a change
        shutil.rmtree(gone, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
