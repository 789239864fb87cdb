"""The group of all commands: each is loaded when it is called. `run` turns every end of a command into an exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from policyc.cli.exit import Exit
from policyc.cli.output import complain, open_missing, tell
from policyc.diagnostics import InputError
from policyc.diagnostics.catalogue import REPOSITORY

COMMANDS = (
    "check", "explain", "test", "compile", "show", "diff", "reach", "snapshot", "counters", "trace", "doctor", "preview",
    "fmt", "graph", "rule", "config", "completion", "plan", "apply", "confirm", "rollback", "status", "uninstall",
)  # fmt: skip
LATER = ("matrix", "import", "report", "lsp")
"""Commands that the documentation announces and that are not there yet."""


class _Commands(click.Group):
    """Commands by name, imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"policyc.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in LATER:
            raise click.UsageError(f"`{name}` is not built yet; there are {', '.join(COMMANDS)}", ctx)
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            raise click.UsageError(f"no command `{name}`{_nearest(name)}", ctx)
        return super().resolve_command(ctx, args)


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, n=1)
    return f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(COMMANDS)}"


def _version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        from policyc import __version__

        click.echo(f"policyc {__version__}")
        ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def program() -> None:
    """Compile, verify and debug Linux packet filtering.

    A SOURCE is a policy file (.pol), a folder with policyc.toml, an iptables-save or ip6tables-save dump, a snapshot
    (.json), the word live for this host as it is now, or - for standard input; which of them it is, its content says.

    Exit codes: 0 fine, 1 the answer is bad news, 2 the question could not be asked, 3 refused or rolled back,
    4 not enough privilege.
    """


def run(argv: Sequence[str]) -> int:
    """Run a command line and return its exit code. Nothing but an interrupt leaves as an exception."""
    open_missing()
    try:
        result: Any = program.main(args=list(argv), prog_name="policyc", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return Exit.NOT_ASKED
    except click.ClickException as error:
        _show(error)
        return Exit.NOT_ASKED
    except InputError as error:
        complain(error)
        return Exit.NOT_ASKED
    except (click.Abort, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # end as an interrupted program, so that a shell's loop ends too
        signal.raise_signal(signal.SIGINT)
        return Exit.NOT_ASKED
    except SystemExit as end:  # click's completion leaves this way
        return end.code if isinstance(end.code, int) else Exit.FINE
    except Exception as error:  # noqa: BLE001 - a traceback is never an answer
        return _internal_error(error)
    return int(result or Exit.FINE)


def _show(error: click.ClickException) -> None:
    """Say what is wrong with the command line; what the user typed may hold anything."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    if ctx is not None:
        tell(ctx.get_usage().removesuffix("\n"))
    tell("error: " + error.format_message().replace("\n\t", " "))  # click lists choices on lines of their own
    if ctx is not None:
        tell(f"`{ctx.command_path} --help` explains")


def _internal_error(error: Exception) -> int:
    if os.environ.get("POLICYC_TRACEBACK"):
        import traceback

        traceback.print_exception(error, file=sys.stderr)
        return Exit.NOT_ASKED
    place = ""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "?")
        place = f"{name}:{trace.tb_lineno}" if name.startswith("policyc") else place
        trace = trace.tb_next
    what = " ".join(f"{type(error).__name__}: {error}".split())
    tell(f"policyc: internal error: {what} (at {place}); this is a mistake of policyc, please report it at "
         f"{REPOSITORY}/issues; POLICYC_TRACEBACK=1 shows more")  # fmt: skip
    return Exit.NOT_ASKED
