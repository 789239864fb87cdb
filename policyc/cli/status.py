"""`policyc status`: what is applied here, whether a change waits, and whether the kernel still holds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from policyc.cli.exit import Exit
from policyc.cli.machine import machine_options
from policyc.cli.output import emit

if TYPE_CHECKING:
    from policyc.kernel.apply.place import Place
    from policyc.kernel.apply.status import Status


@click.command("status")
@machine_options
def command(*, place: Place) -> int:
    """Say what policyc has applied here (root). Nothing is changed.

    Exit code 1 where the kernel does not hold it any more, 3 where a change was left in the middle.
    """
    from policyc.kernel.apply.status import status
    from policyc.report.style import PLAIN

    found = status(place)
    emit("".join(f"{PLAIN.foreign(line)}\n" for line in _lines(found, place)))
    if found.pending is not None and found.pending.is_left:
        return Exit.REFUSED
    return (
        Exit.BAD_NEWS
        if found.differs or (found.gone and found.confirmed and found.confirmed.made.policy)
        else Exit.FINE
    )


def _lines(found: Status, place: Place) -> Iterator[str]:
    last = found.confirmed
    if last is None or not last.made.policy:
        yield f"nothing of policyc is applied to {place.name}"
    else:
        how = "shared" if last.made.shared else "exclusive"
        yield f"{last.made.policy} ({last.source}) is applied to {place.name}: iptables-{last.backend.value}, ownership {how}"
        if found.gone:
            yield "the machine or the namespace was started again since, and it is not loaded: `policyc apply --boot` loads it"
    yield from found.differs
    yield from _pending(found)
    if found.last:
        when, action, user, outcome = (found.last.get(key, "?") for key in ("when", "action", "user", "outcome"))
        yield f"last: {when} {action} by {user}: {outcome}"


def _pending(found: Status) -> Iterator[str]:
    if found.pending is None:
        return
    pending = found.pending
    what = f"the change to {pending.change.source}" if pending.change is not None else "a change"
    if pending.at_work:
        yield f"{what} is being made or taken back at this moment"
    elif pending.is_left:
        reason = f" ({pending.mark.reason})" if pending.mark.reason else ""
        yield f"{what} was left in the middle{reason}: `policyc rollback` takes it back"
    else:
        yield f"{what} waits: it is taken back in {max(pending.mark.left, 0):.0f} seconds unless `policyc confirm` is called"
