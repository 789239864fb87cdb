"""`policyc show`: the expanded policy, each statement with the kernel rules that it made."""

from __future__ import annotations

import sys

import click

from policyc.cli.options import Asked, color_option, config_options, one_ruleset, output_option, source_options
from policyc.cli.output import emit, style_for
from policyc.config import Config
from policyc.report.style import PLAIN


@click.command("show")
@source_options
@click.option("--format", "format_name", type=click.Choice(("text", "json")), default="text", help="How it looks.")
@output_option
@color_option
@config_options
def command(*, asked: Asked, config: Config, format_name: str, output: str | None, color: str | None) -> None:
    """Show each statement with its line and its rules in the kernel; of a dump, each chain with its lines."""
    from policyc.report.show import show_json, show_text

    ruleset = one_ruleset(asked.given(config))
    style = style_for(sys.stdout, color or config.color) if output in {None, "-"} else PLAIN
    emit(show_json(ruleset) if format_name == "json" else show_text(ruleset, style), output)
