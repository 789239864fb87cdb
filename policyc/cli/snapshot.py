"""`policyc snapshot`: this host, or a network namespace of it, as one JSON file that every command reads."""

from __future__ import annotations

import click

from policyc.cli.options import machine_asked, output_option
from policyc.cli.output import emit, tell


@click.command("snapshot")
@click.option("--netns", metavar="NAME", help="A network namespace, as `ip netns` names it, instead of this one.")
@click.option("--pid", type=click.IntRange(min=1), help="The network namespace of a process, as of a container.")
@click.option("--conntrack", is_flag=True, help="The table of known connections too.")
@output_option
def command(*, netns: str | None, pid: int | None, conntrack: bool, output: str | None) -> None:
    """Write down rules, sets, interfaces, addresses, routes and settings (root). Nothing on the machine is changed.

    The file holds addresses and names of this host: what exactly, is said when it is made.
    """
    if netns is not None and pid is not None:
        raise click.UsageError("--netns and --pid exclude each other")
    import json

    from policyc.kernel.snapshot import take

    with machine_asked():
        text = take(netns, pid=pid, conntrack=conntrack)
    emit(text, output)
    tell(f"the snapshot holds {_listed(json.loads(text)['holds'])}: look before you give it away")


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
