"""`policyc counters`: what the kernel has counted, on the lines of a policy or dump."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import click

from policyc.cli.options import (
    Asked,
    NotAskedError,
    color_option,
    config_options,
    machine_asked,
    namespace_options,
    one_ruleset,
    output_option,
    source_options,
)
from policyc.cli.output import emit, style_for
from policyc.config import Config
from policyc.report.style import PLAIN, Style

if TYPE_CHECKING:
    from policyc.netfilter.ruleset import Ruleset
    from policyc.observation.tally import Tally

EVERY = 2.0
"""Seconds between two readings where `--watch` does not say them."""


class _WatchCommand(click.Command):
    """A command whose `--watch` may stand without its seconds, in front of a SOURCE too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments with the seconds filled in where they are left out."""
        return super().parse_args(ctx, list(_with_seconds(args)))


def _with_seconds(args: list[str]) -> Iterator[str]:
    for word, behind in zip(args, [*args[1:], ""], strict=False):
        yield word
        if word == "--watch" and not behind.replace(".", "", 1).isdecimal():
            yield str(EVERY)


@click.command("counters", cls=_WatchCommand)
@source_options
@namespace_options
@click.option(
    "--watch", "every", type=click.FloatRange(min=0.1), metavar="[SECONDS]", help="Read again and again, with rates."
)
@click.option("--times", type=click.IntRange(min=1), help="With --watch: how often, instead of until Ctrl-C.")
@click.option("--format", "format_name", type=click.Choice(("text", "json")), default="text", help="How it looks.")
@output_option
@color_option
@config_options
def command(
    *, asked: Asked, config: Config, netns: str | None, pid: int | None, every: float | None, times: int | None, format_name: str,
    output: str | None, color: str | None,
) -> None:  # fmt: skip
    """Show the packets and bytes that each statement's kernel rules have counted, of both families together (root).

    What is in the kernel and not in the SOURCE is said, and the reverse. Nothing is reset.
    """
    if every is not None and (format_name == "json" or output not in {None, "-"}):
        raise click.UsageError("--watch is for people: leave --format json and -o out")
    if times is not None and every is None:
        raise click.UsageError("--times says how often --watch reads: name --watch too")
    source = one_ruleset(asked.given(config))
    read = partial(_read, source, (netns, pid), asked.backend)
    if every is None:
        from policyc.report.counters import counters_json, counters_text

        found = read()
        style = style_for(sys.stdout, color or config.color) if output in {None, "-"} else PLAIN
        emit(counters_json(found) if format_name == "json" else counters_text(found, style), output)
        return
    try:
        _watch(read, every, times, style_for(sys.stdout, color or config.color))
    except KeyboardInterrupt:  # the way in which watching ends
        return


def _watch(read: partial[Tally], every: float, times: int | None, style: Style) -> None:
    def readings() -> Iterator[tuple[Tally, float]]:
        for number in count(1):
            yield read(), time.monotonic()
            if number == times:
                return
            time.sleep(every)

    if sys.stdout.isatty():
        from policyc.report.counters_watch import Reading, watch

        watch((Reading(*one) for one in readings()), style)
        return
    from policyc.report.counters import counters_text

    before: Tally | None = None
    then = 0.0
    for found, at in readings():
        emit(("\n" if before else "") + counters_text(found, style, before, at - then))
        before, then = found, at


def _read(source: Ruleset, place: tuple[str | None, int | None], backend: str | None) -> Tally:
    """Return the counters of the kind of iptables that holds the source's rules, or of the one that was asked for."""
    from policyc.kernel.counting import counted
    from policyc.netfilter.ruleset import Ruleset
    from policyc.observation.live_rules import live_rules
    from policyc.observation.tally import tally

    with machine_asked():
        live = {name: live_rules(texts) for name, texts in counted(place[0], pid=place[1]).items()}
    if backend is not None and backend not in live:
        raise NotAskedError(f"the kernel holds no rules of iptables-{backend}")
    if not live:
        return tally(source, Ruleset(), "")
    sizes = {name: sum(1 for _ in rules.rules()) for name, (rules, _) in live.items()}
    found = [
        tally(source, rules, name, sum(size for other, size in sizes.items() if other != name), remarks)
        for name, (rules, remarks) in live.items()
        if backend in {None, name}
    ]
    return max(found, key=lambda one: (one.paired, sizes[one.backend]))
