"""`policyc completion`: the script that teaches a shell the commands and options."""

from __future__ import annotations

import click

from policyc.cli.output import emit

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print a completion script: eval "$(policyc completion bash)"."""
    from click.shell_completion import ShellComplete, get_completion_class

    from policyc.cli.main import program

    kind = get_completion_class(shell)
    assert kind is not None
    completion = kind(program, {}, "policyc", "_POLICYC_COMPLETE")
    emit(ShellComplete.source(completion))  # the classes' own method would ask the shell for its version
