"""A planned change is made, confirmed, taken back: what the commands ask. Second half of `policyc.kernel.apply`."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from time import sleep

from policyc.frozen import frozen
from policyc.kernel.apply import watchdog
from policyc.kernel.apply.access import connection_text
from policyc.kernel.apply.audit import append, note
from policyc.kernel.apply.carry_out import FAILURES, carry_out, confirm, settle, undo
from policyc.kernel.apply.change import Change, NoChange
from policyc.kernel.apply.held import held
from policyc.kernel.apply.journal import Journal, Mark, Phase, forget, now, open_journal, write_journal
from policyc.kernel.apply.lock import Lock, locked
from policyc.kernel.apply.place import Place
from policyc.kernel.apply.plan import CHANGED_SINCE, Refused

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP)
_GRACE = 5  # seconds that the watchdog is given to take a change back before somebody else does
_PAUSE = 0.1


class Outcome(Enum):
    """What became of a change."""

    NOTHING_PENDING = "there is no change that waits"
    CONFIRMED = "confirmed"
    WAITING = "waiting"
    TAKEN_BACK = "taken back"
    STUCK = "could not be taken back"


@frozen
class Done:
    """What became of a change, why, and the sets that could not be taken away because rules of others ask them."""

    outcome: Outcome
    reason: str = ""
    kept_sets: tuple[str, ...] = ()


def perform(change: Change, place: Place, seconds: float | None = None) -> Done:
    """Make a change: both families together or not at all. `seconds`: it is taken back unless it is confirmed in time.

    Raises Refused where it is not begun, Busy where somebody else is at work.
    """
    try:
        place.make()
        with _unhurried(), locked(place.lock) as lock:
            return _performed(change, place, seconds, lock)
    except OSError as error:
        raise Refused(
            f"nothing is changed, because the journal cannot be written to {place.folder}: {error.strerror}"
        ) from None


def _performed(change: Change, place: Place, seconds: float | None, lock: Lock) -> Done:
    if pending(place, lock) is not None:
        raise Refused("a change waits here already: `policyc confirm` keeps it, `policyc rollback` takes it back")
    if change.identity != place.identity:
        raise Refused(
            "the plan was made for another network namespace, or before the machine was started again; plan again"
        )
    present = held(change.backend, lock.run)
    if present.digest() != change.seen:
        raise Refused(CHANGED_SINCE)
    journal = write_journal(place, change)
    try:
        append(place, change, "begun")
        watchdog.start(place, journal, change, lock.handle)
        journal.put(Mark(Phase.CHANGING))
    except (OSError, watchdog.NoWatchdog) as error:
        forget(place)
        raise Refused(f"nothing is changed: {error}") from None
    try:
        carry_out(change, present, lock.run)
        if seconds is not None:
            journal.put(Mark(Phase.WAITING, now() + seconds))
            note(place, change, f"done, to be confirmed within {seconds:g} seconds")
            return Done(Outcome.WAITING)
        return _confirmed(place, journal, change, lock)
    except FAILURES as error:
        return _undone(place, journal, change, lock, str(error))


def _confirmed(place: Place, journal: Journal, change: Change, lock: Lock) -> Done:
    kept = confirm(place, journal, change, lock.run)
    note(place, change, "confirmed")
    return Done(Outcome.CONFIRMED, kept_sets=tuple(kept))


def _undone(place: Place, journal: Journal, change: Change, lock: Lock, why: str) -> Done:
    reason = undo(place, journal, change, lock.run)
    note(place, change, f"taken back: {why}" if not reason else f"could not be taken back: {reason}")
    return Done(Outcome.STUCK if reason else Outcome.TAKEN_BACK, reason or why)


def pending(place: Place, lock: Lock) -> tuple[Journal, Mark] | None:
    """Return the change that waits or was left in the middle, None where there is none; what is over is tidied up."""
    journal = open_journal(place.change)
    if journal is None:
        shutil.rmtree(place.change, ignore_errors=True)  # the journal was not finished: nothing was changed
        return None
    mark, change = journal.mark(), _change(journal, place)
    if mark.phase is Phase.CONFIRMED:
        settle(place, change, lock.run)
        return None
    if mark.phase in {Phase.UNDONE, Phase.PREPARED} or change.identity != place.identity:
        forget(place)
        return None
    return journal, mark


def confirm_pending(place: Place) -> Done:
    """Let the change that waits stay. Raises Refused where nothing waits, Busy."""
    with _at_work(place) as lock:
        found = pending(place, lock)
        if found is None:
            return Done(Outcome.NOTHING_PENDING)
        journal, mark = found
        change = _change(journal, place)
        if mark.phase is not Phase.WAITING:
            return _undone(place, journal, change, lock, "policyc ended in the middle of it")
        if change.connection and connection_text() in {"", change.connection}:
            raise Refused("the change is to be confirmed from a new ssh connection, and this is not one")
        if mark.left <= 0:
            return _undone(place, journal, change, lock, "nobody confirmed it in time")
        try:
            return _confirmed(place, journal, change, lock)
        except OSError as error:
            return _undone(place, journal, change, lock, f"the confirmation cannot be noted: {error.strerror}")


def take_back_pending(place: Place) -> Done:
    """Take the change back that waits, or that nobody finished. Raises Busy."""
    with _at_work(place) as lock:
        found = pending(place, lock)
        if found is None:
            return Done(Outcome.NOTHING_PENDING)
        journal, mark = found
        asked = mark.phase is Phase.WAITING and mark.left > 0
        why = "asked to" if asked else "it was left in the middle, or nobody confirmed it in time"
        return _undone(place, journal, _change(journal, place), lock, why)


def _change(journal: Journal, place: Place) -> Change:
    try:
        return journal.change()
    except (NoChange, OSError) as error:
        raise Refused(f"the journal of the last change cannot be read ({place.change}): {error}") from None


@contextmanager
def _at_work(place: Place) -> Iterator[Lock]:
    try:
        place.make()
    except OSError as error:
        raise Refused(f"{place.folder} cannot be made: {error.strerror}") from None
    with _unhurried(), locked(place.lock, patience=10) as lock:
        yield lock


@contextmanager
def _unhurried() -> Iterator[None]:
    """Let signals that would end us wait until the kernel holds one of the two rulesets; programs that are started too."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def wait_for(place: Place) -> Done:
    """Wait until the change that waits is confirmed or taken back, by whomever, and return which."""
    journal = open_journal(place.change)
    while journal is not None:
        mark = journal.mark()
        if mark.phase is Phase.CONFIRMED:
            return Done(Outcome.CONFIRMED)
        if mark.phase is Phase.UNDONE:
            return Done(Outcome.TAKEN_BACK, "nobody confirmed it in time, or `policyc rollback` was called")
        if mark.phase is Phase.STUCK:
            return Done(Outcome.STUCK, mark.reason)
        if mark.left < -_GRACE:
            return take_back_pending(place)
        sleep(_PAUSE)
    return Done(Outcome.NOTHING_PENDING)
