"""A change is carried out, and taken back: by this process, the watchdog or the next command. Part of `policyc.kernel.apply`.

The kernel changes a table as a whole or not at all, and knows nothing larger. So the state between two tables exists, for
milliseconds, and everything here sees to it that it never stays. Taking back works from wherever a change stopped.
"""

from __future__ import annotations

from collections.abc import Sequence

from policyc.kernel.apply import sets, settings
from policyc.kernel.apply.change import Change
from policyc.kernel.apply.held import FAMILIES, Held, NotLoaded, Runner, held, load, reached, restore
from policyc.kernel.apply.journal import Journal, Mark, Phase, forget, keep_as_confirmed
from policyc.kernel.apply.place import Place
from policyc.kernel.loading import Backend
from policyc.kernel.processes import MissingProgram, NotPrivileged, Unanswered
from policyc.netfilter.saved import Key

FAILURES = (NotLoaded, MissingProgram, NotPrivileged, Unanswered, OSError)
"""What may go wrong while the kernel is changed."""


def carry_out(change: Change, present: Held, runner: Runner) -> None:
    """Change the kernel and read back that it holds what it shall. Raises one of FAILURES where it does not."""
    sets.make(change.sets, runner)
    settings.put(change.settings)
    load(change.goals, change.after, present.saved, change.backend, runner)
    _leave(change.leaves, change.backend, runner)
    found = held(change.backend, runner)
    wrong = [goal for goal in change.after if not reached(found.saved, goal)]
    if wrong:
        tables = ", ".join(f"{goal.table} of IPv{goal.family}" for goal in wrong)
        raise NotLoaded(f"what was read back is not what was loaded ({tables})")
    if not sets.are_made(change.sets, runner) or not settings.are_put(change.settings):
        raise NotLoaded("sets or settings are not what was asked for when they are read back")


def take_back(change: Change, runner: Runner) -> None:
    """Bring the kernel back to what it held before the change, and read again to prove it. Raises one of FAILURES."""
    present = held(change.backend, runner)
    if not all(reached(present.saved, goal) for goal in change.before):
        load(change.before, change.before, present.saved, change.backend, runner, reversed(FAMILIES))
    _leave(change.absent, change.backend, runner)
    settings.take_back(change.settings)
    sets.take_back(change.sets, runner)
    found = held(change.backend, runner)
    if not all(reached(found.saved, goal) for goal in change.before):
        raise NotLoaded("what was read back is not what was there before")


def _leave(tables: Sequence[Key], backend: Backend, runner: Runner) -> None:
    """Take away tables that hold nothing; iptables-legacy has no way to."""
    if not tables or backend is Backend.LEGACY:
        return
    found = held(backend, runner)
    for key in tables:
        if key in found.saved and found.saved[key].does_nothing():
            restore(f"*{key[1]}\nCOMMIT\n", key[0], backend, runner)


def undo(place: Place, journal: Journal, change: Change, runner: Runner) -> str:
    """Take a change back and close its journal; return "", or why the kernel is not what it was."""
    try:
        take_back(change, runner)
    except FAILURES as error:
        reason = str(error)
        _try_mark(journal, Mark(Phase.STUCK, reason=reason))
        return reason
    _try_mark(journal, Mark(Phase.UNDONE))
    forget(place)
    return ""


def confirm(place: Place, journal: Journal, change: Change, runner: Runner) -> list[str]:
    """Let a change stay; return the names of sets that rules of others keep. Raises OSError where that cannot be noted."""
    journal.put(Mark(Phase.CONFIRMED))
    try:
        return settle(place, change, runner)
    except FAILURES:  # it stays whatever happens now, and the next command tidies up
        return []


def settle(place: Place, change: Change, runner: Runner) -> list[str]:
    """Do what is left to do for a change that is confirmed."""
    kept = sets.settle(change.sets, runner)
    keep_as_confirmed(place)
    return kept


def _try_mark(journal: Journal, mark: Mark) -> None:
    """Write the mark if that is possible: where it is not, the next who comes finds the change, and takes it back again."""
    try:
        journal.put(mark)
    except OSError:
        return
