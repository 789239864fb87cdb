"""`policyc diff`: which packets meet another fate in B than in A; exit code 0 equal, 1 different, 2 not known."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from policyc.cli.exit import Exit
from policyc.cli.options import Asked, color_option, config_options, one_ruleset, output_option, source_options
from policyc.cli.output import emit, style_for
from policyc.config import Config
from policyc.report.style import PLAIN, Style

if TYPE_CHECKING:
    from policyc.analysis.difference import Difference

FORMATS = ("full", "concise", "json")


@click.command("diff")
@partial(source_options, metavar="A B")
@click.option(
    "--exit-code/--no-exit-code", "with_exit_code", default=True,
    help="Whether exit codes tell the answer: 0 equal, 1 different, 2 not known (the default), or are 0 for every answer.",
)  # fmt: skip
@click.option("--format", "format_name", type=click.Choice(FORMATS), default="full", help="How the answer looks.")
@output_option
@color_option
@config_options
def command(
    *, asked: Asked, config: Config, with_exit_code: bool, format_name: str, output: str | None, color: str | None
) -> int:
    """Compare two sources by what they do to packets, in every hook and state: verdict, translation, marks, kind of reject.

    `policyc diff live policy.pol` tells what the running kernel does otherwise. Counters, logs and comments do not count.
    """
    from policyc import api

    sides = [replace(asked, sources=(name,), dumps=()) for name in asked.sources]
    sides += [replace(asked, sources=(), dumps=(dump,)) for dump in asked.dumps]
    if len(sides) != 2:
        raise click.UsageError(f"name two sources, A and B; these are {len(sides)}")
    found = api.diff(*(one_ruleset(side.given(config)) for side in sides))
    style = style_for(sys.stdout, color or config.color) if output in {None, "-"} else PLAIN
    emit(_rendered(found, format_name, style), output)
    if found.equal or not with_exit_code:
        return Exit.FINE
    return Exit.BAD_NEWS if found.differs else Exit.NOT_ASKED


def _rendered(found: Difference, name: str, style: Style) -> str:
    if name == "json":
        from policyc.report.json import json_text

        return json_text(found.to_dict())
    from policyc.report.packet_changes import changes_concise, changes_full

    return changes_concise(found, style) if name == "concise" else changes_full(found, style)
