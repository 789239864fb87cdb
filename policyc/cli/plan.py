"""`policyc plan`: what `apply` would do, and a plan file that says what it saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from policyc.cli.exit import Exit
from policyc.cli.machine import machine_options
from policyc.cli.options import Asked, color_option, config_options, output_option, source_options
from policyc.cli.output import emit, style_for, tell
from policyc.cli.planning import PLAN, backend_option, planned, view_of
from policyc.config import Config

if TYPE_CHECKING:
    from policyc.kernel.apply.place import Place


@click.command("plan")
@source_options
@backend_option
@click.option("--format", "shape", type=click.Choice(("full", "json")), default="full", help="How it looks.")
@output_option
@color_option
@machine_options
@config_options
def command(
    *,
    asked: Asked,
    config: Config,
    place: Place,
    backend: str | None,
    shape: str,
    output: str | None,
    color: str | None,
) -> int:
    """Show what `policyc apply` would change in the running kernel, rehearsed in a throw-away namespace (root).

    With -o FILE the plan is written to a file that `policyc apply FILE` carries out, as long as the kernel holds what the
    plan saw.
    """
    import sys

    from policyc.kernel.apply.change import change_text
    from policyc.report.json import json_text
    from policyc.report.plan import plan_text

    found = planned(asked, config, place, backend)
    view = view_of(found, place)
    if output is not None:
        emit(change_text(found.change, PLAN), output)
        tell(f"the plan is in {output}: `policyc apply {output}` carries it out")
    emit(
        json_text(view.to_dict()) if shape == "json" else plan_text(view, style_for(sys.stdout, color or config.color))
    )
    return Exit.FINE
