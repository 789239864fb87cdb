"""`policyc reach`: which packets get from here to there? A packet that does, or the proof that none does."""

from __future__ import annotations

import sys
from functools import partial

import click

from policyc.cli.exit import Exit
from policyc.cli.options import Asked, color_option, config_options, one_ruleset, output_option, source_options
from policyc.cli.output import emit, style_for
from policyc.cli.question import host_in
from policyc.config import Config
from policyc.report.style import PLAIN

SHAPES = ("full", "concise", "json")
ANSWERS = ("reachable", "unreachable")


@click.command("reach")
@partial(source_options, metavar="SOURCE")
@click.option(
    "--from",
    "source",
    default="any",
    metavar="WHERE",
    help="Where packets come from: a zone, a name, an address "
    "or network, an interface, self (this host), any (the default).",
)
@click.option("--to", "target", default="any", metavar="WHERE", help="Where they arrive, in the same words.")
@click.option(
    "--service",
    "services",
    multiple=True,
    metavar="SERVICE",
    help="Only these services, as they arrive: tcp/443, ssh, icmp/echo-request.",
)
@click.option("--any-packet", is_flag=True, help="Answers and related packets too, not only what begins a connection.")
@click.option("--host", "host_file", metavar="FILE", help="The host it runs on: a snapshot, or a topology as JSON.")
@click.option(
    "--expect", type=click.Choice(ANSWERS), help="Exit code 1 where the answer is another one, or not certain."
)
@click.option("--format", "shape", type=click.Choice(SHAPES), default="full", help="How it looks.")
@output_option
@color_option
@config_options
def command(
    *,
    asked: Asked,
    config: Config,
    source: str,
    target: str,
    services: tuple[str, ...],
    any_packet: bool,
    host_file: str | None,
    expect: str | None,
    shape: str,
    output: str | None,
    color: str | None,
) -> int:
    """Say whether packets get from one side to another, for all packets at once.

    The answer is a packet that was sent through the rules and got there, in the words that `explain` takes, or that there
    is none.
    """
    from policyc import api

    host = None if host_file is None else host_in(host_file)
    ruleset = one_ruleset(asked.given(config))
    found = api.reach(ruleset, source=source, target=target, services=services, any_packet=any_packet, host=host)
    style = style_for(sys.stdout, color or config.color) if output in {None, "-"} else PLAIN
    if shape == "json":
        from policyc.report.json import json_text

        answer = found.to_dict()
        del answer["format_version"]
        emit(json_text(answer), output)
    else:
        from policyc.report.reach_text import reach_concise, reach_full

        emit((reach_concise if shape == "concise" else reach_full)(found, style), output)
    if expect is None:
        return Exit.FINE
    is_sure = found.exact or (found.reachable and found.witness is not None)
    return Exit.FINE if is_sure and found.reachable is (expect == "reachable") else Exit.BAD_NEWS
