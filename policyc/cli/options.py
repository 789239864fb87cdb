"""The options that several commands share, and what they make: settings from config and command line, sources to load."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from policyc.cli.exit import Exit
from policyc.cli.output import tell
from policyc.config import COLORS, Config, display, find_config, read_config
from policyc.diagnostics import Diagnostic, InputError
from policyc.frozen import frozen
from policyc.loading import LIVE, Given, given_at, rulesets_of
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.files import STANDARD_INPUT, text_of
from policyc.readers.kinds import Kind
from policyc.readers.snapshot import BACKENDS

Command = TypeVar("Command", bound=Callable[..., Any])


class NotAskedError(click.ClickException):
    """The question could not be asked, for a reason that is neither a usage error nor a place in a text."""

    exit_code = Exit.NOT_ASKED


@frozen
class Asked:
    """What the user named: sources of any kind, dumps of a known family, the kind that `--as` gives to the sources.

    `backend` is the kind of iptables whose rules are read of snapshots, None where the user did not say.
    """

    sources: tuple[str, ...]
    dumps: tuple[tuple[int, str], ...]
    kind: Kind | None
    backend: str | None = None

    def given(self, config: Config) -> list[Given]:
        """Return the texts, those of the config file where nothing was named. Raises InputError with all that fail."""
        found: list[Given] = []
        problems: list[Diagnostic] = []
        wanted: list[tuple[str | Path, int | None, Kind | None]] = [(name, None, self.kind) for name in self.sources]
        wanted += [(name, family, Kind.DUMP) for family, name in self.dumps]
        if not wanted:
            if config.path is None:
                raise click.UsageError("nothing to read: name a SOURCE, or write a policyc.toml that lists `sources`")
            return [item for path in config.files() for item in given_at(display(path))]
        if sum(name == "-" for name, _, _ in wanted) > 1:
            raise click.UsageError("standard input (`-`) can be read once")
        for name, family, kind in wanted:
            try:
                texts = [_standard_input(family, kind)] if name == "-" else _given_at(name, family, kind)
                found += [text._replace(backend=self.backend) for text in texts]
            except InputError as error:
                problems.extend(error.diagnostics)
        if problems:
            raise InputError(problems)
        return found


def _given_at(name: str | Path, family: int | None, kind: Kind | None) -> list[Given]:
    """Return the texts at a path; what the running kernel does not tell ends the command."""
    if name != LIVE:
        return given_at(name, family, kind)
    with machine_asked():
        return given_at(name, family, kind)


@contextmanager
def machine_asked() -> Iterator[None]:
    """Turn what stands in the way of asking the machine into an end of the command: 4 without privilege, else 2."""
    from policyc.kernel.processes import MissingProgram, NotPrivileged, Unanswered

    try:
        yield
    except NotPrivileged as error:
        tell(f"error: {error}")
        raise click.exceptions.Exit(Exit.NOT_PRIVILEGED) from None
    except (MissingProgram, Unanswered) as error:
        raise NotAskedError(str(error)) from None


def _standard_input(family: int | None, kind: Kind | None) -> Given:
    return Given(text_of(sys.stdin.buffer.read(), STANDARD_INPUT), family, kind)


def one_ruleset(given: Sequence[Given], *, ids: bool = True) -> Ruleset:
    """Return the one Ruleset of the texts; several policies are a usage error."""
    found = rulesets_of(given, ids=ids)
    if len(found) != 1:
        raise click.UsageError(f"this command takes one source at a time; these are {len(found)}")
    return found[0]


def source_options(command: Command, metavar: str = "[SOURCE]...") -> Command:
    """Give a command its SOURCE arguments with `-4`, `-6`, `--as` and `--rules-of`; it is called with `asked`.

    `metavar` is what its usage line calls them.
    """

    @wraps(command)
    def wrapper(
        *args: Any,
        sources: tuple[str, ...],
        v4: tuple[str, ...],
        v6: tuple[str, ...],
        kind: str | None,
        rules_of: str | None,
        **more: Any,
    ) -> Any:
        dumps = tuple((4, name) for name in v4) + tuple((6, name) for name in v6)
        asked = Asked(sources, dumps, Kind(kind) if kind else None, rules_of)
        return command(*args, asked=asked, **more)

    kinds = click.Choice([kind.value for kind in Kind])
    backends = click.Choice(BACKENDS)
    for add in (
        click.option("--rules-of", type=backends, help="Whose rules of a snapshot, where both kinds of iptables have some."),
        click.option("--as", "kind", type=kinds, help="What the sources are, whatever they look like."),
        click.option("-6", "v6", multiple=True, metavar="FILE", help="An ip6tables-save dump."),
        click.option("-4", "v4", multiple=True, metavar="FILE", help="An iptables-save dump."),
        click.argument("sources", nargs=-1, metavar=metavar),
    ):  # fmt: skip
        add(wrapper)
    return wrapper  # type: ignore[return-value]


def namespace_options(command: Command) -> Command:
    """Give a command `--netns` and `--pid`; it is called with `netns` and `pid`, of which one at most is not None."""

    @wraps(command)
    def wrapper(*args: Any, netns: str | None, pid: int | None, **more: Any) -> Any:
        if netns is not None and pid is not None:
            raise click.UsageError("--netns and --pid exclude each other")
        return command(*args, netns=netns, pid=pid, **more)

    for add in (
        click.option(
            "--pid", type=click.IntRange(min=1), help="The network namespace of a process, as of a container."
        ),
        click.option(
            "--netns", metavar="NAME", help="A network namespace, as `ip netns` names it, instead of this one."
        ),
    ):
        add(wrapper)
    return wrapper  # type: ignore[return-value]


def config_options(command: Command) -> Command:
    """Give a command `--config` and `--isolated`; it is called with `config`."""

    @wraps(command)
    def wrapper(*args: Any, config_file: str | None, isolated: bool, **more: Any) -> Any:
        if config_file is not None and isolated:
            raise click.UsageError("--config and --isolated exclude each other")
        return command(*args, config=_config(config_file, isolated=isolated), **more)

    for add in (
        click.option("--isolated", is_flag=True, help="Read no config file."),
        click.option("--config", "config_file", metavar="FILE", help="The config file, instead of the nearest policyc.toml."),
    ):  # fmt: skip
        add(wrapper)
    return wrapper  # type: ignore[return-value]


def color_option(command: Command) -> Command:
    """Give a command `--color`; it is called with `color`, None where the user did not say."""
    add = click.option(
        "--color", type=click.Choice(COLORS), help="Colour the output. auto: on a terminal, unless NO_COLOR is set."
    )
    return add(command)


def output_option(command: Command) -> Command:
    """Give a command `-o`; it is called with `output`, None for standard output."""
    add = click.option("-o", "--output", metavar="FILE", help="Write the result to a file, as a whole or not at all.")
    return add(command)


def _config(path: str | None, *, isolated: bool) -> Config:
    if isolated:
        return Config()
    found = Path(path) if path is not None else find_config(Path.cwd())
    return Config() if found is None else read_config(found)
