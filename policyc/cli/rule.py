"""`policyc rule`: the page of a code, or the list of all codes."""

from __future__ import annotations

import sys

import click

from policyc.cli.options import color_option
from policyc.cli.output import emit, style_for
from policyc.diagnostics import CATALOGUE, Entry, entry
from policyc.diagnostics.selection import UnknownCodeError, codes_of
from policyc.report.rules import rule_list, rule_page, rules_json


@click.command("rule")
@click.argument("code", required=False, metavar="CODE|NAME")
@click.option("--all", "everything", is_flag=True, help="List all codes.")
@click.option("--format", "format_name", type=click.Choice(("text", "json")), default="text", help="How it looks.")
@color_option
def command(code: str | None, everything: bool, format_name: str, color: str | None) -> None:
    """Explain a code: what it finds, why it matters, what to write instead."""
    if (code is None) == (not everything):
        raise click.UsageError("name a code (`policyc rule PC104`), or ask for the list: `policyc rule --all`")
    chosen = CATALOGUE if everything else (_one(code or ""),)
    if format_name == "json":
        emit(rules_json(chosen))
    elif everything:
        emit(rule_list(chosen, style_for(sys.stdout, color or "auto")))
    else:
        emit(rule_page(chosen[0], style_for(sys.stdout, color or "auto")))


def _one(word: str) -> Entry:
    try:
        codes = codes_of(word)
    except UnknownCodeError as error:
        raise click.UsageError(str(error)) from None
    if len(codes) > 1:
        raise click.UsageError(f"`{word}` stands for {len(codes)} codes: {', '.join(codes)}")
    return entry(codes[0])
