"""`policyc status`: what is applied here, whether a change waits, and whether the kernel still holds it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

import click

from policyc.cli.exit import Exit
from policyc.cli.machine import machine_options
from policyc.cli.output import emit, style_for
from policyc.report.status import AppliedView, PendingView, StatusView, status_text

if TYPE_CHECKING:
    from policyc.kernel.apply.place import Place
    from policyc.kernel.apply.status import Status


@click.command("status")
@click.option("--format", "shape", type=click.Choice(("full", "json")), default="full", help="How it looks.")
@machine_options
def command(*, place: Place, shape: str) -> int:
    """Say what policyc has applied here (root). Nothing is changed.

    Exit code 1 where the kernel does not hold it any more, 3 where a change was left in the middle.
    """
    from policyc.kernel.apply.status import status
    from policyc.report.json import json_text

    view = _view(status(place), place)
    emit(json_text(view.to_dict()) if shape == "json" else status_text(view, style_for(sys.stdout, "never")))
    if view.pending is not None and view.pending.state == "left":
        return Exit.REFUSED
    return Exit.BAD_NEWS if view.differs or (view.applied is not None and not view.applied.loaded) else Exit.FINE


def _view(found: Status, place: Place) -> StatusView:
    last = found.confirmed
    applied = None
    if last is not None and last.made.policy:
        ownership: Literal["shared", "exclusive"] = "shared" if last.made.shared else "exclusive"
        applied = AppliedView(
            last.made.policy, last.source, f"iptables-{last.backend.value}", ownership, not found.gone
        )
    return StatusView(place.name, applied, _pending(found), found.differs, found.last)


def _pending(found: Status) -> PendingView | None:
    pending = found.pending
    if pending is None:
        return None
    source = None if pending.change is None else pending.change.source
    if pending.at_work:
        return PendingView(source, "working")
    if pending.is_left:
        return PendingView(source, "left", reason=pending.mark.reason)
    return PendingView(source, "waiting", max(round(pending.mark.left, 1), 0))
