"""`policyc explain`: what happens to this packet, step by step, and why."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from policyc.cli.exit import Exit
from policyc.cli.options import Asked, color_option, config_options, one_ruleset, output_option, source_options
from policyc.cli.output import emit
from policyc.cli.question import EXAMPLE, PacketCommand, host_in, words_of
from policyc.config import Config

if TYPE_CHECKING:
    from policyc.explanation.ask import Asked as Answered
    from policyc.net.headers import Headers
    from policyc.netfilter.ruleset import Ruleset

SHAPES = ("full", "concise", "json", "html")
VERDICTS = ("accept", "drop", "reject")


@click.command("explain", cls=PacketCommand)
@partial(source_options, metavar="SOURCE PACKET")
@click.option("--host", "host_file", metavar="FILE", help="The host it runs on: a snapshot, or a topology as JSON.")
@click.option(
    "--after", multiple=True, metavar="PACKET", help="A packet that passed before, whose connection is known."
)
@click.option("--reply", is_flag=True, help="The way back of the answer to the packet.")
@click.option("--flow", is_flag=True, help="The whole conversation that the packet opens, turn by turn.")
@click.option("--pcap", metavar="FILE", help="Take the packet from a capture, see --number.")
@click.option("--number", type=click.IntRange(min=1), default=1, help="The packet's number in the capture, from 1.")
@click.option("--symptom", metavar="WORD", help="What somebody saw (refused, timeout, …): do the rules explain it?")
@click.option("--filter", "filters", is_flag=True, help="Print tcpdump and Wireshark filters that catch this flow.")
@click.option("--expect", type=click.Choice(VERDICTS), help="Exit code 1 where the verdict is another one.")
@click.option("--verify", is_flag=True, help="Send the packet for real in throw-away network namespaces (root).")
@click.option("--replay", metavar="CASE", help="Answer all packets of a recorded case, as JSON.")
@click.option("-v", "--verbose", is_flag=True, help="Show every rule that the packet came to.")
@click.option("--format", "shape", type=click.Choice(SHAPES), help="How it looks; default: full, of FILE.html html.")
@click.option("--open", "opened", is_flag=True, help="Open the answer as a page in the browser.")
@output_option
@color_option
@config_options
def command(*, asked: Asked, config: Config, replay: str | None, **options: Any) -> int:
    """Explain what happens to one packet: which rule decides, what came near, what the sender sees.

    SOURCE is followed by the packet, as a sentence (tcp 203.0.113.9 -> 198.51.100.1:443 in eth0), a line of the kernel
    log, or --pcap FILE.
    """
    if replay is not None:
        return _replay(replay, options["output"])
    words = words_of(asked)
    if not words.packet and options["pcap"] is None:
        raise click.UsageError(f"which packet? For example: policyc explain SOURCE '{EXAMPLE}'")
    if "-" in words.packet.split():
        raise click.UsageError(f"put quotes around the packet: the shell takes `>` for itself, as in '{EXAMPLE}'")
    if options["reply"] and options["flow"]:
        raise click.UsageError("--flow shows the reply too: leave --reply out")
    ruleset = one_ruleset(words.asked.given(config))
    answered = _ask(ruleset, words.packet, options)
    from policyc.cli.explain_answer import Shown, show

    return show(answered, Shown.of(options, config))


def _ask(ruleset: Ruleset, packet: str, options: dict[str, Any]) -> Answered:
    from policyc.explanation.ask import ask

    host = None if options["host_file"] is None else host_in(options["host_file"])
    if options["pcap"] is None:
        return ask(ruleset, packet, host, options["after"])
    from policyc.readers.files import bytes_of
    from policyc.readers.pcap import read_capture

    path = options["pcap"]
    captured = read_capture(bytes_of(Path(path), path), path, options["number"])
    return ask(ruleset, _seen(captured.headers, packet.split()), host, options["after"])


def _seen(headers: Headers, words: list[str]) -> Headers:
    """Return a captured packet with where it was seen, which few captures say: `in eth0`, `out`, `out eth1`."""
    match words:
        case []:
            return headers
        case ["in", name]:
            return replace(headers, entry=name, exit="", local=False)
        case ["out"]:
            return replace(headers, entry="", local=True)
        case ["out", name]:
            return replace(headers, entry="", exit=name, local=True)
    said = " ".join(words)
    raise click.UsageError(f"with --pcap the packet is in the file; say only where it is seen, `in eth0`, not `{said}`")


def _replay(path: str, output: str | None) -> int:
    """Answer a recorded case; raises InputError where it cannot be read."""
    import json

    from policyc import api
    from policyc.readers.files import read_file, refusal, text_of
    from policyc.report.json import json_text

    source = text_of(sys.stdin.buffer.read(), "<stdin>") if path == "-" else read_file(Path(path), path)
    try:
        case = json.loads(source.text)
    except ValueError as error:
        raise refusal(
            source.name, f"`{source.name}` is not JSON: {error}", "docs/api.md has the form of a case"
        ) from None
    if not isinstance(case, dict):
        raise refusal(source.name, f"`{source.name}` is no case: a JSON object is expected", "docs/api.md has its form")
    emit(json_text({"verdicts": api.replay(case)}), output)
    return Exit.FINE
