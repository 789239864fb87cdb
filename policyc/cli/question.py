"""The words of `policyc explain`: which of them are sources and which describe the packet, and the host that it is about."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from policyc.cli.options import Asked
from policyc.frozen import frozen
from policyc.loading import LIVE
from policyc.readers.files import read_file, refusal

if TYPE_CHECKING:
    from policyc.host.host import Host

EXAMPLE = "tcp 203.0.113.9 -> 198.51.100.1:443 in eth0"


class PacketCommand(click.Command):
    """A command whose arguments hold an arrow, which click would take for an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments with every arrow spelled so that it begins with no dash."""
        return super().parse_args(ctx, ["→" if arg == "->" else arg for arg in args])


@frozen
class Words:
    """What was named before the packet, and the packet's own words in one text, "" where there are none."""

    asked: Asked
    packet: str


def words_of(asked: Asked) -> Words:
    """Return the words that name sources, which come first, and those that describe the packet."""
    words = list(asked.sources)
    count = 0
    while count < len(words) and _is_source(words[count], first=count == 0 and not asked.dumps):
        count += 1
    return Words(replace(asked, sources=tuple(words[:count])), " ".join(words[count:]).strip())


def _is_source(word: str, *, first: bool) -> bool:
    if word in {"-", LIVE}:
        return True
    if "→" in word or "->" in word or " " in word.strip() or "IN=" in word:
        return _exists(word)
    return first or _exists(word)


def _exists(word: str) -> bool:
    try:
        return Path(word).exists()
    except (OSError, ValueError):  # too long a name, or a NUL in it
        return False


def host_in(path: str) -> Host:
    """Return the host that a file describes: a snapshot, a recorded case or its topology alone. Raises InputError."""
    source = read_file(Path(path), path)
    try:
        value = json.loads(source.text)
    except ValueError:
        value = None
    if isinstance(value, dict) and "format_version" not in value and ("topology" in value or "interfaces" in value):
        from policyc.readers.topology import host_of_topology

        return host_of_topology(value.get("topology", value), value.get("ipsets"), value.get("family"))
    from policyc.readers.snapshot import read_snapshot

    found = read_snapshot(source).host
    if found is None:
        raise refusal(path, f"`{path}` describes no host", "take one with `policyc snapshot -o FILE`")
    return found
