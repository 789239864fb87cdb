"""`policyc confirm`: let the change stay that `apply --confirm` made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from policyc.cli.machine import ended, machine_options

if TYPE_CHECKING:
    from policyc.kernel.apply.place import Place


@click.command("confirm")
@machine_options
def command(*, place: Place) -> int:
    """Keep the change that waits for it (root). Exit code 3 where none waits, or where it was taken back meanwhile."""
    from policyc.kernel.apply.perform import confirm_pending

    return ended(confirm_pending(place))
