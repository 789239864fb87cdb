"""`policyc fmt`: policies in the one layout; `--check` and `--diff` only look."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from policyc.cli.exit import Exit
from policyc.cli.options import color_option, config_options
from policyc.cli.output import complain, emit, style_for, tell
from policyc.config import Config, display
from policyc.diagnostics import Diagnostic, InputError
from policyc.readers.files import STANDARD_INPUT, read_file, refusal, text_of
from policyc.readers.kinds import Kind, kind_of
from policyc.report.difference import difference
from policyc.source import Source


@click.command("fmt")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit code 1 where a file would change.")
@click.option(
    "--diff", "show_difference", is_flag=True, help="Write nothing; print what would change, and exit as --check."
)
@color_option
@config_options
def command(files: tuple[str, ...], config: Config, only_check: bool, show_difference: bool, color: str | None) -> int:
    """Lay out policy files, in place; - reads standard input and prints the result.

    Without FILE, the policies that policyc.toml lists.
    """
    from policyc.language.format import format_text

    problems: list[Diagnostic] = []
    changed: list[tuple[str, Source, str]] = []
    unchanged = 0
    for name in files or _listed(config):
        try:
            source = _read(name)
            text = format_text(source)
        except InputError as error:
            problems.extend(error.diagnostics)
            continue
        if name == "-" and not (only_check or show_difference):
            emit(text)
        elif text != source.text:
            changed.append((name, source, text))
        else:
            unchanged += 1
    if problems:
        complain(InputError(problems), color or config.color)
    if show_difference:
        style = style_for(sys.stdout, color or config.color)
        emit("".join(difference(source.name, source.text, text, style) for _, source, text in changed))
    return _finish(changed, unchanged, bool(problems), looking=only_check or show_difference)


def _finish(changed: list[tuple[str, Source, str]], unchanged: int, failed: bool, *, looking: bool) -> Exit:
    for name, source, text in changed:
        if looking:
            tell(f"would change: {source.name}")
        else:
            emit(text, name)
    if changed or unchanged:
        verb = "would change" if looking else "changed"
        tell(f"{len(changed)} {verb}, {unchanged} left as they are")
    if failed:
        return Exit.NOT_ASKED
    return Exit.BAD_NEWS if looking and changed else Exit.FINE


def _listed(config: Config) -> list[str]:
    if config.path is None:
        raise click.UsageError("nothing to format: name a FILE, or write a policyc.toml that lists `sources`")
    names = [display(path) for path in config.files()]
    return [name for name in names if name.endswith(".pol")]


def _read(name: str) -> Source:
    if name == "-":
        source = text_of(sys.stdin.buffer.read(), STANDARD_INPUT)
    elif Path(name).is_dir():
        raise refusal(name, f"`{name}` is a folder", f"name its files: `policyc fmt {name}/*.pol`")
    else:
        source = read_file(Path(name), name)
    if _is_no_policy(source):
        raise refusal(source.name, f"`{source.name}` is no policy: fmt lays out policy files only")
    return source


def _is_no_policy(source: Source) -> bool:
    """Whether a text is something else for certain; what is nothing known may be a policy with mistakes."""
    try:
        return kind_of(source) is not Kind.POLICY
    except InputError:
        return False
