"""`policyc uninstall`: leave nothing of ours in the kernel, and nothing to load at boot."""

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


@click.command("uninstall")
@click.option("--yes", is_flag=True, help="Ask nothing, and go on in spite of warnings.")
@machine_options
def command(*, place: Place, yes: bool) -> int:
    """Take our chains, jumps, sets and settings out of the kernel (root); rules of others stay as they are.

    A table that was ours as a whole is left empty and accepting.
    """
    from policyc.kernel.apply.perform import perform
    from policyc.kernel.apply.plan import plan_uninstall
    from policyc.report.plan import plan_text

    found = plan_uninstall(place)
    view = view_of(found, place)
    tell_raw(plan_text(view, style_for(sys.stderr, "auto")))
    if not yes:
        if sys.stdin.isatty() and not click.confirm("take all of this away?", err=True):
            return Exit.REFUSED
        if not sys.stdin.isatty() and view.dangers:
            tell("refused: there are warnings and nobody to ask; `--yes` goes on in spite of them")
            return Exit.REFUSED
    return ended(perform(found.change, place))
