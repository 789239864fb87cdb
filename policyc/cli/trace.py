"""`policyc trace`: the way of live packets through the rules in the kernel, on the lines of a policy or dump."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from policyc.cli.options import (
    Asked,
    color_option,
    config_options,
    machine_asked,
    namespace_options,
    one_ruleset,
    output_option,
    source_options,
)
from policyc.cli.output import emit, style_for, tell
from policyc.cli.question import PacketCommand
from policyc.config import Config
from policyc.frozen import frozen
from policyc.loading import LIVE

if TYPE_CHECKING:
    from policyc.kernel.tracing import Tracing
    from policyc.netfilter.ruleset import Ruleset
    from policyc.observation.criteria import Criteria
    from policyc.observation.traced import TracedPacket, Traces

EXAMPLE = "tcp any -> self:22 in eth0"


@click.command("trace", cls=PacketCommand)
@partial(source_options, metavar="[SOURCE] PACKET")
@namespace_options
@click.option("--count", type=click.IntRange(min=1), default=10, show_default=True, help="End after so many packets.")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="End after so long.")
@click.option("--replies", is_flag=True, help="The packets in the other direction too.")
@click.option("--format", "format_name", type=click.Choice(("text", "json")), default="text", help="How it looks.")
@output_option
@color_option
@config_options
def command(
    *, asked: Asked, config: Config, netns: str | None, pid: int | None, count: int, seconds: float, replies: bool,
    format_name: str, output: str | None, color: str | None,
) -> None:  # fmt: skip
    """Trace packets as they come: each rule that they match, with its line in the SOURCE, and what becomes of them (root).

    PACKET is a sentence as `explain` takes it, and may name many: tcp any -> 10.0.0.0/24:1000-2000 in eth0. Nothing is left
    behind, however the trace ends.
    """
    from policyc.observation.criteria import criteria_of

    named, packet = _words(asked)
    if not packet:
        raise click.UsageError(f"which packets? For example: policyc trace '{EXAMPLE}'")
    source = one_ruleset(named.given(config)) if named.sources or named.dumps else None
    criteria = list(criteria_of(packet, source.intent if source is not None else None))
    if replies:
        criteria += [one.mirrored() for one in criteria]
    Shown(count, seconds, format_name, output, color or config.color).run(criteria, source, (netns, pid))


def _words(asked: Asked) -> tuple[Asked, str]:
    """Return the sources, which stand before or behind the packet's words or nowhere, and those words."""
    words = list(asked.sources)
    before: list[str] = []
    behind: list[str] = []
    while words and _is_source(words[0]):
        before.append(words.pop(0))
    while words and _is_source(words[-1]):
        behind.insert(0, words.pop())
    return replace(asked, sources=(*before, *behind)), " ".join(words)


def _is_source(word: str) -> bool:
    if word in {"-", LIVE}:
        return True
    try:
        return bool(word) and Path(word).exists()
    except (OSError, ValueError):  # too long a name, or a NUL in it
        return False


@frozen
class Shown:
    """How long a trace lasts and how it is shown."""

    count: int
    seconds: float
    format_name: str
    output: str | None
    color: str

    def run(self, criteria: list[Criteria], source: Ruleset | None, place: tuple[str | None, int | None]) -> None:
        """Trace, and print each packet as soon as it is finished; JSON is printed as a whole."""
        from policyc.kernel.tracing import Tracing
        from policyc.observation.live_rules import live_rules
        from policyc.observation.traced import Traces
        from policyc.report.style import PLAIN
        from policyc.report.trace import packet_text, summary_text, trace_json

        style = style_for(sys.stdout, self.color) if self.output in {None, "-"} else PLAIN
        at_once = self.format_name == "text" and self.output in {None, "-"}
        found: list[TracedPacket] = []
        with machine_asked(), Tracing(criteria, *place) as trace:
            live, unseen = live_rules(trace.texts)
            traces = Traces(live, source, trace.lengths)
            with suppress(KeyboardInterrupt):  # one way in which a trace ends
                tell(f"tracing until {self.count} packets have come or {self.seconds:g} s have passed")
                for packet in self._packets(trace, traces):
                    found.append(packet)
                    if at_once:
                        emit(packet_text(len(found), packet, style) + "\n")
            late = traces.rest()[: self.count - len(found)]
            remarks = [*unseen, *_remarks(trace)]
        shown = len(found) if at_once else 0
        found += late
        if self.format_name == "json":
            emit(trace_json(found, remarks), self.output)
            return
        texts = [packet_text(number, packet, style) + "\n" for number, packet in enumerate(found, 1)][shown:]
        emit("".join(texts) + summary_text(len(found), remarks, style), self.output)

    def _packets(self, trace: Tracing, traces: Traces) -> Iterator[TracedPacket]:
        """Yield the packets as they are finished, until there are enough of them or the time is over."""
        from policyc.observation.traced import QUIET

        end = time.monotonic() + self.seconds
        left = self.count
        while left > 0 and (now := time.monotonic()) < end:
            events = trace.told(min(end - now, QUIET / 3))
            now = time.monotonic()
            for packet in (traces.add(events, now) + traces.quiet(now))[:left]:
                left -= 1
                yield packet


def _remarks(trace: Tracing) -> list[str]:
    found = []
    if trace.legacy:
        found.append(
            "iptables-legacy has rules here too; a trace does not see them, and they may have dropped what is gone"
        )
    if trace.lost:
        found.append("the kernel told more than could be taken: some steps or packets are missing; name fewer packets")
    return found
