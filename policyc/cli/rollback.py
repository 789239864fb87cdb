"""`policyc rollback`: take back the change that waits, or was left in the middle, or the one that was confirmed last."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from policyc.cli.exit import Exit
from policyc.cli.machine import ended, machine_options
from policyc.cli.output import style_for, tell, tell_raw
from policyc.cli.planning import view_of

if TYPE_CHECKING:
    from policyc.kernel.apply.place import Place


@click.command("rollback")
@click.option("--yes", is_flag=True, help="Ask nothing, and go on in spite of warnings.")
@machine_options
def command(*, place: Place, yes: bool) -> int:
    """Take back the change that waits or that nobody finished, else the one that was confirmed last (root).

    With shared ownership only what is ours changes.
    """
    from policyc.kernel.apply.perform import Outcome, perform, take_back_pending
    from policyc.kernel.apply.plan import plan_rollback
    from policyc.report.plan import plan_text

    done = take_back_pending(place)
    if done.outcome is Outcome.TAKEN_BACK:
        tell("taken back; the kernel holds what it held before")
        return Exit.FINE
    if done.outcome is not Outcome.NOTHING_PENDING:
        return ended(done)
    found = plan_rollback(place)
    view = view_of(found, place)
    tell_raw(plan_text(view, style_for(sys.stderr, "auto")))
    if not yes:
        if sys.stdin.isatty() and not click.confirm("take this back?", err=True):
            return Exit.REFUSED
        if not sys.stdin.isatty() and view.dangers:
            tell("refused: there are warnings and nobody to ask; `--yes` goes on in spite of them")
            return Exit.REFUSED
    return ended(perform(found.change, place))
