"""`policyc doctor`: what drops packets of this host outside the rules."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from policyc.cli.exit import Exit
from policyc.cli.options import color_option, config_options, machine_asked, namespace_options, output_option
from policyc.cli.output import emit, style_for, tell
from policyc.config import Config
from policyc.report.style import PLAIN

if TYPE_CHECKING:
    from policyc.observation.doctor.measured import Measurement

LEVELS = ("error", "warning", "info", "never")


@click.command("doctor")
@namespace_options
@click.option("--during", type=click.FloatRange(min=0.0), metavar="SECONDS", help="Measure twice and tell what grew.")
@click.option("--before", metavar="FILE", help="Tell what grew since a measurement that --save has written.")
@click.option("--save", metavar="FILE", help="Write the counters to a file, to compare with later.")
@click.option(
    "--fail-on", type=click.Choice(LEVELS), default="error", show_default=True, help="Exit code 1 from here on."
)
@click.option("-v", "--verbose", is_flag=True, help="Say of old counts too what they mean.")
@click.option("--format", "format_name", type=click.Choice(("text", "json")), default="text", help="How it looks.")
@output_option
@color_option
@config_options
def command(
    *, config: Config, netns: str | None, pid: int | None, during: float | None, before: str | None, save: str | None,
    fail_on: str, verbose: bool, format_name: str, output: str | None, color: str | None,
) -> int:  # fmt: skip
    """Look for what drops packets outside the rules: counters, settings, full queues, doubled addresses (root).

    Counters of long ago say little: --during 10, or --save FILE now and --before FILE later, tell what grows. Nothing is
    changed.
    """
    if during is not None and before is not None:
        raise click.UsageError("--during and --before exclude each other")
    from policyc.kernel.measuring import measured
    from policyc.observation.doctor.examine import examine
    from policyc.observation.doctor.saved import comparable, read_saved, saved_text
    from policyc.readers.files import read_file
    from policyc.report.doctor import doctor_json, doctor_text

    earlier = read_saved(read_file(Path(before), before)) if before is not None else None
    with machine_asked():
        if during is not None:
            earlier = _and_wait(measured(netns, pid=pid, containers=False), during)
        now = measured(netns, pid=pid)
    if earlier is not None:
        comparable(earlier, now, before or "the first measurement")
    if save is not None:
        emit(saved_text(now), save)
        tell(f"the counters are saved: `policyc doctor --before {save}` tells what has grown since")
    found = examine(now, earlier)
    style = style_for(sys.stdout, color or config.color) if output in {None, "-"} else PLAIN
    emit(doctor_json(found) if format_name == "json" else doctor_text(found, style, verbose=verbose), output)
    worst = max((one.level.rank for one in found.symptoms), default=-1)
    bound = {"error": 2, "warning": 1, "info": 0, "never": 3}[fail_on]
    return Exit.BAD_NEWS if worst >= bound else Exit.FINE


def _and_wait(first: Measurement, seconds: float) -> Measurement:
    tell(f"measuring for {seconds:g} s")
    time.sleep(seconds)
    return first
